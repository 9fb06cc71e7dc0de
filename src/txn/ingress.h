// A message from the wire: finds its transaction, or makes one, or answers without one.
#pragma once

#include "base/time.h"
#include "sip/message.h"
#include "txn/core.h"

namespace baton::txn {

void receive_request(Core& core, Time now, sip::Message request, const Source& source);
void receive_response(Core& core, Time now, sip::Message response, const Source& source);

}  // namespace baton::txn
