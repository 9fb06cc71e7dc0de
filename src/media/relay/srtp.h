// SRTP with one party: what it sends is checked and decrypted, what it is sent is encrypted, over changes of
// keys. An endpoint without it has none of this.
#pragma once

#include <cstddef>
#include <cstdint>
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

  // False: it must not be sent, because its number has been used under this key, or may have been.
  [[nodiscard]] bool protect(std::uint8_t* bytes, std::size_t& size, bool rtcp) {
    return may_send_ && senders_.back().context.protect(bytes, size, rtcp);
  }
  [[nodiscard]] SrtpContext::Verdict unprotect(Time now, std::span<std::uint8_t>& bytes, bool rtcp);

 private:
  struct Keyed {
    sdp::Suite suite;
    sdp::MasterKey key;
    SrtpContext context;
  };
  void send_with(const Srtp& agreed, std::uint32_t ssrc);
  void receive_with(const Srtp& agreed);

  Srtp agreed_;
  // In both the last one is in use. The others were, for other answers to one offer: whoever comes back to a
  // key goes on where it was, or a number would be used twice, or a packet taken twice.
  std::vector<Keyed> senders_, receivers_;
  // Keys that have been used and whose numbers are forgotten: the first octets of each.
  std::vector<std::uint64_t> spent_;
  bool may_send_ = true;
  Time before_until_ = Time::min();  // so long the party's previous key is taken too
};

}  // namespace baton::media
