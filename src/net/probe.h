// Every counter of net/. Owned by one Net, touched by its thread only.
#pragma once

#include <cstdint>

namespace baton::net {

struct Probe {
  // UDP
  std::uint64_t datagrams_in = 0, datagrams_out = 0;
  std::uint64_t datagram_keepalives = 0;       // nothing but white space and NUL
  std::uint64_t datagrams_unanswerable = 0;    // source port 0
  std::uint64_t datagrams_cut = 0;             // longer than any datagram can be
  std::uint64_t datagrams_lost_in_kernel = 0;  // our receive buffer was full (SO_RXQ_OVFL)
  std::uint64_t send_queue_dropped = 0;        // oldest first, when the socket takes no more
  std::uint64_t sends_failed = 0;              // refused by the kernel for good
  std::uint64_t icmp_refused = 0, icmp_other = 0;
  std::uint64_t icmp_unfounded = 0;  // cites nothing that we sent: made up, or cut too short
  // TCP and TLS
  std::uint64_t accepted = 0, accepts_refused = 0, accepts_failed = 0;
  std::uint64_t connects = 0, connects_failed = 0;
  std::uint64_t stream_messages_in = 0, stream_messages_out = 0;
  std::uint64_t pings = 0;
  std::uint64_t waiting_refused = 0;  // more than may wait for a connect
  std::uint64_t closed_by_peer = 0, closed_lost = 0, closed_unframed = 0, closed_overflow = 0;
  std::uint64_t closed_slow_sender = 0, closed_slow_reader = 0, closed_silent = 0, closed_idle = 0;
  // TLS
  std::uint64_t handshakes = 0, handshakes_failed = 0, handshakes_slow = 0;
  std::uint64_t handshakes_put_off = 0;  // to the next round
  // Names
  std::uint64_t resolves = 0, resolves_failed = 0, resolves_timed_out = 0, resolves_refused = 0;
  std::uint64_t resolves_known = 0;  // answered from memory
  std::uint64_t resolves_stale = 0;  // with an old address, for want of a name server
  // What had nowhere to go: no socket of that kind, or a transport that is not there
  std::uint64_t unroutable = 0;
};

}  // namespace baton::net
