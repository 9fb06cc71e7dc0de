// A log event as one line of text: "call.answered call=\"…\" status=200". Values can come from a peer, so
// they are escaped: whatever a peer sends, a line stays one line, and a field can not pretend to be two.
#pragma once

#include <string>

#include "engine/action.h"

namespace baton::shard {

[[nodiscard]] std::string to_line(const engine::Log& log);

}  // namespace baton::shard
