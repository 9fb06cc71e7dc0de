// The RTP/RTCP port pairs of a relay. A pair that was in use rests before it is given out again, so that late
// packets of one call never reach the next.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "base/rng.h"
#include "base/time.h"

namespace baton::media {

class PortPool {
 public:
  // Pairs (even, even + 1) that lie wholly within the range, in an order nobody can guess.
  PortPool(std::uint16_t port_min, std::uint16_t port_max, Duration rest, Rng& rng);

  // The RTP port of the pair that has been free longest.
  [[nodiscard]] std::optional<std::uint16_t> take(Time now);
  // `used`: it rests first. Otherwise it is the next to be given out.
  void give_back(Time now, std::uint16_t port, bool used);

  [[nodiscard]] std::size_t size() const { return size_; }
  // Why take() gave nothing.
  [[nodiscard]] std::string shortage() const;

 private:
  struct Pair {
    std::uint16_t port = 0;
    Time free_at{};
  };
  std::deque<Pair> pairs_;  // by free_at
  std::size_t size_ = 0;
  std::uint16_t port_min_, port_max_;
  Duration rest_;
};

}  // namespace baton::media
