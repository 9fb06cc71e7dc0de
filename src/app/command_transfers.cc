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

struct Transfers {
  StoreChoice store;
  FilterChoice filter;
  bool json = false;

  [[nodiscard]] int run() const {
    const auto reader = store.open();
    if (!reader) return complain(reader.error()), exit_operational;
    const auto transfers = (*reader)->transfers(filter.filter(wall_clock()));
    if (!transfers) return complain(transfers.error()), exit_operational;
    return print(json ? to_json(*transfers) : transfers_table(*transfers));
  }
};

}  // namespace

void add_transfers(CLI::App& app, int& exit_code) {
  auto transfers = std::make_shared<Transfers>();
  CLI::App* command = app.add_subcommand("transfers", "List transfer records, newest first");
  transfers->store.add_options(*command);
  transfers->filter.add_options(*command, "records");
  command->add_flag("--json", transfers->json, "As a JSON array, with every field and step");
  command->footer(
      "Every REFER has one record, the refused and failed ones included; times are UTC.\n"
      "\nExample:\n  baton transfers --number +14155551234 --limit 5");
  command->callback([transfers, &exit_code] { exit_code = transfers->run(); });
}

}  // namespace baton::app
