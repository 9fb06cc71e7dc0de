#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "app/commands.h"
#include "app/output.h"
#include "app/records_json.h"
#include "app/records_table.h"
#include "app/store_choice.h"

namespace baton::app {
namespace {

struct Recordings {
  StoreChoice store;
  FilterChoice filter;
  bool json = false;

  [[nodiscard]] int run() const {
    const auto reader = store.open();
    if (!reader) return complain(reader.error()), exit_operational;
    const auto recordings = (*reader)->recordings(filter.filter(wall_clock()));
    if (!recordings) return complain(recordings.error()), exit_operational;
    return print(json ? to_json(*recordings) : recordings_table(*recordings));
  }
};

}  // namespace

void add_recordings(CLI::App& app, int& exit_code) {
  auto recordings = std::make_shared<Recordings>();
  CLI::App* command = app.add_subcommand("recordings", "List recordings, newest first");
  recordings->store.add_options(*command);
  recordings->filter.add_options(*command, "records");
  command->add_flag("--json", recordings->json, "As a JSON array, with every field");
  command->footer(
      "Each file holds what two parties said, one on each channel; times are UTC.\n"
      "\nExample:\n  baton recordings --number +14155550100 --since 7d --json");
  command->callback([recordings, &exit_code] { exit_code = recordings->run(); });
}

}  // namespace baton::app
