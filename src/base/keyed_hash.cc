#include "base/keyed_hash.h"

#include <bit>
#include <cstring>

#include "base/rng.h"

namespace baton {
namespace {

std::uint64_t little_endian(std::string_view text) {
  std::uint64_t word = 0;
  if (std::endian::native == std::endian::little && text.size() == sizeof word) {
    std::memcpy(&word, text.data(), sizeof word);
    return word;
  }
  for (std::size_t i = text.size(); i > 0; --i) word = (word << 8) | static_cast<std::uint8_t>(text[i - 1]);
  return word;
}

struct SipState {
  std::uint64_t a, b, c, d;

  // The constants spell "somepseudorandomlygeneratedbytes".
  SipState(std::uint64_t key_low, std::uint64_t key_high)
      : a(key_low ^ 0x736f6d6570736575ULL),
        b(key_high ^ 0x646f72616e646f6dULL),
        c(key_low ^ 0x6c7967656e657261ULL),
        d(key_high ^ 0x7465646279746573ULL) {}

  void round() {
    a += b;
    c += d;
    b = std::rotl(b, 13) ^ a;
    d = std::rotl(d, 16) ^ c;
    a = std::rotl(a, 32);
    a += d;
    c += b;
    d = std::rotl(d, 21) ^ a;
    b = std::rotl(b, 17) ^ c;
    c = std::rotl(c, 32);
  }

  void absorb(std::uint64_t word) {
    d ^= word;
    round();
    round();
    a ^= word;
  }

  // The whole text, with its length.
  void absorb_all(std::string_view text) {
    const std::uint64_t length = std::uint64_t{text.size()} << 56;
    while (text.size() >= 8) {
      absorb(little_endian(text.substr(0, 8)));
      text.remove_prefix(8);
    }
    absorb(length | little_endian(text));
  }

  std::uint64_t finish(std::uint64_t mark) {
    c ^= mark;
    for (int i = 0; i < 4; ++i) round();
    return a ^ b ^ c ^ d;
  }
};

}  // namespace

KeyedHash KeyedHash::drawn(Rng& rng) {
  const std::uint64_t low = rng.next();
  const std::uint64_t high = rng.next();
  return {low, high};
}

std::uint64_t KeyedHash::hash(std::string_view text) const {
  SipState state(key_low_, key_high_);
  state.absorb_all(text);
  return state.finish(0xff);
}

WideHash KeyedHash::wide(std::string_view text) const {
  SipState state(key_low_, key_high_);
  state.b ^= 0xee;
  state.absorb_all(text);
  WideHash wide;
  wide.low = state.finish(0xee);
  state.b ^= 0xdd;
  wide.high = state.finish(0);
  return wide;
}

}  // namespace baton
