// An adaptive jitter buffer: packets in as they come, a steady stream out. A value without a clock, a thread
// or a codec of its own: it deals in RTP ticks, and who plays it says when that is.
//
// It holds as little as it can. What comes too late makes it hold more: it pauses a little longer, and what
// was missed is then played after all. When for two seconds everything came in good time, it gives ten
// milliseconds back. That follows jitter, and clocks that run apart, in either direction.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/time.h"

namespace baton::media {

class JitterBuffer {
 public:
  struct Packet {
    std::uint16_t sequence = 0;
    std::uint32_t timestamp = 0;
    std::uint32_t duration = 0;  // ticks; 0: comfort noise, which plays until something else does
  };

  // What is to be played next.
  struct Step {
    enum class What : std::uint8_t {
      packet,   // this payload
      missing,  // `ticks` of something that was lost or is late; `next`, if any, is the packet behind it
      quiet,    // `ticks` in which nothing was said
    };
    What what = What::quiet;
    Packet packet{};
    std::span<const std::uint8_t> payload{};  // good until the next call
    std::span<const std::uint8_t> next{};
    std::uint32_t ticks = 0;
  };

  explicit JitterBuffer(std::uint32_t clock) : clock_(clock) {}

  // Another stream follows.
  void restart();

  // False: it came too late, twice, or is of no use. `needed_in`: how long until the next audio is taken out;
  // `waiting`: how much has been taken out and is not played yet, ticks.
  bool put(Time now, const Packet& packet, std::span<const std::uint8_t> payload, Duration needed_in,
           std::uint32_t waiting);

  // The next step; nothing of it is longer than `ticks`, but for a packet and the gap right before one.
  [[nodiscard]] Step next(std::uint32_t ticks);

  // How many ticks more are held than are needed; may be left out where it is least heard.
  [[nodiscard]] std::uint32_t surplus() const { return surplus_; }
  void left_out(std::uint32_t ticks) { surplus_ -= ticks < surplus_ ? ticks : surplus_; }

  // For how long nothing has been there to play, ticks.
  [[nodiscard]] std::uint32_t dry_for() const { return dry_for_; }

  struct Counters {
    std::uint64_t played = 0, lost = 0, late = 0, doubled = 0, restarts = 0;
  };
  [[nodiscard]] const Counters& counters() const { return counters_; }

 private:
  static constexpr std::size_t slots_max = 64;
  struct Slot {
    bool used = false;
    Packet packet;
    std::vector<std::uint8_t> payload;
  };

  [[nodiscard]] std::uint32_t ms(std::uint32_t milliseconds) const { return clock_ / 1'000 * milliseconds; }
  [[nodiscard]] Slot& slot(std::uint16_t sequence) { return slots_[sequence % slots_max]; }
  void begin(const Packet& packet);
  void note_late(const Packet& packet);
  void note_margin(Time now, const Packet& packet, Duration needed_in, std::uint32_t waiting);
  void drop_backlog();
  [[nodiscard]] std::optional<std::uint16_t> first_held();
  [[nodiscard]] Step play(Slot& slot, std::uint32_t ticks);
  [[nodiscard]] Step missing(std::uint32_t ticks, std::span<const std::uint8_t> next = {});

  void release(Slot& slot);

  std::uint32_t clock_;
  std::size_t held_ = 0;
  std::uint32_t held_ticks_ = 0;
  bool started_ = false;
  std::uint16_t sequence_ = 0;   // to be played next
  std::uint32_t timestamp_ = 0;  // where the stream stands
  std::uint32_t filled_ = 0;     // ticks made up since then
  std::uint32_t hold_ = 0;       // still to wait before playing
  std::uint32_t grow_ = 0;       // still to be made up to hold more from now on
  std::uint64_t given_up_ = 0;   // bit n: sequence_ - 1 - n was counted as lost
  std::uint32_t dry_for_ = 0;
  std::uint32_t surplus_ = 0;
  std::optional<Time> window_since_;
  std::int64_t least_margin_ = 0;  // ticks, in this window
  Counters counters_;
  std::array<Slot, slots_max> slots_{};
};

}  // namespace baton::media
