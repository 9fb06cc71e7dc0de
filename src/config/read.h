// The sections of the file to the values a server starts from. Mistakes go into the sections' Problems.
#pragma once

#include <string>

#include "config/config.h"
#include "config/section.h"
#include "trunk/model.h"

namespace baton::config {

[[nodiscard]] Server read_server(const Section& file, const std::string& file_name);
// Which media plane, and where it is.
void read_plane(const Section& section, Media& media);
// What the plane that was chosen, or the one that runs, can not do.
void check_plane(const Section& file, const Media& chosen, const Media& running, const trunk::Model& model);
[[nodiscard]] Limits read_limits(const Section& section);
[[nodiscard]] std::vector<SocketAddress> read_name_servers(const Section& section);
// What stands inside each account, trunk, number and carrier.
[[nodiscard]] trunk::Model read_model(const Section& file);
// What they say about each other and about the server; gives each number the account of its trunk.
void link_model(const Section& file, const Server& server, trunk::Model& model);

}  // namespace baton::config
