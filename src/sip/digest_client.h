// What one dialog of ours has been challenged with, and the answers (RFC 3261 22.2, 22.3, RFC 7616 3.4): a
// nonce is used again, counted, until its server wants another. A value; owned by the leg.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/rng.h"
#include "sip/digest.h"
#include "sip/draft.h"
#include "sip/message.h"

namespace baton::sip {

class DigestClient {
 public:
  // Takes the challenges of a 401 or 407. For each realm the strongest we can do, whatever stands first (RFC
  // 8760 2.4 leaves that to local policy). `request` names the request that was refused, whatever number its
  // repetitions have: a realm that refuses an answer made for it is satisfied only by saying that the nonce
  // was stale. True when there is something to try.
  [[nodiscard]] bool take(const Message& response, std::uint64_t request);

  // Puts credentials for everything asked so far into the request.
  void sign(Draft& request, std::string_view username, std::string_view password, Rng& rng);

  [[nodiscard]] bool empty() const { return realms_.empty(); }

 private:
  struct Realm {
    bool proxy = false;
    Challenge challenge;
    std::uint32_t used = 0;  // how often the nonce has been used
    std::uint64_t request = 0;
  };
  std::vector<Realm> realms_;
};

// The credentials of a request, for the ACK of its 2xx (RFC 3261 13.2.2.4).
[[nodiscard]] std::vector<Draft::Field> credentials_of(const Draft& request);

}  // namespace baton::sip
