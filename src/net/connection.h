// One stream connection: what has come of a message so far, what waits to go, and the moments by which
// something must have happened; over TLS with a session between it and the socket. Owned by StreamTransport;
// decides nothing about other connections.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/time.h"
#include "net/close_reason.h"
#include "net/fd.h"
#include "net/poller.h"
#include "net/tls_session.h"
#include "sip/framer.h"

namespace baton::net {

struct StreamLimits {
  std::size_t accepted_max = 8'192;
  std::size_t accepted_per_remote_max = 512;  // from one source
  std::size_t outbound_max = 4'096;           // places that no crowd of callers can take
  std::size_t write_queue_bytes_max = 1024 * 1024;
  std::size_t waiting_bytes_max = 256 * 1024;  // for a connect
  unsigned accepts_per_round = 64;
  // A TLS handshake costs a signature, a millisecond of the calls in progress: few in a round, and not so
  // many begun that the last of them would run out of time.
  unsigned handshake_steps_per_round = 8;
  std::size_t handshakes_max = 1'024;
  std::size_t handshakes_per_remote_max = 64;
  Duration connect_timeout = 5s;
  Duration handshake_timeout = 10s;
  Duration greeting_timeout = 30s;  // accepted, and nothing whole has come yet
  Duration partial_timeout = 10s;   // from the first byte of a message to its last
  Duration write_timeout = 30s;     // the peer takes not one byte of what waits
  // A call may be silent on its connection for as long as its session timer allows (RFC 4028 4: half an hour
  // is usual), and behind a NAT there is no way back to a connection once cut: the idle ones are cut late.
  Duration idle_timeout = 1h;
  // When all places are taken the idlest stranger makes room: one that belongs here never does, and one that
  // wants to has said so by then.
  Duration idle_when_full = 30s;
};

// Whom a connection is to. One that we made serves every message that goes the same way.
struct Way {
  Transport transport = Transport::tcp;
  SocketAddress remote;
  SocketAddress local;   // the listener's advertised address that goes with it
  std::string tls_name;  // Destination::tls_name, filled in; empty over TCP and for accepted ones
  auto operator<=>(const Way&) const = default;
};

class Connection {
 public:
  enum class State : std::uint8_t { connecting, handshaking, open };
  enum class Written : std::uint8_t { all, blocked, lost };
  struct Taken {
    enum class What : std::uint8_t { bytes, nothing, closed, lost };
    What what = What::nothing;
    std::size_t length = 0;
  };

  Connection(Fd socket, FlowId id, bool from_us, Way way, Time now);

  // Connected, and without TLS open with it.
  void connected(Time now, std::unique_ptr<TlsSession> tls);
  // One step of the handshake: done (and open), what it waits for, or failed.
  [[nodiscard]] TlsSession::Step handshake(Time now);
  // Bytes that have come, at most `size`, which is TlsSession::record_bytes or more.
  [[nodiscard]] Taken take(char* buffer, std::size_t size);
  // What the poller is to watch for.
  [[nodiscard]] std::uint32_t interest() const;
  // Tells the peer of an orderly end where the protocol has a word for it.
  void say_goodbye();

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
  [[nodiscard]] Due due(const StreamLimits& limits) const;
  [[nodiscard]] Duration idle_for(Time now) const { return now - last_used_; }
  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] const TlsSession* tls() const { return tls_.get(); }

  const FlowId flow;
  const Way way;
  const bool outbound;
  Fd fd;
  Poller::Token token;
  sip::StreamFramer framer;
  Time armed_at = Time::max();  // the entry in the timer queue that counts
  bool dirty = false;           // in the list of those to flush
  bool kept = false;            // of somebody who belongs here

 private:
  struct Pending {
    SocketAddress destination;
    std::uint64_t end = 0;  // position in the stream
  };

  [[nodiscard]] ssize_t put(std::string_view bytes);

  State state_ = State::connecting;
  std::unique_ptr<TlsSession> tls_;
  bool waits_to_write_ = false;  // what waits in out_, or TLS on its own account
  std::string out_;
  std::size_t out_at_ = 0;
  std::uint64_t sent_ = 0;  // bytes handed to the kernel since the beginning
  std::deque<Pending> pending_;
  std::optional<SocketAddress> last_sent_;
  Time opened_at_;
  Time connected_at_{};
  Time last_used_;
  std::optional<Time> partial_since_;
  std::optional<Time> blocked_since_;
  bool greeted_ = false;
};

}  // namespace baton::net
