#include "media/relay/srtp.h"

#include <arpa/inet.h>
#include <srtp2/srtp.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <utility>

#include "base/assert.h"
#include "media/relay/rtp.h"

namespace baton::media {
namespace {

static_assert(srtp_trailer_bytes_max >= SRTP_MAX_TRAILER_LEN + 4);

// RFC 3711 3.3.2 wants 64 at least; a burst of what was held up is longer.
constexpr unsigned long replay_window = 512;
// A party that was told of a new key may take as long as its 2xx or ACK is repeated to use it.
constexpr Duration old_key_life = 4s;
// Of a party that holds the key. Who changes its SSRC more often loses the oldest, with what kept replays of
// it away.
constexpr std::size_t sources_max = 64;
constexpr std::size_t senders_max = 8;
constexpr std::size_t copied_bytes_max = 2'048;
constexpr std::size_t rtcp_bytes_min = 8;

void start_library() {
  static const bool started = ::srtp_init() == srtp_err_status_ok;
  BATON_ASSERT(started);
}

void set_suite(sdp::Suite suite, srtp_policy_t& policy) {
  switch (suite) {
    case sdp::Suite::aes_cm_128_hmac_sha1_80:
      ::srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtp);
      ::srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtcp);
      return;
    case sdp::Suite::aes_cm_128_hmac_sha1_32:
      // SRTCP keeps the long tag (RFC 4568 6.2.2).
      ::srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32(&policy.rtp);
      ::srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtcp);
      return;
    case sdp::Suite::aead_aes_128_gcm:
      ::srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
      ::srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp);
      return;
    case sdp::Suite::aead_aes_256_gcm:
      ::srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtp);
      ::srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtcp);
      return;
  }
}

srtp_t open_session(sdp::Suite suite, const sdp::MasterKey& key, srtp_ssrc_t ssrc) {
  start_library();
  BATON_ASSERT(key.size == sdp::master_bytes(suite));
  std::array<unsigned char, SRTP_MAX_KEY_LEN> bytes{};
  std::copy_n(key.bytes.begin(), key.size, bytes.begin());
  srtp_policy_t policy{};
  set_suite(suite, policy);
  policy.ssrc = ssrc;
  policy.key = bytes.data();
  policy.window_size = replay_window;
  srtp_t session = nullptr;
  BATON_ASSERT(::srtp_create(&session, &policy) == srtp_err_status_ok);
  return session;
}

}  // namespace

void SrtpContext::Closer::operator()(srtp_ctx_t_* session) const {
  static_cast<void>(::srtp_dealloc(session));
}

SrtpContext SrtpContext::sender(sdp::Suite suite, const sdp::MasterKey& key, std::uint32_t ssrc) {
  return SrtpContext(open_session(suite, key, {ssrc_specific, ssrc}));
}

SrtpContext SrtpContext::receiver(sdp::Suite suite, const sdp::MasterKey& key) {
  return SrtpContext(open_session(suite, key, {ssrc_any_inbound, 0}));
}

bool SrtpContext::protect(std::uint8_t* bytes, std::size_t& size, bool rtcp) {
  int length = static_cast<int>(size);
  const auto status = rtcp ? ::srtp_protect_rtcp(session_.get(), bytes, &length)
                           : ::srtp_protect(session_.get(), bytes, &length);
  if (status != srtp_err_status_ok) return false;
  size = static_cast<std::size_t>(length);
  return true;
}

SrtpContext::Verdict SrtpContext::unprotect(std::uint8_t* bytes, std::size_t& size, bool rtcp) {
  // The library looks at the header before it looks at the length.
  if (size < (rtcp ? rtcp_bytes_min : rtp_header_bytes)) return Verdict::forged;
  int length = static_cast<int>(size);
  const std::uint32_t ssrc = load32(bytes + (rtcp ? 4 : 8));
  const auto status = rtcp ? ::srtp_unprotect_rtcp(session_.get(), bytes, &length)
                           : ::srtp_unprotect(session_.get(), bytes, &length);
  if (status == srtp_err_status_replay_fail || status == srtp_err_status_replay_old) return Verdict::replayed;
  if (status != srtp_err_status_ok || length < 0) return Verdict::forged;
  size = static_cast<std::size_t>(length);
  note_source(ssrc);
  return Verdict::good;
}

void SrtpContext::note_source(std::uint32_t ssrc) {
  if (!sources_.empty() && sources_.back() == ssrc) return;
  const auto known = std::find(sources_.begin(), sources_.end(), ssrc);
  if (known != sources_.end()) {
    std::rotate(known, known + 1, sources_.end());
    return;
  }
  if (sources_.size() == sources_max) {
    static_cast<void>(::srtp_remove_stream(session_.get(), htonl(sources_.front())));
    sources_.erase(sources_.begin());
  }
  sources_.push_back(ssrc);
}

SrtpEndpoint::SrtpEndpoint(const Srtp& agreed, std::uint32_t ssrc)
    : agreed_(agreed), in_(SrtpContext::receiver(agreed.suite, agreed.theirs)) {
  send_with(agreed, ssrc);
}

void SrtpEndpoint::send_with(const Srtp& agreed, std::uint32_t ssrc) {
  const auto known = std::find_if(senders_.begin(), senders_.end(),
                                  [&](const Sender& sender) { return sender.key == agreed.ours; });
  if (known != senders_.end()) {
    std::rotate(known, known + 1, senders_.end());
    return;
  }
  if (senders_.size() == senders_max) senders_.erase(senders_.begin());
  senders_.push_back({agreed.ours, SrtpContext::sender(agreed.suite, agreed.ours, ssrc)});
}

void SrtpEndpoint::agree(Time now, const Srtp& agreed, std::uint32_t ssrc) {
  if (agreed.ours != agreed_.ours) send_with(agreed, ssrc);
  if (agreed.suite != agreed_.suite || agreed.theirs != agreed_.theirs) {
    // Back to the key before: it goes on where it was, or what was recorded under it could be played again.
    const bool back =
        before_ && agreed.suite == before_agreed_.suite && agreed.theirs == before_agreed_.theirs;
    SrtpContext next = back ? std::move(*before_) : SrtpContext::receiver(agreed.suite, agreed.theirs);
    before_ = std::exchange(in_, std::move(next));
    before_agreed_ = agreed_;
    before_until_ = now + old_key_life;
  }
  agreed_ = agreed;
}

SrtpContext::Verdict SrtpEndpoint::unprotect(Time now, std::span<std::uint8_t>& bytes, bool rtcp) {
  std::size_t size = bytes.size();
  if (before_ && now > before_until_) before_.reset();
  // What fails under one key may be ruined for the other.
  std::array<std::uint8_t, copied_bytes_max> copy;
  if (before_ && size <= copy.size()) std::memcpy(copy.data(), bytes.data(), size);
  SrtpContext::Verdict verdict = in_.unprotect(bytes.data(), size, rtcp);
  if (verdict == SrtpContext::Verdict::forged && before_ && bytes.size() <= copy.size()) {
    size = bytes.size();
    std::memcpy(bytes.data(), copy.data(), size);
    verdict = before_->unprotect(bytes.data(), size, rtcp);
  }
  if (verdict == SrtpContext::Verdict::good) bytes = bytes.first(size);
  return verdict;
}

}  // namespace baton::media
