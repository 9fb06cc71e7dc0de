// DTMF digits as telephone-events (RFC 4733): their payload, and what a party's packets of them amount to.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace baton::media {

inline constexpr std::size_t telephone_event_bytes = 4;  // RFC 4733 2.3
inline constexpr std::uint8_t digit_events = 16;         // 0-9, *, #, A-D (RFC 4733 3.2)
inline constexpr std::uint8_t digit_volume = 10;         // -10 dBm0

struct TelephoneEvent {
  std::uint8_t event = 0;
  bool end = false;
  std::uint8_t volume = digit_volume;
  std::uint16_t duration = 0;  // RTP clock ticks
  bool operator==(const TelephoneEvent&) const = default;
};

// Nothing when it is too short.
[[nodiscard]] std::optional<TelephoneEvent> read_telephone_event(std::span<const std::uint8_t> payload);
// Four octets.
void write_telephone_event(const TelephoneEvent& event, std::uint8_t* out);

// Between an event number and the character of its key; case does not matter. 0 and nothing: it is no digit.
[[nodiscard]] char key_of(std::uint8_t event);
[[nodiscard]] std::optional<std::uint8_t> event_of(char key);

// Follows the events of one party. Packets of an event come again and again and may be lost or late: each
// event begins once and ends once.
class EventReader {
 public:
  // In this order, each in RTP clock ticks where it is a time.
  struct Change {
    std::optional<std::uint32_t> before_lasted;  // the event before is over, its end was lost
    std::optional<std::uint8_t> begins;
    std::optional<std::uint32_t> lasted;  // the present event, which this packet was of, is over
  };
  // A packet with the RTP time `timestamp`. Digits only: other events change nothing.
  [[nodiscard]] Change take(std::uint32_t timestamp, const TelephoneEvent& event);
  // Nothing more is heard of the present event. How long it lasted; nothing: it is over already.
  [[nodiscard]] std::optional<std::uint32_t> give_up();
  [[nodiscard]] bool open() const { return open_; }
  // The one that sounds now, or sounded last.
  [[nodiscard]] std::uint8_t event() const { return event_; }
  // The RTP time of its last segment; nothing: there has been none.
  [[nodiscard]] std::optional<std::uint32_t> timestamp() const {
    return seen_ ? std::optional(segment_) : std::nullopt;
  }

 private:
  bool seen_ = false, open_ = false;
  bool given_up_ = false;  // it is over for us, but may go on in another segment
  std::uint8_t event_ = 0;
  std::uint32_t started_ = 0;   // RTP time of the present or last event
  std::uint32_t segment_ = 0;   // of its last segment
  std::uint32_t duration_ = 0;  // of all its segments
};

// RTP times of events whose packets listeners are not to get, however late they come; of the last few.
class EventsLeftOut {
 public:
  void add(std::uint32_t timestamp) {
    if (has(timestamp)) return;
    times_[next_ % times_.size()] = timestamp;
    next_ = next_ + 1 == 2 * times_.size() ? times_.size() : next_ + 1;
  }
  [[nodiscard]] bool has(std::uint32_t timestamp) const {
    const auto end = times_.begin() + static_cast<std::ptrdiff_t>(std::min(next_, times_.size()));
    return std::find(times_.begin(), end, timestamp) != end;
  }

 private:
  std::array<std::uint32_t, 4> times_{};
  std::size_t next_ = 0;  // from four on all are in use
};

}  // namespace baton::media
