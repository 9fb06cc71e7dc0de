// The files and directories that media needs: prompts, and where recordings are kept.
#pragma once

#include <string>
#include <vector>

#include "config/config.h"
#include "media/prompts/prompts.h"
#include "trunk/model.h"

namespace baton::app {

struct MediaFiles {
  media::PromptLibrary::Prompts prompts;  // by what the configuration calls them; those that can be used
  std::vector<config::Problem> problems;
};

// Reads the prompts and looks at the directory. `file` is the configuration's, which paths are relative to.
[[nodiscard]] MediaFiles load_media(const config::Config& config, const std::string& file);

// The model with what is known of its announcements: how long each of them lasts.
[[nodiscard]] trunk::Snapshot with_announcements(const trunk::Model& model,
                                                 const media::PromptLibrary::Prompts& prompts);

}  // namespace baton::app
