// The certificates of the TLS listeners, from the files that the configuration names.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/config.h"
#include "net/tls.h"

namespace baton::app {

struct TlsFiles {
  std::vector<net::TlsContextPtr> contexts;  // one for each listener, null where it has none or a bad one
  std::vector<config::Problem> problems;     // what can not be used
  std::vector<config::Problem> warnings;     // what can, and should not stay so
};

// Reads them all. `file` is what the problems name; `now` is in seconds since 1970.
[[nodiscard]] TlsFiles load_tls(const config::Server& server, const std::string& file, std::int64_t now);

// Whether `context` is valid at `now`; on a reload one that is not does not take the place of another.
[[nodiscard]] bool is_valid(const net::TlsContext& context, std::int64_t now);

[[nodiscard]] std::int64_t seconds_now();
[[nodiscard]] std::string write_date(std::int64_t seconds);  // "2026-11-21 14:04:19Z"

}  // namespace baton::app
