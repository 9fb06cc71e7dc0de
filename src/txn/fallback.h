// A request that goes by TCP for its length alone, and by UDP when that comes to nothing (RFC 3261 18.1.1).
#pragma once

#include "base/time.h"
#include "txn/core.h"

namespace baton::txn {

// While the request is on the way and has another one.
void go_by_udp(Core& core, Transaction& txn, Time now);
// Something has come back: this way is good.
void forget_fallback(Core& core, Transaction& txn);

}  // namespace baton::txn
