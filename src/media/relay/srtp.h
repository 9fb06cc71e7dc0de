// SRTP with one party: what it sends is checked and decrypted, what it is sent is encrypted, over changes of
// keys. An endpoint without it has none of this.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/time.h"
#include "media/port.h"
#include "media/srtp/context.h"

namespace baton::media {

class SrtpEndpoint {
 public:
  SrtpEndpoint(const Srtp& agreed, std::uint32_t ssrc);

  // What is agreed now. Directions whose key stays go on undisturbed. After a change of the party's key what
  // is under way with the old one is still taken for a while.
  void agree(Time now, const Srtp& agreed, std::uint32_t ssrc);

  [[nodiscard]] bool protect(std::uint8_t* bytes, std::size_t& size, bool rtcp) {
    return senders_.back().context.protect(bytes, size, rtcp);
  }
  [[nodiscard]] SrtpContext::Verdict unprotect(Time now, std::span<std::uint8_t>& bytes, bool rtcp);

 private:
  struct Sender {
    sdp::MasterKey key;
    SrtpContext context;
  };
  void send_with(const Srtp& agreed, std::uint32_t ssrc);

  Srtp agreed_;
  // The last one is in use. The others were, for the other answers to one offer: whoever comes back to a key
  // goes on where it was.
  std::vector<Sender> senders_;
  SrtpContext in_;
  std::optional<SrtpContext> before_;  // the party's previous key
  Srtp before_agreed_;                 // and which it was
  Time before_until_{};
};

}  // namespace baton::media
