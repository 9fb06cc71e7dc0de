// SIP over TCP and TLS: listeners, the connections they accept and the ones we make. A message goes on the
// flow it is an answer to while that lives, else on a connection we have to that address and name, else on a
// new one. What could not be delivered is reported, so that a transaction fails at once instead of after 32
// s: a stream has no retransmission of its own above it (RFC 3261 18.4). Belongs to one Net and its thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "base/timer_queue.h"
#include "engine/action.h"
#include "net/connection.h"
#include "net/crowd.h"
#include "net/inputs.h"
#include "net/poller.h"
#include "net/probe.h"
#include "net/socket.h"

namespace baton::net {

using LogSink = std::function<void(const engine::Log&)>;

class StreamTransport final : public Poller::Handler {
 public:
  // Flows are numbered upwards from `first_flow`.
  StreamTransport(Poller& poller, Inputs& inputs, Probe& probe, const StreamLimits& limits, FlowId first_flow,
                  LogSink log);
  ~StreamTransport();
  StreamTransport(const StreamTransport&) = delete;
  StreamTransport& operator=(const StreamTransport&) = delete;

  // What was bound, or why it could not be.
  [[nodiscard]] Result<Listener, OpenError> listen(const Listener& listener);

  void send(Time now, const Destination& to, std::string_view bytes);
  // Never closed to make room. Nothing happens when it is gone.
  void keep(FlowId flow);
  void flush(Time now);
  void advance(Time now);
  [[nodiscard]] std::optional<Time> next_deadline() const { return timers_.next_deadline(); }
  // For the TLS listener bound there, from its next connection on; those it has keep what they began with.
  void replace_tls(const SocketAddress& bound, TlsContextPtr context);
  // Writes what the kernel takes at once and closes everything.
  void shut_down(Time now);

  [[nodiscard]] std::size_t connections() const { return connections_.size(); }

  void ready(Time now, std::uint64_t tag, std::uint32_t events) override;

 private:
  struct Acceptor {
    Listener listener;
    Fd fd;
    Poller::Token token;
  };
  void accept_some(Time now, Acceptor& acceptor);
  void accepted(Time now, const Acceptor& acceptor, Fd fd, const SocketAddress& remote);
  [[nodiscard]] bool has_room(Time now, const Acceptor& acceptor, const SocketAddress& remote);
  void shed_one(Acceptor& acceptor);
  void pause(Time now, Acceptor& acceptor);
  void resume(Time now);

  [[nodiscard]] Connection* find(FlowId flow);
  [[nodiscard]] Connection* find_outbound(const Way& way);
  // Null when it failed at once, which has been reported then.
  Connection* connect(Time now, const Way& way);
  [[nodiscard]] const Acceptor* acceptor_of(Transport transport, const SocketAddress& advertised) const;
  // Takes it in and watches it, or gives nothing.
  Connection* adopt(std::unique_ptr<Connection> connection);
  void connected(Time now, Connection& connection);
  void handshake(Time now, Connection& connection);
  void queue(Time now, Connection& connection, const SocketAddress& destination, std::string_view bytes);

  // False when the connection is gone.
  bool read(Time now, Connection& connection);
  bool take_messages(Time now, Connection& connection);
  bool write(Time now, Connection& connection);
  void mark_dirty(Connection& connection);
  void arm(Connection& connection);
  void failed(Transport transport, const SocketAddress& remote);
  void close(Time now, Connection& connection, CloseReason reason);
  void watch(const Connection& connection) { poller_.change(connection.token, connection.interest()); }
  void log_handshake(const Connection& connection) const;
  void log_handshake_failed(Time now, const Connection& connection, CloseReason reason);
  void log_closed(Time now, const Connection& connection, CloseReason reason) const;

  Poller& poller_;
  Inputs& inputs_;
  Probe& probe_;
  StreamLimits limits_;
  LogSink log_;
  std::vector<std::unique_ptr<Acceptor>> acceptors_;
  std::unordered_map<FlowId, std::unique_ptr<Connection>> connections_;
  std::map<Way, FlowId> outbound_;
  Crowd crowd_;
  unsigned handshake_steps_ = 0;  // in this round
  std::optional<Time> refusal_logged_at_;
  std::vector<FlowId> dirty_;
  TimerQueue timers_;
  FlowId next_flow_;
  Fd spare_;  // given up for a moment when there are no descriptors left, to turn a caller away
  std::unique_ptr<char[]> buffer_;
};

}  // namespace baton::net
