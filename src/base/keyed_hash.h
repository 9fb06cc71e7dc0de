// SipHash-2-4: a hash table or a dispatcher keyed by text from peers uses it, so that nobody who does not
// know the key can aim for one bucket or one shard.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace baton {

class Rng;

// So many bits that no two texts share them: it stands for the text, where that itself is not needed.
struct WideHash {
  std::uint64_t low = 0, high = 0;
  bool operator==(const WideHash&) const = default;
};

class KeyedHash {
 public:
  [[nodiscard]] static KeyedHash drawn(Rng& rng);
  KeyedHash(std::uint64_t key_low, std::uint64_t key_high) : key_low_(key_low), key_high_(key_high) {}

  [[nodiscard]] std::uint64_t hash(std::string_view text) const;
  [[nodiscard]] WideHash wide(std::string_view text) const;  // SipHash-2-4 with 128 bits of output
  // For the standard containers.
  using is_transparent = void;
  [[nodiscard]] std::size_t operator()(std::string_view text) const {
    return static_cast<std::size_t>(hash(text));
  }

 private:
  std::uint64_t key_low_;
  std::uint64_t key_high_;
};

}  // namespace baton
