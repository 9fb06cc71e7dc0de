// The RTP/RTCP port pairs of a relay. A pair that was in use rests before it is given out again, so that late
// packets of one call never reach the next. Opening and closing sockets costs more than all else that is done
// for a call's ports, so a pair may rest with its sockets open, and such pairs are given out first: they are
// known to have been quiet.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "base/rng.h"
#include "base/time.h"
#include "media/relay/sockets.h"

namespace baton::media {

struct PortPair {
  std::uint16_t port = 0;  // of RTP; RTCP has the next
  bool v6 = false;         // its sockets, when it has any
  SocketPair sockets{};
  [[nodiscard]] bool is_open() const { return sockets.rtp.get() >= 0; }
};

class PortPool {
 public:
  // After its rest a pair stays open for so long; if no call needs it in that time there are few.
  static constexpr Duration kept_open = 5s;
  // Each takes some 6 KiB of the kernel's memory.
  static constexpr std::size_t open_max = 8'192;

  // Pairs (even, even + 1) that lie wholly within the range, in an order nobody can guess.
  PortPool(std::uint16_t port_min, std::uint16_t port_max, Duration rest, Rng& rng);

  // One that is open for that family, or else the pair that has been free longest, without sockets.
  [[nodiscard]] std::optional<PortPair> take(Time now, bool v6);
  // `used`: it rests first, with its sockets if it has them and no more than open_max do. Otherwise it is the
  // next to be given out.
  void give_back(Time now, PortPair pair, bool used);

  // Something came for that pair (its RTP port), which rests open. In the first half of its rest that was on
  // its way; later somebody still sends: it is closed, and rests anew, behind the others.
  void heard_at_rest(Time now, std::uint16_t port);

  [[nodiscard]] std::size_t size() const { return size_; }
  // Whether it is one of these.
  [[nodiscard]] bool has(std::uint16_t port) const {
    return port >= port_min_ && std::uint32_t{port} + 1 <= port_max_;
  }
  // Those at rest, or after it, with open sockets.
  [[nodiscard]] std::size_t open() const { return open_[0].size() + open_[1].size(); }
  // When to call close_unneeded().
  [[nodiscard]] std::optional<Time> next_deadline() const;
  void close_unneeded(Time now);
  // Closes the one that has longest to rest: the others are needed sooner. False: there is none.
  bool close_one();
  // Why take() gave nothing.
  [[nodiscard]] std::string shortage() const;

 private:
  struct AtRest {
    PortPair pair;
    Time free_at{};
  };
  using Queue = std::deque<AtRest>;               // by free_at
  [[nodiscard]] std::size_t oldest_open() const;  // of open_
  [[nodiscard]] static AtRest take_front(Queue& queue);
  void rest_closed(AtRest at_rest);

  [[nodiscard]] PortPair take_closed();

  std::vector<std::uint16_t> fresh_;  // never used yet; of most servers most, so they take little room
  Queue closed_;
  std::array<Queue, 2> open_;     // IPv4, IPv6
  std::vector<Time> late_until_;  // by port / 2
  std::size_t size_ = 0;
  std::uint16_t port_min_, port_max_;
  Duration rest_;
};

}  // namespace baton::media
