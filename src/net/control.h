// What travels beside a datagram: which of our addresses it was sent to, how many the kernel has dropped, and
// from which address an answer is to leave.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <map>
#include <optional>

#include "base/address.h"
#include "base/time.h"

namespace baton::net {

struct Received {
  std::optional<Duration> wall_time;   // SO_TIMESTAMPNS: when the kernel had it, since 1970 by the wall clock
  std::optional<std::uint32_t> drops;  // SO_RXQ_OVFL: since the socket was opened, modulo 2^32
  std::optional<IpAddress> local;      // IP_PKTINFO
};
[[nodiscard]] Received read_control(const msghdr& header);

// Room for one message's control data, in or out.
struct alignas(cmsghdr) Control {
  std::array<char, CMSG_SPACE(sizeof(std::uint32_t)) + CMSG_SPACE(sizeof(in6_pktinfo)) +
                       CMSG_SPACE(sizeof(timespec))>
      bytes;
};
// Lets the datagram of `header` leave from that address of ours. `control` must live as long as the header.
void set_source(msghdr& header, Control& control, const IpAddress& local);

// Which of our addresses each peer uses. A socket bound to all of them must answer from the one that was
// asked, or a peer behind a NAT or a strict carrier never sees the answer; where the kernel's own choice by
// route is another (a second address on the same network), this is how it is known. Bounded: two generations,
// the older is forgotten when the younger is full.
class LocalAddresses {
 public:
  static constexpr std::size_t generation_max = 16'384;

  void learn(const IpAddress& remote, const IpAddress& local);
  void forget(const IpAddress& remote);
  [[nodiscard]] const IpAddress* find(const IpAddress& remote) const;

 private:
  using Generation = std::map<IpAddress, IpAddress>;
  Generation young_, old_;
};

}  // namespace baton::net
