// Where responses go and what their Vias say (RFC 3261 18.2.1, 18.2.2; RFC 3581 4).
#pragma once

#include <string>

#include "base/address.h"
#include "sip/message.h"

namespace baton::txn {

// UDP: to where the request came from, at the port of the Via unless it asks for the port it was sent from.
// Streams: on the same connection; if that is gone, to the address it came from at the Via's port.
// `maddr` is not followed: it is for multicast, which is not served here, and following it would let anyone
// aim our responses at a third party.
[[nodiscard]] Destination response_destination(const sip::Message& request, const Source& source);

// Appends the Vias of its responses as header lines: every one of the request, the top one with `received`
// and `rport` filled in.
void append_response_vias(std::string& lines, const sip::Message& request, const Source& source);

}  // namespace baton::txn
