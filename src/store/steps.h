// The steps of a transfer as the text of one column: a JSON array of objects.
#pragma once

#include <string>
#include <vector>

#include "call/records.h"

namespace baton::store {

// Bytes that are not UTF-8 become U+FFFD.
[[nodiscard]] std::string to_text(const std::vector<call::TransferStep>& steps);
// What is not a step is left out: a record with a damaged column is still a record.
[[nodiscard]] std::vector<call::TransferStep> parse_steps(const std::string& text);

}  // namespace baton::store
