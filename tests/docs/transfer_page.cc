// Prints docs/transfer.md from the compiled transfer table. A test fails when the page differs.
#include <cstdio>
#include <string>

#include "call/transfer_table.h"

namespace {

using namespace baton::call;

void section(TransferState state) {
  std::printf("\n## %s\n\n| event | actions | next | why |\n|---|---|---|---|\n",
              std::string(to_string(state)).c_str());
  for (const auto& row : transfer_table) {
    if (row.from != state || row.verdict != Verdict::row) continue;
    std::string actions;
    for (const auto action : row.actions) {
      if (action == TransferAction::none) continue;
      if (!actions.empty()) actions += ", ";
      actions += to_string(action);
    }
    if (actions.empty()) actions = "-";
    std::printf("| `%s` | %s | %s | %s |\n", std::string(to_string(row.event)).c_str(), actions.c_str(),
                std::string(to_string(row.to)).c_str(), std::string(row.why).c_str());
  }
  for (const auto verdict : {Verdict::ignored, Verdict::impossible}) {
    bool any = false;
    for (const auto& row : transfer_table) {
      if (row.from != state || row.verdict != verdict) continue;
      if (!any)
        std::printf("\n%s:\n", verdict == Verdict::ignored ? "May come and changes nothing" : "Can not come");
      any = true;
      std::printf("- `%s`: %s\n", std::string(to_string(row.event)).c_str(), std::string(row.why).c_str());
    }
  }
}

}  // namespace

int main() {
  std::printf(
      "# The transfer, state by state\n\n"
      "This page is printed from `src/call/transfer_table.h` by `./dev docs`; edit the table, not the page. "
      "What each\n"
      "action means stands beside its name in that header; how it is done is in `src/call/transfers.cc`.\n\n"
      "```mermaid\nstateDiagram-v2\n  [*] --> checking: REFER accepted by every check\n");
  for (const auto& row : transfer_table) {
    if (row.verdict != Verdict::row) continue;
    std::printf("  %s --> %s: %s\n", std::string(to_string(row.from)).c_str(),
                row.to == TransferState::ended ? "[*]" : std::string(to_string(row.to)).c_str(),
                std::string(to_string(row.event)).c_str());
  }
  std::printf("```\n");
  for (const auto state :
       {TransferState::checking, TransferState::dialing, TransferState::ringing, TransferState::orphaned,
        TransferState::parting, TransferState::lingering, TransferState::releasing}) {
    section(state);
  }
  return 0;
}
