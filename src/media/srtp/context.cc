#include "media/srtp/context.h"

#include <algorithm>
#include <optional>
#include <span>

#include "base/assert.h"
#include "media/relay/rtp.h"

namespace baton::media {
namespace {

// Of a party that holds the key. Who changes its SSRC more often loses the oldest, with what kept replays of
// it away.
constexpr std::size_t sources_max = 64;
constexpr std::uint64_t rtp_indices = std::uint64_t{1} << 48;
constexpr std::uint32_t rtcp_indices = std::uint32_t{1} << 31;
constexpr std::uint32_t encrypted_flag = std::uint32_t{1} << 31;
constexpr std::size_t rtcp_clear_bytes = 8;  // RFC 3711 3.4
constexpr std::size_t rtcp_word_bytes = 4;

// The header with all that belongs to it, which is not encrypted.
std::optional<std::size_t> rtp_clear_bytes(std::span<const std::uint8_t> bytes) {
  if (bytes.size() < rtp_header_bytes) return std::nullopt;
  std::size_t clear = rtp_header_bytes + 4U * (bytes[0] & 0x0fU);
  if ((bytes[0] & 0x10) != 0) {
    if (bytes.size() < clear + 4) return std::nullopt;
    clear += 4 + std::size_t{4} * load16(bytes.data() + clear + 2);
  }
  if (bytes.size() < clear) return std::nullopt;
  return clear;
}

}  // namespace

SrtpContext::SrtpContext(sdp::Suite suite, const sdp::MasterKey& key, SrtpCipher::Direction direction)
    : gcm_(is_gcm(suite)),
      rtp_(suite, derive_srtp_keys(suite, key, false), false, direction),
      rtcp_(suite, derive_srtp_keys(suite, key, true), true, direction) {}

SrtpContext SrtpContext::sender(sdp::Suite suite, const sdp::MasterKey& key, std::uint32_t ssrc) {
  SrtpContext context(suite, key, SrtpCipher::Direction::encrypt);
  context.sources_.push_back({ssrc});
  return context;
}

SrtpContext SrtpContext::receiver(sdp::Suite suite, const sdp::MasterKey& key) {
  return {suite, key, SrtpCipher::Direction::decrypt};
}

bool SrtpContext::protect(std::uint8_t* bytes, std::size_t& size, bool rtcp) {
  Source& own = sources_.back();
  if (rtcp) {
    BATON_ASSERT(size >= rtcp_clear_bytes && load32(bytes + 4) == own.ssrc);
    if (next_rtcp_ == rtcp_indices) return false;
    const std::uint32_t word = encrypted_flag | next_rtcp_;
    std::uint8_t* const end = bytes + size;
    rtcp_.encrypt({bytes, rtcp_clear_bytes, size, own.ssrc, next_rtcp_, word},
                  gcm_ ? end : end + rtcp_word_bytes);
    store32(gcm_ ? end + rtcp_.tag_bytes() : end, word);
    ++next_rtcp_;
    size += rtcp_.tag_bytes() + rtcp_word_bytes;
    return true;
  }
  const auto clear = rtp_clear_bytes({bytes, size});
  BATON_ASSERT(clear && load32(bytes + 8) == own.ssrc);
  const std::uint64_t index = own.rtp.estimate(load16(bytes + 2));
  if (index >= rtp_indices || !own.rtp.is_new(index)) return false;
  own.rtp.add(index);
  rtp_.encrypt({bytes, *clear, size, own.ssrc, index, static_cast<std::uint32_t>(index >> 16)}, bytes + size);
  size += rtp_.tag_bytes();
  return true;
}

SrtpContext::Verdict SrtpContext::unprotect(std::uint8_t* bytes, std::size_t& size, bool rtcp) {
  return rtcp ? unprotect_rtcp(bytes, size) : unprotect_rtp(bytes, size);
}

SrtpContext::Verdict SrtpContext::unprotect_rtp(std::uint8_t* bytes, std::size_t& size) {
  if (size < rtp_.tag_bytes()) return Verdict::forged;
  const std::size_t inside = size - rtp_.tag_bytes();
  const auto clear = rtp_clear_bytes({bytes, inside});
  if (!clear) return Verdict::forged;
  const std::uint32_t ssrc = load32(bytes + 8);
  const std::uint16_t sequence = load16(bytes + 2);
  const Source* known = find(ssrc);
  const std::uint64_t index = known != nullptr ? known->rtp.estimate(sequence) : sequence;
  if (index >= rtp_indices || (known != nullptr && !known->rtp.is_new(index))) return Verdict::replayed;
  const auto turns = static_cast<std::uint32_t>(index >> 16);
  if (!rtp_.decrypt({bytes, *clear, inside, ssrc, index, turns}, bytes + inside)) return Verdict::forged;
  keep(ssrc).rtp.add(index);
  size = inside;
  return Verdict::good;
}

SrtpContext::Verdict SrtpContext::unprotect_rtcp(std::uint8_t* bytes, std::size_t& size) {
  if (size < rtcp_clear_bytes + rtcp_word_bytes + rtcp_.tag_bytes()) return Verdict::forged;
  const std::size_t inside = size - rtcp_word_bytes - rtcp_.tag_bytes();
  // The tag is the end of what GCM encrypts (RFC 7714 9.2), otherwise of the packet.
  std::uint8_t* const word_at = bytes + (gcm_ ? inside + rtcp_.tag_bytes() : inside);
  std::uint8_t* const tag = bytes + (gcm_ ? inside : inside + rtcp_word_bytes);
  const std::uint32_t word = load32(word_at);
  // UNENCRYPTED_SRTCP (RFC 4568 6.3.2) is never agreed on.
  if ((word & encrypted_flag) == 0) return Verdict::forged;
  const std::uint32_t index = word & ~encrypted_flag;
  const std::uint32_t ssrc = load32(bytes + 4);
  const Source* known = find(ssrc);
  if (known != nullptr && !known->rtcp.is_new(index)) return Verdict::replayed;
  if (!rtcp_.decrypt({bytes, rtcp_clear_bytes, inside, ssrc, index, word}, tag)) return Verdict::forged;
  keep(ssrc).rtcp.add(index);
  size = inside;
  return Verdict::good;
}

SrtpContext::Source* SrtpContext::find(std::uint32_t ssrc) {
  if (!sources_.empty() && sources_.back().ssrc == ssrc) return &sources_.back();
  const auto known = std::find_if(sources_.begin(), sources_.end(),
                                  [&](const Source& source) { return source.ssrc == ssrc; });
  return known == sources_.end() ? nullptr : &*known;
}

// Of a sender that has shown that it has the key.
SrtpContext::Source& SrtpContext::keep(std::uint32_t ssrc) {
  if (Source* known = find(ssrc)) {
    const auto at = sources_.begin() + (known - sources_.data());
    if (known != &sources_.back()) std::rotate(at, at + 1, sources_.end());
  } else {
    if (sources_.size() == sources_max) sources_.erase(sources_.begin());
    sources_.push_back({ssrc});
  }
  return sources_.back();
}

}  // namespace baton::media
