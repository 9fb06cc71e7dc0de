// What a suite does to one packet whose index is known: AES in counter mode with HMAC-SHA1 (RFC 3711 4.1.1,
// 4.2) or AES-GCM (RFC 7714), by libcrypto. RTP and RTCP have each their own keys.
#pragma once

#include <openssl/types.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "media/srtp/hmac_sha1.h"
#include "media/srtp/keys.h"

namespace baton::media {

struct SrtpPacket {
  std::uint8_t* bytes;          // changed in place
  std::size_t clear;            // the first of them stay readable
  std::size_t size;             // of the packet alone
  std::uint32_t ssrc;           // of its sender
  std::uint64_t index;          // of RTP 48 bits, of RTCP 31 (RFC 3711 3.3.1, 3.4)
  std::uint32_t signed_behind;  // the roll-over counter, or with RTCP the word that goes along with it
};

class SrtpCipher {
 public:
  enum class Direction : std::uint8_t { encrypt, decrypt };

  SrtpCipher(sdp::Suite suite, const SrtpKeys& keys, bool rtcp, Direction direction);

  [[nodiscard]] std::size_t tag_bytes() const { return tag_bytes_; }

  // Writes the tag.
  void encrypt(const SrtpPacket& packet, std::uint8_t* tag);
  // False: the tag does not fit, and what is in the packet now is of no use.
  [[nodiscard]] bool decrypt(const SrtpPacket& packet, std::uint8_t* tag);

 private:
  struct Free {
    void operator()(EVP_CIPHER_CTX* context) const;
  };
  void start(const SrtpPacket& packet);
  void apply(const SrtpPacket& packet);
  void add_signed(const SrtpPacket& packet);

  std::unique_ptr<EVP_CIPHER_CTX, Free> context_;
  HmacSha1 hmac_;
  std::array<std::uint8_t, 14> salt_;
  std::uint8_t tag_bytes_;
  bool gcm_, rtcp_;
};

}  // namespace baton::media
