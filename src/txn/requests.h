// The requests the layer makes by itself, and the Via of all the others.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/rng.h"
#include "sip/draft.h"

namespace baton::txn {

// The parts of an INVITE of ours that its ACK and its CANCEL repeat.
struct RequestHead {
  std::string request_uri;
  std::string via;
  std::string from, to, call_id;
  std::uint32_t cseq = 0;
  std::vector<std::string> routes;

  RequestHead(const sip::Draft& request, std::string top_via);
};

// "z9hG4bK" and 80 random bits: nobody off the path can guess it and answer for the peer (RFC 3261 8.1.1.7).
[[nodiscard]] std::string make_branch(Rng& rng);
// The Via value of a request of ours, with rport (RFC 3581 3).
[[nodiscard]] std::string make_via(const Destination& to, std::string_view branch);

// The ACK to a non-2xx final; `to` is that response's To (RFC 3261 17.1.1.3).
[[nodiscard]] sip::Draft make_ack(const RequestHead& invite, std::string_view to);
// RFC 3261 9.1; `reason` is a Reason value (RFC 3326) or empty.
[[nodiscard]] sip::Draft make_cancel(const RequestHead& invite, std::string_view reason);

}  // namespace baton::txn
