// SIP over TCP: listeners, the connections they accept and the ones we make. A message goes on the flow it is
// an answer to while that lives, else on a connection we have to that address, else on a new one. What could
// not be delivered is reported, so that a transaction fails at once instead of after 32 s: a stream has no
// retransmission of its own above it (RFC 3261 18.4). Belongs to one Net and its thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "base/timer_queue.h"
#include "engine/action.h"
#include "net/connection.h"
#include "net/inputs.h"
#include "net/poller.h"
#include "net/probe.h"
#include "net/socket.h"

namespace baton::net {

using LogSink = std::function<void(const engine::Log&)>;

class TcpTransport final : public Poller::Handler {
 public:
  // Flows are numbered upwards from `first_flow`.
  TcpTransport(Poller& poller, Inputs& inputs, Probe& probe, const TcpLimits& limits, FlowId first_flow,
               LogSink log);
  ~TcpTransport();
  TcpTransport(const TcpTransport&) = delete;
  TcpTransport& operator=(const TcpTransport&) = delete;

  // What was bound, or why it could not be.
  [[nodiscard]] Result<Listener, OpenError> listen(const Listener& listener);

  void send(Time now, const Destination& to, std::string_view bytes);
  void flush(Time now);
  void advance(Time now);
  [[nodiscard]] std::optional<Time> next_deadline() const { return timers_.next_deadline(); }
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
  using Route = std::pair<SocketAddress, SocketAddress>;  // remote, local

  void accept_some(Time now, Acceptor& acceptor);
  void accepted(Time now, const Acceptor& acceptor, Fd fd, const SocketAddress& remote);
  [[nodiscard]] bool has_room(Time now, const SocketAddress& remote);
  void shed_one(Acceptor& acceptor);
  void pause(Time now, Acceptor& acceptor);
  void resume(Time now);

  [[nodiscard]] Connection* find(FlowId flow);
  [[nodiscard]] Connection* find_outbound(const Destination& to);
  // Null when it failed at once, which has been reported then.
  Connection* connect(Time now, const Destination& to);
  [[nodiscard]] const Acceptor* acceptor_of(const SocketAddress& advertised) const;
  Connection* adopt(Time now, std::unique_ptr<Connection> connection, std::uint32_t events);
  void connected(Time now, Connection& connection);
  void queue(Time now, Connection& connection, const SocketAddress& destination, std::string_view bytes);

  // False when the connection is gone.
  bool read(Time now, Connection& connection);
  bool take_messages(Time now, Connection& connection);
  bool write(Time now, Connection& connection);
  void mark_dirty(Connection& connection);
  void arm(Connection& connection);
  void failed(const SocketAddress& remote);
  void close(Time now, Connection& connection, CloseReason reason);
  void count(CloseReason reason);
  void log_closed(Time now, const Connection& connection, CloseReason reason) const;

  Poller& poller_;
  Inputs& inputs_;
  Probe& probe_;
  TcpLimits limits_;
  LogSink log_;
  std::vector<std::unique_ptr<Acceptor>> acceptors_;
  std::unordered_map<FlowId, std::unique_ptr<Connection>> connections_;
  std::map<Route, FlowId> outbound_;
  std::map<IpAddress, std::size_t> accepted_from_;
  std::vector<FlowId> dirty_;
  TimerQueue timers_;
  FlowId next_flow_;
  Fd spare_;  // given up for a moment when there are no descriptors left, to turn a caller away
  std::unique_ptr<char[]> buffer_;
};

}  // namespace baton::net
