// A message from the wire: finds its transaction, or makes one, or answers without one.
#pragma once

#include "base/time.h"
#include "sip/message.h"
#include "txn/core.h"

namespace baton::txn {

void receive_request(Core& core, Time now, sip::Message request, const Source& source);
// A request that no transaction knows gets that final without one; False: one knows it, and nothing was done.
bool refuse_statelessly(Core& core, const sip::Message& request, const Source& source, int status,
                        unsigned retry_after_s);
void receive_response(Core& core, Time now, sip::Message response, const Source& source);

}  // namespace baton::txn
