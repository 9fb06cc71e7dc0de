#include "secrecy.h"

#include <srtp2/srtp.h>

namespace baton::audio {
namespace {

using sdp::Suite;

void set_suite(Suite suite, srtp_policy_t& policy) {
  switch (suite) {
    case Suite::aes_cm_128_hmac_sha1_80:
      srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtp);
      break;
    case Suite::aes_cm_128_hmac_sha1_32:
      srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32(&policy.rtp);
      break;
    case Suite::aead_aes_128_gcm:
      srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
      break;
    case Suite::aead_aes_256_gcm:
      srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtp);
      break;
  }
  policy.rtcp = policy.rtp;
}

struct Closer {
  void operator()(srtp_ctx_t* session) const { srtp_dealloc(session); }
};
using Session = std::unique_ptr<srtp_ctx_t, Closer>;

Session session_of(Suite suite, const sdp::MasterKey& key, srtp_ssrc_type_t direction) {
  static const bool started = srtp_init() == srtp_err_status_ok;
  if (!started) return nullptr;
  std::vector<std::uint8_t> bytes(key.bytes.begin(), key.bytes.end());
  bytes.resize(SRTP_MAX_KEY_LEN);
  srtp_policy_t policy{};
  set_suite(suite, policy);
  policy.ssrc.type = direction;
  policy.key = bytes.data();
  srtp_t session = nullptr;
  if (srtp_create(&session, &policy) != srtp_err_status_ok) return nullptr;
  return Session(session);
}

}  // namespace

struct Secrecy::Sessions {
  Session out, in;
};

Secrecy::Secrecy() = default;
Secrecy::~Secrecy() = default;

void Secrecy::agree(const std::optional<media::Srtp>& srtp) {
  if (srtp == srtp_) return;
  const bool same_key = srtp && srtp_ && srtp->suite == srtp_->suite && srtp->ours == srtp_->ours;
  srtp_ = srtp;
  if (!srtp) return sessions_.reset();
  // Its roll-over counter goes on with its key.
  Session out = same_key ? std::move(sessions_->out) : session_of(srtp->suite, srtp->ours, ssrc_any_outbound);
  sessions_ = std::make_unique<Sessions>(
      Sessions{std::move(out), session_of(srtp->suite, srtp->theirs, ssrc_any_inbound)});
}

bool Secrecy::seal(std::vector<std::uint8_t>& datagram) {
  if (!sessions_) return true;
  int length = static_cast<int>(datagram.size());
  datagram.resize(datagram.size() + SRTP_MAX_TRAILER_LEN);
  const bool sealed = srtp_protect(sessions_->out.get(), datagram.data(), &length) == srtp_err_status_ok;
  datagram.resize(static_cast<std::size_t>(length));
  return sealed;
}

bool Secrecy::open(std::vector<std::uint8_t>& datagram) {
  if (!sessions_) return true;
  int length = static_cast<int>(datagram.size());
  const bool fits = srtp_unprotect(sessions_->in.get(), datagram.data(), &length) == srtp_err_status_ok;
  datagram.resize(static_cast<std::size_t>(length));
  return fits;
}

}  // namespace baton::audio
