// Records as JSON text. The names of a call record are those that trunk providers' call APIs use, so that
// scripts need no second set.
#pragma once

#include <string>
#include <vector>

#include "call/records.h"
#include "store/reader.h"

namespace baton::app {

[[nodiscard]] std::string to_json(const std::vector<call::Cdr>& cdrs);
[[nodiscard]] std::string to_json(const std::vector<call::TransferRecord>& transfers);
[[nodiscard]] std::string to_json(const std::vector<call::RecordingRecord>& recordings);
[[nodiscard]] std::string to_json(const store::History& history);

}  // namespace baton::app
