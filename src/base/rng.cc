#include "base/rng.h"

#include <array>
#include <bit>

#include "base/assert.h"

namespace baton {

namespace {

// One step of splitmix64: the two halves of the key must not look alike, whatever the seed.
std::uint64_t stretch(std::uint64_t seed, std::uint64_t step) {
  std::uint64_t z = seed + step * 0x9e3779b97f4a7c15ULL;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

}  // namespace

Rng::Rng(std::uint64_t seed) : secret_(stretch(seed, 1), stretch(seed, 2)) {}

std::uint64_t Rng::next() {
  const auto count = std::bit_cast<std::array<char, sizeof drawn_>>(++drawn_);
  return secret_.hash({count.data(), count.size()});
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

void Rng::append_token(std::string& to, std::size_t length) {
  static constexpr char alphabet[] = "abcdefghijklmnopqrstuvwxyz0123456789";
  // Ten from one draw: 36^10 is so far below 2^64 that the remainder prefers no letter that anyone could
  // tell.
  constexpr std::size_t letters_a_draw = 10;
  std::uint64_t drawn = 0;
  for (std::size_t i = 0; i < length; ++i) {
    if (i % letters_a_draw == 0) drawn = next();
    to += alphabet[drawn % 36];
    drawn /= 36;
  }
}

std::string Rng::token(std::size_t length) {
  std::string text;
  append_token(text, length);
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
