#include "net/streams.h"

#include <fcntl.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "base/assert.h"

namespace baton::net {
namespace {

constexpr std::size_t read_bytes = 65'536;
constexpr Duration accept_pause = 100ms;

// The tag of a registration: a flow, or an acceptor's index with this bit.
constexpr std::uint64_t acceptor_bit = std::uint64_t{1} << 63;

enum TimerKind : std::uint8_t { connection_due, accept_again };

Fd open_spare() {
  return Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
}

void set_options(int fd) {
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  // A peer that lost power never says so; four unanswered probes do.
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, 60);
  set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 15);
  set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 4);
}

// Closing resets the connection: no memory of ours is spent on a peer that was turned away.
void set_abortive(int fd) {
  const linger now{1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

}  // namespace

StreamTransport::StreamTransport(Poller& poller, Inputs& inputs, Probe& probe, const StreamLimits& limits,
                                 FlowId first_flow, LogSink log)
    : poller_(poller),
      inputs_(inputs),
      probe_(probe),
      limits_(limits),
      log_(std::move(log)),
      next_flow_(std::max<FlowId>(first_flow, 1)),
      spare_(open_spare()),
      buffer_(new char[read_bytes]) {}

StreamTransport::~StreamTransport() {
  for (const auto& [flow, connection] : connections_) poller_.remove(connection->token);
  for (const auto& acceptor : acceptors_) poller_.remove(acceptor->token);
}

Result<Listener, OpenError> StreamTransport::listen(const Listener& listener) {
  Fd fd = open_socket(listener.bind.ip.v6, SOCK_STREAM);
  if (!fd) return fail(open_error(listener, errno));
  // Connections of an earlier run in TIME_WAIT must not keep us from starting again.
  set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  const KernelAddress address(listener.bind);
  if (bind(fd.get(), address.get(), address.length()) != 0) return fail(open_error(listener, errno));
  if (::listen(fd.get(), SOMAXCONN) != 0) return fail(open_error(listener, errno));
  auto acceptor = std::make_unique<Acceptor>();
  acceptor->listener = as_bound(listener, fd.get());
  acceptor->fd = std::move(fd);
  acceptor->token = poller_.add(acceptor->fd.get(), EPOLLIN, *this, acceptor_bit | acceptors_.size());
  if (!acceptor->token) return fail(open_error(listener, errno));
  acceptors_.push_back(std::move(acceptor));
  return acceptors_.back()->listener;
}

void StreamTransport::ready(Time now, std::uint64_t tag, std::uint32_t events) {
  if ((tag & acceptor_bit) != 0) {
    accept_some(now, *acceptors_[tag & ~acceptor_bit]);
    return;
  }
  Connection* connection = find(tag);
  if (connection == nullptr) return;
  if (connection->state() == Connection::State::connecting) return connected(now, *connection);
  if (connection->state() == Connection::State::handshaking) return handshake(now, *connection);
  // Read first, also after an error: what came before it is still to be heard. TLS may have waited for room
  // to write before it could read on.
  const bool to_read = connection->tls() != nullptr || (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0;
  if (to_read && !read(now, *connection)) return;
  if ((events & EPOLLOUT) != 0) write(now, *connection);
}

// ---- Accepting ----

void StreamTransport::accept_some(Time now, Acceptor& acceptor) {
  for (unsigned i = 0; i < limits_.accepts_per_round; ++i) {
    sockaddr_storage name{};
    socklen_t length = sizeof name;
    Fd fd(accept4(acceptor.fd.get(), reinterpret_cast<sockaddr*>(&name), &length,
                  SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd) {
      accepted(now, acceptor, std::move(fd), KernelAddress::read(name));
      continue;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) return;
    if (errno == EINTR || errno == ECONNABORTED) continue;
    ++probe_.accepts_failed;
    if (errno == EMFILE || errno == ENFILE) {
      shed_one(acceptor);
    } else if (errno == ENOBUFS || errno == ENOMEM) {
      pause(now, acceptor);
      return;
    }
    // Errors of the connection itself (accept(2) lists them) concern the next one no longer.
  }
}

// Out of descriptors, the caller would stay in the queue and the loop would spin on it. The spare one is
// spent to take it out and hang up.
void StreamTransport::shed_one(Acceptor& acceptor) {
  spare_.reset();
  Fd unlucky(accept4(acceptor.fd.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (unlucky) set_abortive(unlucky.get());
  unlucky.reset();
  spare_ = open_spare();
}

void StreamTransport::pause(Time now, Acceptor& acceptor) {
  poller_.change(acceptor.token, 0);
  timers_.arm(now + accept_pause, 0, accept_again);
}

void StreamTransport::resume(Time /*now*/) {
  for (const auto& acceptor : acceptors_) poller_.change(acceptor->token, EPOLLIN);
}

bool StreamTransport::has_room(Time now, const Acceptor& acceptor, const SocketAddress& remote) {
  if (crowd_.connections_from(remote.ip) >= limits_.accepted_per_remote_max) return false;
  if (acceptor.listener.transport == Transport::tls) {
    if (crowd_.handshakes() >= limits_.handshakes_max) return false;
    if (crowd_.handshakes_from(remote.ip) >= limits_.handshakes_per_remote_max) return false;
  }
  if (connections_.size() - outbound_.size() < limits_.accepted_max) return true;
  Connection* idlest = nullptr;
  for (const auto& [flow, connection] : connections_) {
    if (connection->outbound || connection->kept || connection->unsent() > 0) continue;
    if (idlest == nullptr || connection->idle_for(now) > idlest->idle_for(now) ||
        (connection->idle_for(now) == idlest->idle_for(now) && flow < idlest->flow)) {
      idlest = connection.get();
    }
  }
  if (idlest == nullptr || idlest->idle_for(now) < limits_.idle_when_full) return false;
  close(now, *idlest, CloseReason::idle);
  return true;
}

void StreamTransport::accepted(Time now, const Acceptor& acceptor, Fd fd, const SocketAddress& remote) {
  if (!has_room(now, acceptor, remote)) {
    ++probe_.accepts_refused;
    set_abortive(fd.get());
    return;
  }
  set_options(fd.get());
  ++probe_.accepted;
  const Listener& listener = acceptor.listener;
  auto connection = std::make_unique<Connection>(
      std::move(fd), next_flow_++, false, Way{listener.transport, remote, listener.advertised, {}}, now);
  const bool tls = listener.transport == Transport::tls;
  connection->connected(now, tls ? TlsSession::accept(listener.tls, connection->fd.get()) : nullptr);
  if (adopt(std::move(connection)) != nullptr && tls) crowd_.handshake_began(remote.ip);
}

Connection* StreamTransport::adopt(std::unique_ptr<Connection> connection) {
  connection->token = poller_.add(connection->fd.get(), connection->interest(), *this, connection->flow);
  if (!connection->token) return nullptr;
  Connection* adopted = connection.get();
  if (adopted->outbound) {
    outbound_[adopted->way] = adopted->flow;
  } else {
    crowd_.came(adopted->way.remote.ip);
  }
  connections_.emplace(adopted->flow, std::move(connection));
  arm(*adopted);
  return adopted;
}

// ---- Handshakes ----

void StreamTransport::handshake(Time now, Connection& connection) {
  // Left undone it is ready again in the next round, after calls in progress had their turn.
  if (handshake_steps_ >= limits_.handshake_steps_per_round) {
    ++probe_.handshakes_put_off;
    return;
  }
  ++handshake_steps_;
  switch (connection.handshake(now)) {
    case TlsSession::Step::wants_read:
    case TlsSession::Step::wants_write:
      return watch(connection);
    case TlsSession::Step::closed:
    case TlsSession::Step::failed:
      return close(now, connection, CloseReason::handshake_failed);
    case TlsSession::Step::done:
      break;
  }
  ++probe_.handshakes;
  if (!connection.outbound) crowd_.handshake_ended(connection.way.remote.ip);
  log_handshake(connection);
  arm(connection);
  // The first message may have come with the end of the handshake, and the socket would not tell of it again.
  if (read(now, connection)) write(now, connection);
}

void StreamTransport::replace_tls(const SocketAddress& bound, TlsContextPtr context) {
  for (const auto& acceptor : acceptors_) {
    if (acceptor->listener.transport != Transport::tls || acceptor->listener.bind != bound) continue;
    acceptor->listener.tls = context;
  }
}

// ---- Sending ----

Connection* StreamTransport::find(FlowId flow) {
  const auto found = connections_.find(flow);
  return found == connections_.end() ? nullptr : found->second.get();
}

Connection* StreamTransport::find_outbound(const Way& way) {
  const auto found = outbound_.find(way);
  return found == outbound_.end() ? nullptr : find(found->second);
}

void StreamTransport::send(Time now, const Destination& to, std::string_view bytes) {
  if (bytes.empty()) return;
  Connection* connection = to.flow != 0 ? find(to.flow) : nullptr;
  if (connection == nullptr) {
    Way way{to.transport, to.remote, to.local, {}};
    if (to.transport == Transport::tls) {
      way.tls_name = to.tls_name.empty() ? to.remote.ip.to_string() : to.tls_name;
    }
    connection = find_outbound(way);
    if (connection == nullptr) connection = connect(now, way);
  }
  if (connection != nullptr) queue(now, *connection, to.remote, bytes);
}

const StreamTransport::Acceptor* StreamTransport::acceptor_of(Transport transport,
                                                              const SocketAddress& advertised) const {
  for (const auto& acceptor : acceptors_) {
    if (acceptor->listener.transport == transport && acceptor->listener.advertised == advertised) {
      return acceptor.get();
    }
  }
  return nullptr;
}

Connection* StreamTransport::connect(Time now, const Way& way) {
  const auto refused = [&]() -> Connection* {
    ++probe_.connects_failed;
    failed(way.transport, way.remote);
    return nullptr;
  };
  const Acceptor* acceptor = acceptor_of(way.transport, way.local);
  if (acceptor == nullptr && way.transport == Transport::tls) {  // without a listener, no certificates
    ++probe_.unroutable;
    failed(way.transport, way.remote);
    return nullptr;
  }
  if (way.remote.port == 0 || outbound_.size() >= limits_.outbound_max) return refused();
  Fd fd = open_socket(way.remote.ip.v6, SOCK_STREAM);
  if (!fd) return refused();
  set_options(fd.get());
  // From the address that Via and Contact name, where that is ours to choose; carriers know us by it.
  if (acceptor != nullptr && acceptor->listener.bind.ip.v6 == way.remote.ip.v6 &&
      !acceptor->listener.bind.ip.is_unspecified()) {
    set_option(fd.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
    const KernelAddress from(SocketAddress{acceptor->listener.bind.ip, 0});
    if (bind(fd.get(), from.get(), from.length()) != 0) return refused();
  }
  const KernelAddress address(way.remote);
  if (::connect(fd.get(), address.get(), address.length()) != 0 && errno != EINPROGRESS) return refused();
  ++probe_.connects;
  Connection* made = adopt(std::make_unique<Connection>(std::move(fd), next_flow_++, true, way, now));
  return made != nullptr ? made : refused();
}

void StreamTransport::connected(Time now, Connection& connection) {
  int error = 0;
  socklen_t length = sizeof error;
  if (getsockopt(connection.fd.get(), SOL_SOCKET, SO_ERROR, &error, &length) != 0) error = errno;
  if (error != 0) return close(now, connection, CloseReason::connect_failed);
  if (connection.way.transport != Transport::tls) {
    connection.connected(now, nullptr);
    write(now, connection);
    return;
  }
  // Listeners stay as long as connections do.
  const Acceptor* acceptor = acceptor_of(Transport::tls, connection.way.local);
  BATON_ASSERT(acceptor != nullptr);
  connection.connected(
      now, TlsSession::connect(acceptor->listener.tls, connection.fd.get(), connection.way.tls_name));
  arm(connection);
  handshake(now, connection);
}

void StreamTransport::queue(Time now, Connection& connection, const SocketAddress& destination,
                            std::string_view bytes) {
  const bool waiting = connection.state() != Connection::State::open;
  const std::size_t most = waiting ? limits_.waiting_bytes_max : limits_.write_queue_bytes_max;
  if (connection.unsent() + bytes.size() > most) {
    const Transport transport = connection.way.transport;
    if (waiting) {
      ++probe_.waiting_refused;
    } else {
      close(now, connection, CloseReason::overflow);
    }
    failed(transport, destination);
    return;
  }
  ++probe_.stream_messages_out;
  connection.append(destination, bytes);
  if (!waiting) mark_dirty(connection);
}

void StreamTransport::keep(FlowId flow) {
  if (Connection* connection = find(flow)) connection->kept = true;
}

void StreamTransport::mark_dirty(Connection& connection) {
  if (connection.dirty) return;
  connection.dirty = true;
  dirty_.push_back(connection.flow);
}

void StreamTransport::flush(Time now) {
  for (std::size_t i = 0; i < dirty_.size(); ++i) {
    Connection* connection = find(dirty_[i]);
    if (connection == nullptr) continue;
    connection->dirty = false;
    write(now, *connection);
  }
  dirty_.clear();
  handshake_steps_ = 0;
}

bool StreamTransport::write(Time now, Connection& connection) {
  if (connection.write(now) == Connection::Written::lost) {
    close(now, connection, CloseReason::lost);
    return false;
  }
  watch(connection);
  arm(connection);
  return true;
}

// ---- Receiving ----

// One buffer a round: what is left keeps the descriptor ready, and everybody else has a turn before. TLS
// gives a record at a time, and none is begun that has no room.
bool StreamTransport::read(Time now, Connection& connection) {
  std::size_t got = 0;
  Connection::Taken taken;
  do {
    taken = connection.take(buffer_.get() + got, read_bytes - got);
    got += taken.length;
  } while (connection.tls() != nullptr && taken.what == Connection::Taken::What::bytes &&
           read_bytes - got >= TlsSession::record_bytes);
  if (got > 0) {
    const auto fed = connection.framer.feed({buffer_.get(), got});
    // Whole messages in front of the bad bytes, or of the end, are good.
    if (!take_messages(now, connection)) return false;
    if (!fed) {
      close(now, connection, CloseReason::unframed);
      return false;
    }
  }
  if (taken.what == Connection::Taken::What::closed || taken.what == Connection::Taken::What::lost) {
    const bool by_peer = taken.what == Connection::Taken::What::closed;
    close(now, connection, by_peer ? CloseReason::by_peer : CloseReason::lost);
    return false;
  }
  watch(connection);
  return true;
}

bool StreamTransport::take_messages(Time now, Connection& connection) {
  bool whole = false;
  std::string message;
  while (connection.framer.next(message)) {
    whole = true;
    ++probe_.stream_messages_in;
    inputs_.emplace_back(engine::MessageIn{
        {connection.way.transport, connection.way.local, connection.way.remote, connection.flow},
        std::move(message),
        now});
    message.clear();
  }
  const unsigned pings = connection.framer.take_pings();
  if (pings > 0) {
    whole = true;
    probe_.pings += pings;
    // A peer that pings without end and reads nothing meets the same bound as any other slow reader.
    if (connection.unsent() + 2 * std::size_t{pings} > limits_.write_queue_bytes_max) {
      close(now, connection, CloseReason::overflow);
      return false;
    }
    std::string pongs;
    for (unsigned i = 0; i < pings; ++i) pongs += "\r\n";
    connection.append(pongs);
    mark_dirty(connection);
  }
  // Makes buffered() mean what is there of a message: keep-alives that were skipped count until the next
  // feed.
  static_cast<void>(connection.framer.feed({}));
  connection.heard(now, whole);
  arm(connection);
  return true;
}

// ---- Ending ----

void StreamTransport::arm(Connection& connection) {
  const Time at = connection.due(limits_).at;
  if (at >= connection.armed_at) return;  // looked at in time anyway
  connection.armed_at = at;
  timers_.arm(at, connection.flow, connection_due);
}

void StreamTransport::advance(Time now) {
  while (const auto entry = timers_.pop_due(now)) {
    if (entry->kind == accept_again) {
      resume(now);
      continue;
    }
    Connection* connection = find(entry->owner);
    if (connection == nullptr || connection->armed_at != entry->at) continue;
    connection->armed_at = Time::max();
    const Connection::Due due = connection->due(limits_);
    if (due.at <= now) {
      close(now, *connection, due.reason);
    } else {
      arm(*connection);
    }
  }
}

void StreamTransport::failed(Transport transport, const SocketAddress& remote) {
  inputs_.emplace_back(engine::TransportFailed{transport, remote});
}

void StreamTransport::close(Time now, Connection& connection, CloseReason reason) {
  const Way way = connection.way;
  const bool opened = connection.state() == Connection::State::open;
  count(probe_, reason);
  if (connection.state() == Connection::State::handshaking) log_handshake_failed(now, connection, reason);
  log_closed(now, connection, reason);
  // The flow is known to be gone before anything is tried on it again.
  if (opened) inputs_.emplace_back(engine::FlowClosed{connection.flow, way.transport, way.remote});
  for (const SocketAddress& destination : connection.undelivered()) failed(way.transport, destination);
  if (is_orderly(reason)) {
    connection.say_goodbye();
  } else if (reason != CloseReason::handshake_failed) {  // whose alert says why
    set_abortive(connection.fd.get());
  }
  poller_.remove(connection.token);
  if (connection.outbound) {
    const auto known = outbound_.find(way);
    if (known != outbound_.end() && known->second == connection.flow) outbound_.erase(known);
  } else {
    if (connection.state() == Connection::State::handshaking) crowd_.handshake_ended(way.remote.ip);
    crowd_.went(way.remote.ip);
  }
  connections_.erase(connection.flow);
}

// ---- Logging ----

void StreamTransport::log_handshake(const Connection& connection) const {
  if (!log_) return;
  const TlsSession& tls = *connection.tls();
  const bool blind = connection.outbound && !tls.verified();
  log_({blind ? engine::Severity::warning : engine::Severity::debug,
        blind ? "tls.unverified" : "tls.open",
        {{"flow", std::to_string(connection.flow)},
         {"remote", connection.way.remote.to_string()},
         {"host", connection.way.tls_name},
         {"version", tls.version()},
         {"certificate", tls.verified() ? "verified" : "none"}}});
}

// A gateway that is refused is the operator's to know. Strangers are told of once a second, so that nobody
// fills the log.
void StreamTransport::log_handshake_failed(Time now, const Connection& connection, CloseReason reason) {
  if (!log_) return;
  const TlsSession& tls = *connection.tls();
  const bool slow = reason == CloseReason::handshake_slow;
  engine::Severity severity = engine::Severity::debug;
  if (connection.outbound) {
    severity = engine::Severity::warning;
  } else if (tls.certificate_refused() && (!refusal_logged_at_ || now - *refusal_logged_at_ >= 1s)) {
    severity = engine::Severity::info;
    refusal_logged_at_ = now;
  }
  log_({severity,
        "tls.failed",
        {{"remote", connection.way.remote.to_string()},
         {"host", connection.way.tls_name},
         {"direction", connection.outbound ? "outbound" : "inbound"},
         {"reason", slow ? "the handshake took too long" : tls.fault()}}});
}

void StreamTransport::log_closed(Time now, const Connection& connection, CloseReason reason) const {
  if (!log_) return;
  log_({engine::Severity::debug,
        "flow.closed",
        {{"flow", std::to_string(connection.flow)},
         {"remote", connection.way.remote.to_string()},
         {"reason", to_string(reason)},
         {"unsent_bytes", std::to_string(connection.unsent())},
         {"idle_ms", std::to_string(connection.idle_for(now) / 1ms)}}});
}

void StreamTransport::shut_down(Time now) {
  flush(now);
  std::vector<FlowId> flows;
  for (const auto& [flow, connection] : connections_) flows.push_back(flow);
  std::sort(flows.begin(), flows.end());
  for (const FlowId flow : flows) close(now, *find(flow), CloseReason::shut_down);
  for (const auto& acceptor : acceptors_) poller_.remove(acceptor->token);
  acceptors_.clear();
}

}  // namespace baton::net
