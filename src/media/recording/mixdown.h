// Two parties' packets on one time line, as frames for a file. Packets may come late and out of order within
// half a second.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/time.h"

namespace baton::media {

inline constexpr std::uint32_t recording_rate = 8'000;

class Mixdown {
 public:
  using Sink = std::function<void(std::span<const std::int16_t>)>;  // left, right, left …
  explicit Mixdown(Time start) : start_(start) {}

  // Samples of one party, `timestamp` being the RTP time of the first (8 kHz), received at `at`.
  void add(unsigned channel, Time at, std::uint32_t ssrc, std::uint32_t timestamp,
           std::span<const std::int16_t> samples, const Sink& sink);
  // Everything before `until` goes out, and nothing can be added there any more.
  void flush(Time until, const Sink& sink);
  // What can go out when it is `now`.
  void advance(Time now, const Sink& sink) { flush(now - patience, sink); }

 private:
  static constexpr Duration patience = 500ms;
  struct Channel {
    bool anchored = false;
    std::uint32_t ssrc = 0;
    std::uint32_t timestamp = 0;  // that belongs at…
    std::int64_t frame = 0;
  };
  [[nodiscard]] std::int64_t frame_at(Time at) const;

  Time start_;
  std::int64_t written_ = 0;          // frames
  std::vector<std::int16_t> window_;  // from there on
  std::array<Channel, 2> channels_;
};

}  // namespace baton::media
