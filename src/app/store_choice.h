// Which store a command reads: named directly, or by the configuration of the server that writes it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "store/reader.h"

namespace CLI {
class App;
}

namespace baton::app {

struct StoreChoice {
  std::string config = "baton.toml";
  std::string store;  // empty: what the configuration says

  // -c and --store. The choice must outlive the parsing.
  void add_options(CLI::App& command);
  // The error is one line.
  [[nodiscard]] Result<std::unique_ptr<store::Reader>, std::string> open() const;
};

// --limit, --number, --since: the options of the commands that list records.
struct FilterChoice {
  std::size_t limit = 20;
  std::string number;
  std::string since;

  void add_options(CLI::App& command, const char* records);
  [[nodiscard]] store::Filter filter(Time now) const;  // after a successful parse
};

// "90s", "15m", "2h", "7d" ago, or a day or moment in UTC: "2026-11-21", "2026-11-21T10:08", "2026-11-21
// 10:08:30Z".
[[nodiscard]] std::optional<Time> parse_since(std::string_view text, Time now);
[[nodiscard]] Time wall_clock();

}  // namespace baton::app
