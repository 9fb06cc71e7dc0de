// The digests of EVP can not be put back to a state after the first block without two allocations each time,
// which cost as much as the digest of a packet; those of old can be copied.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "media/srtp/hmac_sha1.h"

#include "base/assert.h"
#include "media/relay/rtp.h"

namespace baton::media {

HmacSha1::HmacSha1(std::span<const std::uint8_t> key) {
  BATON_ASSERT(key.size() <= SHA_CBLOCK);
  for (auto [state, pad] : {std::pair(&inner_, 0x36U), std::pair(&outer_, 0x5cU)}) {
    std::array<std::uint8_t, SHA_CBLOCK> block{};
    for (std::size_t i = 0; i < block.size(); ++i) {
      block[i] = static_cast<std::uint8_t>((i < key.size() ? key[i] : 0U) ^ pad);
    }
    BATON_ASSERT(::SHA1_Init(state) == 1 && ::SHA1_Update(state, block.data(), block.size()) == 1);
  }
}

std::array<std::uint8_t, HmacSha1::bytes> HmacSha1::of(std::span<const std::uint8_t> message,
                                                       std::uint32_t word) const {
  std::array<std::uint8_t, 4> last;
  store32(last.data(), word);
  std::array<std::uint8_t, bytes> digest;
  SHA_CTX state = inner_;
  ::SHA1_Update(&state, message.data(), message.size());
  ::SHA1_Update(&state, last.data(), last.size());
  ::SHA1_Final(digest.data(), &state);
  state = outer_;
  ::SHA1_Update(&state, digest.data(), digest.size());
  ::SHA1_Final(digest.data(), &state);
  return digest;
}

}  // namespace baton::media
