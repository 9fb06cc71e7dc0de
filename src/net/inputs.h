// What the network has to tell the engine, in the order it happened. Net appends, the shard takes; nothing is
// handed over from inside a call, so an engine is never entered twice.
#pragma once

#include <deque>

#include "engine/input.h"

namespace baton::net {

using Inputs = std::deque<engine::Input>;

}  // namespace baton::net
