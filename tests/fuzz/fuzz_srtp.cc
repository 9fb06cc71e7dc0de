// SRTP: bytes from a stranger are never taken, a packet that was sealed opens again to what it was, whatever
// is in it and however many before it were lost or turned round.
#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "base/assert.h"
#include "media/relay/rtp.h"
#include "media/srtp/context.h"

namespace {

using baton::media::SrtpContext;
using Bytes = std::vector<std::uint8_t>;

constexpr std::uint32_t ssrc = 0x0102'0304;

SrtpContext::Verdict open(SrtpContext& context, Bytes& bytes, bool rtcp) {
  std::size_t size = bytes.size();
  const auto verdict = context.unprotect(bytes.data(), size, rtcp);
  BATON_ASSERT(size <= bytes.size());
  bytes.resize(size);
  return verdict;
}

bool seal(SrtpContext& context, Bytes& bytes, bool rtcp) {
  std::size_t size = bytes.size();
  bytes.resize(size + baton::media::srtp_trailer_bytes_max);
  const bool sealed = context.protect(bytes.data(), size, rtcp);
  bytes.resize(size);
  return sealed;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size < 4) return 0;
  const auto suite = baton::sdp::all_suites[data[0] % baton::sdp::all_suites.size()];
  const auto key = baton::sdp::derive_key("thirty-two octets that nobody guesses", "fuzz", suite);
  auto sender = SrtpContext::sender(suite, key, ssrc);
  auto receiver = SrtpContext::receiver(suite, key);
  // Each step: how far the number goes on, how many octets, and these.
  std::uint32_t number = data[1];
  for (std::size_t at = 2; at + 2 <= size;) {
    const bool rtcp = (data[at + 1] & 1) != 0;
    if (!rtcp) number += data[at] * 100U + 1;
    const std::size_t count = std::min<std::size_t>(data[at + 1], size - at - 2);
    Bytes stranger(data + at + 2, data + at + 2 + count);
    at += 2 + count;
    Bytes packet = stranger;
    BATON_ASSERT(open(receiver, stranger, rtcp) != SrtpContext::Verdict::good);
    packet.insert(packet.begin(), rtcp ? 8 : 12, 0);
    if (rtcp) {
      baton::media::store32(packet.data() + 4, ssrc);
    } else {
      baton::media::write_rtp_header({false, 0, static_cast<std::uint16_t>(number), number, ssrc},
                                     packet.data());
    }
    Bytes sealed = packet;
    BATON_ASSERT(seal(sender, sealed, rtcp));
    Bytes bent = sealed;
    bent[count % bent.size()] ^= 0x10;
    BATON_ASSERT(open(receiver, bent, rtcp) != SrtpContext::Verdict::good);
    Bytes again = sealed;
    BATON_ASSERT(open(receiver, sealed, rtcp) == SrtpContext::Verdict::good && sealed == packet);
    BATON_ASSERT(open(receiver, again, rtcp) == SrtpContext::Verdict::replayed);
  }
  return 0;
}
