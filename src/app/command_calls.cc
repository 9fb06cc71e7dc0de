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

struct Calls {
  StoreChoice store;
  FilterChoice filter;
  bool json = false;

  [[nodiscard]] int run() const {
    const auto reader = store.open();
    if (!reader) return complain(reader.error()), exit_operational;
    const auto cdrs = (*reader)->cdrs(filter.filter(wall_clock()));
    if (!cdrs) return complain(cdrs.error()), exit_operational;
    return print(json ? to_json(*cdrs) : calls_table(*cdrs));
  }
};

}  // namespace

void add_calls(CLI::App& app, int& exit_code) {
  auto calls = std::make_shared<Calls>();
  CLI::App* command = app.add_subcommand("calls", "List call records, newest first");
  calls->store.add_options(*command);
  calls->filter.add_options(*command, "records");
  command->add_flag("--json", calls->json, "As a JSON array, with every field");
  command->footer(
      "Each leg that served a call has one record, written when it ends; times are UTC.\n"
      "\nExample:\n  baton calls --number +14155550100 --since 7d --json");
  command->callback([calls, &exit_code] { exit_code = calls->run(); });
}

}  // namespace baton::app
