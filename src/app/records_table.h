// Records as tables for people, within columns_default columns.
#pragma once

#include <string>
#include <vector>

#include "call/records.h"
#include "store/reader.h"

namespace baton::app {

[[nodiscard]] std::string calls_table(const std::vector<call::Cdr>& cdrs);
[[nodiscard]] std::string transfers_table(const std::vector<call::TransferRecord>& transfers);
[[nodiscard]] std::string recordings_table(const std::vector<call::RecordingRecord>& recordings);

// What stands above the ladder of a call: who called whom, each leg and how it ended, each transfer.
[[nodiscard]] std::string history_summary(const store::History& history);

}  // namespace baton::app
