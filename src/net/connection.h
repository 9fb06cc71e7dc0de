// One TCP connection: what has come of a message so far, what waits to go, and the moments by which something
// must have happened. Owned by TcpTransport; decides nothing about other connections.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/time.h"
#include "net/fd.h"
#include "net/poller.h"
#include "sip/framer.h"

namespace baton::net {

struct TcpLimits {
  std::size_t accepted_max = 8'192;
  std::size_t accepted_per_remote_max = 512;  // from one address
  std::size_t outbound_max = 4'096;           // places that no crowd of callers can take
  std::size_t write_queue_bytes_max = 1024 * 1024;
  std::size_t waiting_bytes_max = 256 * 1024;  // for a connect
  unsigned accepts_per_round = 64;
  Duration connect_timeout = 5s;
  Duration greeting_timeout = 30s;  // accepted, and nothing whole has come yet
  Duration partial_timeout = 10s;   // from the first byte of a message to its last
  Duration write_timeout = 30s;     // the peer takes not one byte of what waits
  // A call may be silent on its connection for as long as its session timer allows (RFC 4028 4: half an hour
  // is usual), and behind a NAT there is no way back to a connection once cut: the idle ones are cut late …
  Duration idle_timeout = 1h;
  // … but the idlest of them makes room, when all places are taken, from here on.
  Duration idle_when_full = 10min;
};

enum class CloseReason : std::uint8_t {
  by_peer,
  lost,  // reset, or another error of the kernel's
  connect_failed,
  unframed,  // bytes that are no SIP message, or one beyond the limits
  overflow,  // more waits to be read by the peer than may
  slow_sender,
  slow_reader,
  silent,
  idle,
  shut_down,
};
[[nodiscard]] const char* to_string(CloseReason reason);

class Connection {
 public:
  enum class State : std::uint8_t { connecting, open };
  enum class Written : std::uint8_t { all, blocked, lost };

  Connection(Fd socket, FlowId id, State state, bool from_us, SocketAddress remote_address,
             SocketAddress local_address, Time now);

  // A message for `destination` (which may be another name for the peer than `remote`) goes into the queue.
  void append(const SocketAddress& destination, std::string_view bytes);
  // Bytes that are nobody's message: a pong.
  void append(std::string_view bytes);
  [[nodiscard]] Written write(Time now);
  [[nodiscard]] std::size_t unsent() const { return out_.size() - out_at_; }
  // Destinations of messages that can not have arrived whole, each once.
  [[nodiscard]] std::vector<SocketAddress> undelivered() const;

  // Notes that bytes have come, and whether a message or a ping was completed by them.
  void heard(Time now, bool whole);

  struct Due {
    Time at = Time::max();
    CloseReason reason = CloseReason::idle;
  };
  // The next moment that ends this connection if nothing changes.
  [[nodiscard]] Due due(const TcpLimits& limits) const;
  [[nodiscard]] Duration idle_for(Time now) const { return now - last_used_; }

  const FlowId flow;
  const SocketAddress remote;
  const SocketAddress local;  // the listener's advertised address that goes with it
  const bool outbound;
  State state;
  Fd fd;
  Poller::Token token;
  sip::StreamFramer framer;
  Time armed_at = Time::max();  // the entry in the timer queue that counts
  bool dirty = false;           // in the list of those to flush

 private:
  struct Pending {
    SocketAddress destination;
    std::uint64_t end = 0;  // position in the stream
  };

  std::string out_;
  std::size_t out_at_ = 0;
  std::uint64_t sent_ = 0;  // bytes handed to the kernel since the beginning
  std::deque<Pending> pending_;
  std::optional<SocketAddress> last_sent_;
  Time opened_at_;
  Time last_used_;
  std::optional<Time> partial_since_;
  std::optional<Time> blocked_since_;
  bool greeted_ = false;
};

}  // namespace baton::net
