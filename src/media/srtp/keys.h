// Session keys of SRTP and SRTCP (RFC 3711 4.3; for AES-256 RFC 6188 3, for GCM RFC 7714 11).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "sdp/crypto.h"

namespace baton::media {

struct SrtpKeys {
  std::array<std::uint8_t, 32> cipher{};
  std::size_t cipher_bytes = 0;
  std::array<std::uint8_t, 14> salt{};  // GCM takes the first twelve
  std::array<std::uint8_t, 20> authentication{};
};

// `master` is as long as the suite wants it. The key derivation rate is zero: one set of keys for the life of
// the master key, which is what a crypto attribute without KDR asks for (RFC 4568 6.3.1).
[[nodiscard]] SrtpKeys derive_srtp_keys(sdp::Suite suite, const sdp::MasterKey& master, bool rtcp);

// The function it derives with (RFC 3711 4.3.3): fills `out` with what `key` and `salt` give under a label. A
// key has 16 or 32 octets, a salt at most 14; what it lacks is taken for zeros on its right.
void srtp_prf(std::span<const std::uint8_t> key, std::span<const std::uint8_t> salt, std::uint8_t label,
              std::span<std::uint8_t> out);

[[nodiscard]] constexpr bool is_gcm(sdp::Suite suite) {
  return suite == sdp::Suite::aead_aes_128_gcm || suite == sdp::Suite::aead_aes_256_gcm;
}

}  // namespace baton::media
