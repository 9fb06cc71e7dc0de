// Log events of the store. The last resort for a record that can not be written is a log line that holds it.
#pragma once

#include <string>

#include "engine/action.h"
#include "store/port.h"

namespace baton::store {

// All fields of the record, so that it can be entered by hand. A trace message is named without its bytes.
[[nodiscard]] engine::Log unwritten(const Record& record, const std::string& why);

}  // namespace baton::store
