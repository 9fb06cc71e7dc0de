// The network of one shard: its sockets and its resolver on one poller. What the world says piles up as
// inputs to take(); what the engine says is send() and resolve(), and leaves with flush(). Not thread-safe,
// never blocks, has no clock.
//
//   wait, dispatch (poller) → take() each input, step the engine, send() its actions → flush()
//   next_deadline() → advance()
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/buffers.h"
#include "base/result.h"
#include "engine/action.h"
#include "net/inputs.h"
#include "net/poller.h"
#include "net/probe.h"
#include "net/resolver.h"
#include "net/streams.h"
#include "net/udp.h"

namespace baton::net {

struct Options {
  UdpLimits udp;
  StreamLimits streams;
  ResolverOptions resolver;
  // Flows are numbered from here. A start time in microseconds keeps them unique over restarts.
  FlowId first_flow = 1;
  LogSink log;  // may be empty; must not block
  // Whoever sends gives what has been sent back to them, and what is received comes in them.
  std::shared_ptr<Buffers> buffers = std::make_shared<Buffers>();
};

class Net {
 public:
  // The error is one line for a person. `poller` must outlive the Net.
  [[nodiscard]] static Result<std::unique_ptr<Net>, std::string> open(Poller& poller, Options options);
  Net(const Net&) = delete;
  Net& operator=(const Net&) = delete;

  // What was bound: port 0 is filled in.
  [[nodiscard]] Result<Listener, OpenError> listen(const Listener& listener);
  [[nodiscard]] const std::vector<Listener>& listeners() const { return listeners_; }

  void send(Time now, const Destination& to, std::string bytes);
  void resolve(Time now, std::uint64_t query, const Lookup& lookup);
  // That connection makes no room for strangers. Nothing happens when it is gone.
  void keep(FlowId flow) { streams_.keep(flow); }
  // Everything sent since goes to the kernel.
  void flush(Time now);

  void advance(Time now);
  [[nodiscard]] std::optional<Time> next_deadline(Time now) const;

  // The next thing to tell the engine; false when there is none.
  [[nodiscard]] bool take(engine::Input& input);
  [[nodiscard]] bool has_inputs() const { return !inputs_.empty(); }

  // A new certificate for the TLS listener bound there, from its next connection on; `context` is not null.
  void replace_tls(const SocketAddress& bound, TlsContextPtr context);

  // Hands over what the kernel takes at once, closes connections, stops listening on streams.
  void shut_down(Time now);

  [[nodiscard]] const Probe& probe() const { return probe_; }
  [[nodiscard]] std::size_t connections() const { return streams_.connections(); }

 private:
  Net(Poller& poller, Options options);
  [[nodiscard]] UdpSocket* udp_socket(const Destination& to);
  void unroutable(const Destination& to);

  Poller& poller_;
  Options options_;
  Probe probe_;
  Inputs inputs_;
  ReceiveBatch batch_;
  std::vector<std::unique_ptr<UdpSocket>> udp_;
  StreamTransport streams_;
  std::unique_ptr<Resolver> resolver_;
  std::vector<Listener> listeners_;
};

}  // namespace baton::net
