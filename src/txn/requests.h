// The requests the layer makes by itself, and the Via of all the others.
#pragma once

#include <string>
#include <string_view>

#include "base/address.h"
#include "base/rng.h"
#include "sip/draft.h"
#include "sip/spares.h"

namespace baton::txn {

// "z9hG4bK" and 80 random bits: nobody off the path can guess it and answer for the peer (RFC 3261 8.1.1.7).
void append_branch(std::string& out, Rng& rng);
// The Via value of a request of ours, with rport (RFC 3581 3). The branch stands last in it.
void append_via(std::string& out, const Destination& to, std::string_view branch);

// ---- Of a request of ours, as it was written ----

[[nodiscard]] std::string_view branch_of(std::string_view request);
// Without its body: all that its ACK and its CANCEL are made from.
[[nodiscard]] std::string_view head_of(std::string_view request);

// The ACK to a non-2xx final; `to` is that response's To (RFC 3261 17.1.1.3). The INVITE's head will do.
[[nodiscard]] sip::Draft make_ack(std::string_view invite, std::string_view to, sip::Spares& spares);
// RFC 3261 9.1; `reason` is a Reason value (RFC 3326) or empty. The INVITE's head will do.
[[nodiscard]] sip::Draft make_cancel(std::string_view invite, std::string_view reason, sip::Spares& spares);

}  // namespace baton::txn
