// libsrtp2 in one direction: another's SRTP, which what we send is read by, and which sends what we read.
#pragma once

#include <gtest/gtest.h>
#include <srtp2/srtp.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sdp/crypto.h"

namespace baton::media::test {

using Bytes = std::vector<std::uint8_t>;

inline sdp::MasterKey key_of(sdp::Suite suite, unsigned seed) {
  return sdp::derive_key("a secret of these tests, and of nobody else", std::to_string(seed), suite);
}

inline void set_suite(sdp::Suite suite, srtp_policy_t& policy) {
  switch (suite) {
    case sdp::Suite::aead_aes_256_gcm:
      srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtp);
      break;
    case sdp::Suite::aead_aes_128_gcm:
      srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
      break;
    default:
      srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtp);
  }
  policy.rtcp = policy.rtp;
  if (suite == sdp::Suite::aes_cm_128_hmac_sha1_32) {
    srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32(&policy.rtp);
  }
}

class Session {
 public:
  Session(sdp::Suite suite, const sdp::MasterKey& key, srtp_ssrc_type_t type) {
    static const auto started = srtp_init();
    EXPECT_EQ(started, srtp_err_status_ok);
    Bytes bytes(key.bytes.begin(), key.bytes.end());
    bytes.resize(SRTP_MAX_KEY_LEN);
    srtp_policy_t policy{};
    set_suite(suite, policy);
    policy.ssrc.type = type;
    policy.key = bytes.data();
    srtp_t session = nullptr;
    EXPECT_EQ(srtp_create(&session, &policy), srtp_err_status_ok);
    session_.reset(session);
  }

  [[nodiscard]] Bytes sealed(Bytes packet, bool rtcp = false) const {
    int length = static_cast<int>(packet.size());
    packet.resize(packet.size() + SRTP_MAX_TRAILER_LEN + 4);
    EXPECT_EQ((rtcp ? srtp_protect_rtcp : srtp_protect)(session_.get(), packet.data(), &length),
              srtp_err_status_ok);
    packet.resize(static_cast<std::size_t>(length));
    return packet;
  }
  [[nodiscard]] std::optional<Bytes> opened(Bytes packet, bool rtcp = false) const {
    int length = static_cast<int>(packet.size());
    const auto status = (rtcp ? srtp_unprotect_rtcp : srtp_unprotect)(session_.get(), packet.data(), &length);
    if (status != srtp_err_status_ok) return std::nullopt;
    packet.resize(static_cast<std::size_t>(length));
    return packet;
  }

 private:
  struct Closer {
    void operator()(srtp_ctx_t* session) const { srtp_dealloc(session); }
  };
  std::unique_ptr<srtp_ctx_t, Closer> session_;
};

}  // namespace baton::media::test
