#include "media/srtp/indices.h"

namespace baton::media {

std::uint64_t PacketIndices::estimate(std::uint16_t sequence) const {
  constexpr std::uint16_t half = 0x8000;
  if (!started_) return sequence;
  const auto last = static_cast<std::uint16_t>(highest_);
  std::uint64_t turns = highest_ >> 16;
  if (last < half) {
    // Before the first turn there is nothing that could be late.
    if (sequence > last + half && turns != 0) --turns;
  } else if (sequence < last - half) {
    ++turns;
  }
  return (turns << 16) | sequence;
}

bool PacketIndices::is_new(std::uint64_t index) const {
  if (!started_ || index > highest_) return true;
  return highest_ - index < window && (seen_[index % window / word_bits] & bit(index)) == 0;
}

void PacketIndices::add(std::uint64_t index) {
  if (!started_ || index > highest_) {
    if (!started_ || index - highest_ >= window) {
      seen_.fill(0);
    } else {
      for (std::uint64_t skipped = highest_ + 1; skipped < index; ++skipped) word(skipped) &= ~bit(skipped);
    }
    started_ = true;
    highest_ = index;
  }
  word(index) |= bit(index);
}

}  // namespace baton::media
