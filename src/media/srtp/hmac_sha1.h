// HMAC-SHA1 (RFC 2104) under one key, for packets: what the key amounts to is computed once.
#pragma once

#include <openssl/sha.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace baton::media {

class HmacSha1 {
 public:
  static constexpr std::size_t bytes = 20;

  // `key` is no longer than a block, 64 octets.
  explicit HmacSha1(std::span<const std::uint8_t> key);

  // Of `message` and the four octets of `word` behind it.
  [[nodiscard]] std::array<std::uint8_t, bytes> of(std::span<const std::uint8_t> message,
                                                   std::uint32_t word) const;

 private:
  SHA_CTX inner_, outer_;  // after the first block each
};

}  // namespace baton::media
