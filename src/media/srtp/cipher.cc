#include "media/srtp/cipher.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <algorithm>

#include "base/assert.h"
#include "media/relay/rtp.h"

namespace baton::media {
namespace {

constexpr std::uint8_t gcm_tag_bytes = 16;

const EVP_CIPHER* cipher_of(sdp::Suite suite) {
  switch (suite) {
    case sdp::Suite::aead_aes_256_gcm:
      return ::EVP_aes_256_gcm();
    case sdp::Suite::aead_aes_128_gcm:
      return ::EVP_aes_128_gcm();
    case sdp::Suite::aes_cm_128_hmac_sha1_80:
    case sdp::Suite::aes_cm_128_hmac_sha1_32:
      break;
  }
  return ::EVP_aes_128_ctr();
}

std::uint8_t tag_bytes_of(sdp::Suite suite, bool rtcp) {
  if (is_gcm(suite)) return gcm_tag_bytes;
  // SRTCP keeps the long tag (RFC 4568 6.2.2).
  return suite == sdp::Suite::aes_cm_128_hmac_sha1_32 && !rtcp ? 4 : 10;
}

}  // namespace

void SrtpCipher::Free::operator()(EVP_CIPHER_CTX* context) const {
  ::EVP_CIPHER_CTX_free(context);
}

SrtpCipher::SrtpCipher(sdp::Suite suite, const SrtpKeys& keys, bool rtcp, Direction direction)
    : context_(::EVP_CIPHER_CTX_new()),
      hmac_(keys.authentication),
      salt_(keys.salt),
      tag_bytes_(tag_bytes_of(suite, rtcp)),
      gcm_(is_gcm(suite)),
      rtcp_(rtcp) {
  BATON_ASSERT(context_);
  BATON_ASSERT(::EVP_CipherInit_ex(context_.get(), cipher_of(suite), nullptr, keys.cipher.data(), nullptr,
                                   direction == Direction::encrypt ? 1 : 0) == 1);
}

// The key stays, the initialisation vector follows from who sends and the index (RFC 3711 4.1.1, RFC 7714 8.1
// and 9.1): the salt, with both in it.
void SrtpCipher::start(const SrtpPacket& packet) {
  std::array<std::uint8_t, 16> vector{};
  std::copy(salt_.begin(), salt_.end(), vector.begin());
  std::uint8_t* at = vector.data() + (gcm_ ? 2 : 4);
  store32(at, load32(at) ^ packet.ssrc);
  store16(at + 4, load16(at + 4) ^ static_cast<std::uint32_t>(packet.index >> 32));
  store32(at + 6, load32(at + 6) ^ static_cast<std::uint32_t>(packet.index));
  BATON_ASSERT(::EVP_CipherInit_ex(context_.get(), nullptr, nullptr, nullptr, vector.data(), -1) == 1);
}

void SrtpCipher::apply(const SrtpPacket& packet) {
  if (packet.size == packet.clear) return;
  std::uint8_t* secret = packet.bytes + packet.clear;
  int length = 0;
  BATON_ASSERT(::EVP_CipherUpdate(context_.get(), secret, &length, secret,
                                  static_cast<int>(packet.size - packet.clear)) == 1);
}

void SrtpCipher::add_signed(const SrtpPacket& packet) {
  int length = 0;
  BATON_ASSERT(::EVP_CipherUpdate(context_.get(), nullptr, &length, packet.bytes,
                                  static_cast<int>(packet.clear)) == 1);
  if (!rtcp_) return;  // the roll-over counter is in the vector
  std::array<std::uint8_t, 4> word;
  store32(word.data(), packet.signed_behind);
  BATON_ASSERT(::EVP_CipherUpdate(context_.get(), nullptr, &length, word.data(), 4) == 1);
}

void SrtpCipher::encrypt(const SrtpPacket& packet, std::uint8_t* tag) {
  start(packet);
  if (gcm_) {
    add_signed(packet);
    apply(packet);
    int length = 0;
    BATON_ASSERT(::EVP_CipherFinal_ex(context_.get(), nullptr, &length) == 1);
    BATON_ASSERT(::EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_GET_TAG, gcm_tag_bytes, tag) == 1);
    return;
  }
  apply(packet);
  const auto digest = hmac_.of({packet.bytes, packet.size}, packet.signed_behind);
  std::copy_n(digest.begin(), tag_bytes_, tag);
}

bool SrtpCipher::decrypt(const SrtpPacket& packet, std::uint8_t* tag) {
  if (!gcm_) {
    const auto digest = hmac_.of({packet.bytes, packet.size}, packet.signed_behind);
    if (::CRYPTO_memcmp(digest.data(), tag, tag_bytes_) != 0) return false;
    start(packet);
    apply(packet);
    return true;
  }
  start(packet);
  BATON_ASSERT(::EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_SET_TAG, gcm_tag_bytes, tag) == 1);
  add_signed(packet);
  apply(packet);
  int length = 0;
  if (::EVP_CipherFinal_ex(context_.get(), nullptr, &length) == 1) return true;
  ::ERR_clear_error();  // or a TLS connection of the same thread takes it for its own
  return false;
}

}  // namespace baton::media
