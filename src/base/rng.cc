#include "base/rng.h"

#include <bit>

#include "base/assert.h"

namespace baton {

Rng::Rng(std::uint64_t seed) {
  for (auto& word : state_) {
    seed += 0x9e3779b97f4a7c15ULL;
    std::uint64_t z = seed;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    word = z ^ (z >> 31);
  }
}

std::uint64_t Rng::next() {
  const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const std::uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

std::uint64_t Rng::below(std::uint64_t bound) {
  BATON_ASSERT(bound != 0);
  // Rejection keeps it uniform; the threshold is 2^64 mod bound.
  const std::uint64_t threshold = (0 - bound) % bound;
  for (;;) {
    const std::uint64_t value = next();
    if (value >= threshold) return value % bound;
  }
}

std::int64_t Rng::between(std::int64_t low, std::int64_t high) {
  BATON_ASSERT(low <= high);
  // Without sign, because high - low may not fit.
  const auto start = static_cast<std::uint64_t>(low);
  const std::uint64_t count = static_cast<std::uint64_t>(high) - start + 1;
  return static_cast<std::int64_t>(start + (count == 0 ? next() : below(count)));
}

bool Rng::chance(std::uint64_t numerator, std::uint64_t denominator) {
  return below(denominator) < numerator;
}

std::string Rng::token(std::size_t length) {
  static constexpr char alphabet[] = "abcdefghijklmnopqrstuvwxyz0123456789";
  // Ten from one draw: 36^10 is so far below 2^64 that the remainder prefers no letter that anyone could
  // tell.
  constexpr std::size_t letters_a_draw = 10;
  std::string text(length, ' ');
  std::uint64_t drawn = 0;
  for (std::size_t i = 0; i < length; ++i) {
    if (i % letters_a_draw == 0) drawn = next();
    text[i] = alphabet[drawn % 36];
    drawn /= 36;
  }
  return text;
}

std::string Rng::uuid() {
  static constexpr char hex[] = "0123456789abcdef";
  std::string text = "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx";
  std::uint64_t drawn = 0;
  unsigned left = 0;
  for (auto& c : text) {
    if (c != 'x' && c != 'y') continue;
    if (left-- == 0) {
      drawn = next();
      left = 15;
    }
    c = hex[c == 'x' ? drawn & 15 : 8 + (drawn & 3)];
    drawn >>= 4;
  }
  return text;
}

}  // namespace baton
