// Which packets of one sender there have been: the index of a packet from its sequence number (RFC 3711
// 3.3.1) and protection against replays (3.3.2).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace baton::media {

class PacketIndices {
 public:
  // RFC 3711 3.3.2 wants 64 at least; a burst of what was held up is longer.
  static constexpr std::uint64_t window = 512;

  // The index an RTP packet most likely has: roll-over counter and sequence number together.
  [[nodiscard]] std::uint64_t estimate(std::uint16_t sequence) const;

  // False: it has been here, or is so old that this is not known.
  [[nodiscard]] bool is_new(std::uint64_t index) const;
  // Only what is known to be the sender's.
  void add(std::uint64_t index);

 private:
  static constexpr std::size_t word_bits = 64;
  [[nodiscard]] std::uint64_t& word(std::uint64_t index) { return seen_[index % window / word_bits]; }
  [[nodiscard]] static std::uint64_t bit(std::uint64_t index) {
    return std::uint64_t{1} << (index % word_bits);
  }

  bool started_ = false;
  std::uint64_t highest_ = 0;
  std::array<std::uint64_t, window / word_bits> seen_{};  // a ring: by the low bits of the index
};

}  // namespace baton::media
