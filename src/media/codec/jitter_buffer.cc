#include "media/codec/jitter_buffer.h"

#include <algorithm>

namespace baton::media {
namespace {

constexpr std::uint32_t hold_ms = 10;          // a stream starts, or goes on, so much after its first packet
constexpr std::uint32_t reserve_ms = 10;       // of what is held, this much stays
constexpr std::uint32_t give_back_ms = 10;     // at once
constexpr std::uint32_t grow_ms_max = 40;      // for one late packet
constexpr std::uint32_t backlog_ms_max = 240;  // more is never held
constexpr std::uint32_t gap_ms_max = 120;      // a longer one is not played out to its end
constexpr Duration window = 2s;

std::int32_t distance(std::uint32_t a, std::uint32_t b) {
  return static_cast<std::int32_t>(a - b);
}

std::int32_t distance(std::uint16_t a, std::uint16_t b) {
  return static_cast<std::int16_t>(static_cast<std::uint16_t>(a - b));
}

}  // namespace

void JitterBuffer::restart() {
  for (Slot& one : slots_) one.used = false;
  held_ = 0;
  held_ticks_ = 0;
  started_ = false;
  filled_ = hold_ = grow_ = dry_for_ = surplus_ = 0;
  given_up_ = 0;
  window_since_.reset();
}

void JitterBuffer::begin(const Packet& packet) {
  started_ = true;
  sequence_ = packet.sequence;
  timestamp_ = packet.timestamp;
  filled_ = 0;
}

bool JitterBuffer::put(Time now, const Packet& packet, std::span<const std::uint8_t> payload,
                       Duration needed_in, std::uint32_t waiting) {
  if (!started_) begin(packet);
  const std::int32_t ahead = distance(packet.sequence, sequence_);
  if (ahead < 0 && ahead > -static_cast<std::int32_t>(slots_max)) {
    note_late(packet);
    return false;
  }
  if (ahead >= static_cast<std::int32_t>(slots_max) || ahead < 0) {
    // So far off that what is held belongs to another time.
    restart();
    ++counters_.restarts;
    begin(packet);
  }
  Slot& place = slot(packet.sequence);
  if (place.used) {
    ++counters_.doubled;
    return false;
  }
  place.used = true;
  place.packet = packet;
  place.payload.assign(payload.begin(), payload.end());
  ++held_;
  held_ticks_ += packet.duration;
  dry_for_ = 0;
  note_margin(now, packet, needed_in, waiting);
  drop_backlog();
  return true;
}

void JitterBuffer::release(Slot& slot) {
  slot.used = false;
  --held_;
  held_ticks_ -= slot.packet.duration;
}

// It was given up for lost, so it can not be played; the ones behind it are to have more time.
void JitterBuffer::note_late(const Packet& packet) {
  const auto back = static_cast<unsigned>(-distance(packet.sequence, sequence_) - 1);
  if ((given_up_ >> back & 1) == 0) {
    ++counters_.doubled;
    return;
  }
  given_up_ &= ~(std::uint64_t{1} << back);
  ++counters_.late;
  const std::int32_t late_by = distance(timestamp_ + filled_, packet.timestamp);
  if (late_by > 0) {
    grow_ = std::max(grow_, std::min(static_cast<std::uint32_t>(late_by), ms(grow_ms_max)));
  }
  surplus_ = 0;
  window_since_.reset();
}

// How long the packet will wait. What all packets of a while could have done without is surplus.
void JitterBuffer::note_margin(Time now, const Packet& packet, Duration needed_in, std::uint32_t waiting) {
  if (packet.duration == 0) return;
  const std::int64_t margin = needed_in.count() * static_cast<std::int64_t>(clock_) / 1'000'000 + waiting +
                              distance(packet.timestamp, timestamp_) - std::int64_t{filled_};
  if (!window_since_) {
    window_since_ = now;
    least_margin_ = margin;
    return;
  }
  least_margin_ = std::min(least_margin_, margin);
  if (now - *window_since_ < window) return;
  const std::int64_t spare = least_margin_ - std::int64_t{ms(reserve_ms)};
  surplus_ = spare >= std::int64_t{ms(give_back_ms)} ? ms(give_back_ms) : 0;
  if (spare > std::int64_t{ms(2 * grow_ms_max)}) surplus_ = ms(2 * give_back_ms);
  window_since_.reset();
}

// A burst after a long stop would be heard late for ever: its beginning is dropped.
void JitterBuffer::drop_backlog() {
  while (held_ticks_ > ms(backlog_ms_max)) {
    const auto first = first_held();
    if (!first) return;
    Slot& oldest = slot(*first);
    release(oldest);
    sequence_ = static_cast<std::uint16_t>(*first + 1);
    timestamp_ = oldest.packet.timestamp + oldest.packet.duration;
    filled_ = 0;
    given_up_ = 0;
    ++counters_.lost;
  }
}

std::optional<std::uint16_t> JitterBuffer::first_held() {
  if (held_ == 0) return std::nullopt;
  for (std::size_t ahead = 0; ahead < slots_max; ++ahead) {
    const auto sequence = static_cast<std::uint16_t>(sequence_ + ahead);
    if (slot(sequence).used) return sequence;
  }
  return std::nullopt;
}

JitterBuffer::Step JitterBuffer::missing(std::uint32_t ticks, std::span<const std::uint8_t> next) {
  filled_ += ticks;
  Step step;
  step.what = Step::What::missing;
  step.ticks = ticks;
  step.next = next;
  return step;
}

JitterBuffer::Step JitterBuffer::next(std::uint32_t ticks) {
  if (hold_ > 0) {
    const std::uint32_t part = std::min(ticks, hold_);
    hold_ -= part;
    Step step;
    step.ticks = part;
    return step;
  }
  if (grow_ > 0) {
    const std::uint32_t part = std::min(ticks, grow_);
    grow_ -= part;
    Step step;
    step.what = Step::What::missing;
    step.ticks = part;
    return step;
  }
  const auto first = first_held();
  if (!first) {
    dry_for_ += ticks;
    return missing(ticks);
  }
  dry_for_ = 0;
  Slot& place = slot(*first);
  if (*first == sequence_) return play(place, ticks);

  // Some before it are not there. What has been made up already counts towards them.
  const std::int32_t gap = distance(place.packet.timestamp, timestamp_ + filled_);
  if (gap > 0 && gap <= static_cast<std::int32_t>(ms(gap_ms_max))) {
    const auto whole = static_cast<std::uint32_t>(gap);
    // The last of them may be told by the packet behind it, which knows its length.
    if (place.packet.duration != 0 && whole == place.packet.duration) return missing(whole, place.payload);
    const std::uint32_t before =
        place.packet.duration != 0 && whole > place.packet.duration ? whole - place.packet.duration : whole;
    return missing(std::min(ticks, before));
  }
  const auto skipped = static_cast<unsigned>(distance(*first, sequence_));
  counters_.lost += skipped;
  given_up_ = skipped >= 64 ? ~std::uint64_t{0} : given_up_ << skipped | ((std::uint64_t{1} << skipped) - 1);
  sequence_ = *first;
  // The losses are paid for: what is still missing of the time line, or too much, goes with them.
  timestamp_ = place.packet.timestamp;
  filled_ = 0;
  return play(place, ticks);
}

JitterBuffer::Step JitterBuffer::play(Slot& place, std::uint32_t ticks) {
  const std::int32_t gap = distance(place.packet.timestamp, timestamp_);
  const std::int32_t owed = gap - static_cast<std::int32_t>(filled_);
  Step step;
  if (gap > static_cast<std::int32_t>(ms(gap_ms_max))) {
    // The next sentence: its beginning needs no more patience than the first one's.
    timestamp_ = place.packet.timestamp;
    filled_ = 0;
    hold_ = ms(hold_ms);
    return next(ticks);
  }
  if (gap > 0 && owed > 0) {
    step.ticks = std::min(ticks, static_cast<std::uint32_t>(owed));
    filled_ += step.ticks;
    return step;
  }
  step.what = Step::What::packet;
  step.packet = place.packet;
  step.payload = place.payload;
  release(place);
  ++counters_.played;
  sequence_ = static_cast<std::uint16_t>(place.packet.sequence + 1);
  timestamp_ = place.packet.timestamp + place.packet.duration;
  filled_ = 0;
  given_up_ <<= 1;
  return step;
}

}  // namespace baton::media
