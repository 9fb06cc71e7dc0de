#include "net/tcp.h"

#include <fcntl.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

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

TcpTransport::TcpTransport(Poller& poller, Inputs& inputs, Probe& probe, const TcpLimits& limits,
                           FlowId first_flow, LogSink log)
    : poller_(poller),
      inputs_(inputs),
      probe_(probe),
      limits_(limits),
      log_(std::move(log)),
      next_flow_(std::max<FlowId>(first_flow, 1)),
      spare_(open_spare()),
      buffer_(new char[read_bytes]) {}

TcpTransport::~TcpTransport() {
  for (const auto& [flow, connection] : connections_) poller_.remove(connection->token);
  for (const auto& acceptor : acceptors_) poller_.remove(acceptor->token);
}

Result<Listener, OpenError> TcpTransport::listen(const Listener& listener) {
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

void TcpTransport::ready(Time now, std::uint64_t tag, std::uint32_t events) {
  if ((tag & acceptor_bit) != 0) {
    accept_some(now, *acceptors_[tag & ~acceptor_bit]);
    return;
  }
  Connection* connection = find(tag);
  if (connection == nullptr) return;
  if (connection->state == Connection::State::connecting) {
    connected(now, *connection);
    return;
  }
  // Read first, also after an error: what came before it is still to be heard.
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && !read(now, *connection)) return;
  if ((events & EPOLLOUT) != 0) write(now, *connection);
}

// ---- Accepting ----

void TcpTransport::accept_some(Time now, Acceptor& acceptor) {
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
void TcpTransport::shed_one(Acceptor& acceptor) {
  spare_.reset();
  Fd unlucky(accept4(acceptor.fd.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (unlucky) set_abortive(unlucky.get());
  unlucky.reset();
  spare_ = open_spare();
}

void TcpTransport::pause(Time now, Acceptor& acceptor) {
  poller_.change(acceptor.token, 0);
  timers_.arm(now + accept_pause, 0, accept_again);
}

void TcpTransport::resume(Time /*now*/) {
  for (const auto& acceptor : acceptors_) poller_.change(acceptor->token, EPOLLIN);
}

bool TcpTransport::has_room(Time now, const SocketAddress& remote) {
  const auto from = accepted_from_.find(remote.ip);
  if (from != accepted_from_.end() && from->second >= limits_.accepted_per_remote_max) return false;
  if (connections_.size() - outbound_.size() < limits_.accepted_max) return true;
  Connection* idlest = nullptr;
  for (const auto& [flow, connection] : connections_) {
    if (connection->outbound || connection->unsent() > 0) continue;
    if (idlest == nullptr || connection->idle_for(now) > idlest->idle_for(now) ||
        (connection->idle_for(now) == idlest->idle_for(now) && flow < idlest->flow)) {
      idlest = connection.get();
    }
  }
  if (idlest == nullptr || idlest->idle_for(now) < limits_.idle_when_full) return false;
  close(now, *idlest, CloseReason::idle);
  return true;
}

void TcpTransport::accepted(Time now, const Acceptor& acceptor, Fd fd, const SocketAddress& remote) {
  if (!has_room(now, remote)) {
    ++probe_.accepts_refused;
    set_abortive(fd.get());
    return;
  }
  set_options(fd.get());
  ++probe_.accepted;
  adopt(now,
        std::make_unique<Connection>(std::move(fd), next_flow_++, Connection::State::open, false, remote,
                                     acceptor.listener.advertised, now),
        EPOLLIN);
}

Connection* TcpTransport::adopt(Time /*now*/, std::unique_ptr<Connection> connection, std::uint32_t events) {
  connection->token = poller_.add(connection->fd.get(), events, *this, connection->flow);
  if (!connection->token) return nullptr;
  Connection* adopted = connection.get();
  if (adopted->outbound) {
    outbound_[{adopted->remote, adopted->local}] = adopted->flow;
  } else {
    ++accepted_from_[adopted->remote.ip];
  }
  connections_.emplace(adopted->flow, std::move(connection));
  arm(*adopted);
  return adopted;
}

// ---- Sending ----

Connection* TcpTransport::find(FlowId flow) {
  const auto found = connections_.find(flow);
  return found == connections_.end() ? nullptr : found->second.get();
}

Connection* TcpTransport::find_outbound(const Destination& to) {
  const auto found = outbound_.find({to.remote, to.local});
  return found == outbound_.end() ? nullptr : find(found->second);
}

void TcpTransport::send(Time now, const Destination& to, std::string_view bytes) {
  if (bytes.empty()) return;
  Connection* connection = to.flow != 0 ? find(to.flow) : nullptr;
  if (connection == nullptr) connection = find_outbound(to);
  if (connection == nullptr) connection = connect(now, to);
  if (connection != nullptr) queue(now, *connection, to.remote, bytes);
}

const TcpTransport::Acceptor* TcpTransport::acceptor_of(const SocketAddress& advertised) const {
  for (const auto& acceptor : acceptors_) {
    if (acceptor->listener.advertised == advertised) return acceptor.get();
  }
  return nullptr;
}

Connection* TcpTransport::connect(Time now, const Destination& to) {
  const auto refused = [&]() -> Connection* {
    ++probe_.connects_failed;
    failed(to.remote);
    return nullptr;
  };
  if (to.remote.port == 0 || outbound_.size() >= limits_.outbound_max) return refused();
  Fd fd = open_socket(to.remote.ip.v6, SOCK_STREAM);
  if (!fd) return refused();
  set_options(fd.get());
  // From the address that Via and Contact name, where that is ours to choose; carriers know us by it.
  const Acceptor* acceptor = acceptor_of(to.local);
  if (acceptor != nullptr && acceptor->listener.bind.ip.v6 == to.remote.ip.v6 &&
      !acceptor->listener.bind.ip.is_unspecified()) {
    set_option(fd.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
    const KernelAddress from(SocketAddress{acceptor->listener.bind.ip, 0});
    if (bind(fd.get(), from.get(), from.length()) != 0) return refused();
  }
  const KernelAddress address(to.remote);
  if (::connect(fd.get(), address.get(), address.length()) != 0 && errno != EINPROGRESS) return refused();
  ++probe_.connects;
  Connection* made =
      adopt(now,
            std::make_unique<Connection>(std::move(fd), next_flow_++, Connection::State::connecting, true,
                                         to.remote, to.local, now),
            EPOLLOUT);
  return made != nullptr ? made : refused();
}

void TcpTransport::connected(Time now, Connection& connection) {
  int error = 0;
  socklen_t length = sizeof error;
  if (getsockopt(connection.fd.get(), SOL_SOCKET, SO_ERROR, &error, &length) != 0) error = errno;
  if (error != 0) {
    close(now, connection, CloseReason::connect_failed);
    return;
  }
  connection.state = Connection::State::open;
  poller_.change(connection.token, EPOLLIN);
  write(now, connection);
}

void TcpTransport::queue(Time now, Connection& connection, const SocketAddress& destination,
                         std::string_view bytes) {
  const bool connecting = connection.state == Connection::State::connecting;
  const std::size_t most = connecting ? limits_.waiting_bytes_max : limits_.write_queue_bytes_max;
  if (connection.unsent() + bytes.size() > most) {
    if (connecting) {
      ++probe_.waiting_refused;
    } else {
      close(now, connection, CloseReason::overflow);
    }
    failed(destination);
    return;
  }
  ++probe_.stream_messages_out;
  connection.append(destination, bytes);
  if (!connecting) mark_dirty(connection);
}

void TcpTransport::mark_dirty(Connection& connection) {
  if (connection.dirty) return;
  connection.dirty = true;
  dirty_.push_back(connection.flow);
}

void TcpTransport::flush(Time now) {
  for (std::size_t i = 0; i < dirty_.size(); ++i) {
    Connection* connection = find(dirty_[i]);
    if (connection == nullptr) continue;
    connection->dirty = false;
    write(now, *connection);
  }
  dirty_.clear();
}

bool TcpTransport::write(Time now, Connection& connection) {
  switch (connection.write(now)) {
    case Connection::Written::all:
      poller_.change(connection.token, EPOLLIN);
      break;
    case Connection::Written::blocked:
      poller_.change(connection.token, EPOLLIN | EPOLLOUT);
      break;
    case Connection::Written::lost:
      close(now, connection, CloseReason::lost);
      return false;
  }
  arm(connection);
  return true;
}

// ---- Receiving ----

// One buffer a round: what is left keeps the descriptor ready, and everybody else has a turn before.
bool TcpTransport::read(Time now, Connection& connection) {
  const ssize_t n = recv(connection.fd.get(), buffer_.get(), read_bytes, MSG_DONTWAIT);
  if (n < 0 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK)) return true;
  if (n <= 0) {
    close(now, connection, n == 0 ? CloseReason::by_peer : CloseReason::lost);
    return false;
  }
  const auto fed = connection.framer.feed({buffer_.get(), static_cast<std::size_t>(n)});
  // Whole messages in front of the bad bytes are good.
  if (!take_messages(now, connection)) return false;
  if (fed) return true;
  close(now, connection, CloseReason::unframed);
  return false;
}

bool TcpTransport::take_messages(Time now, Connection& connection) {
  bool whole = false;
  std::string message;
  while (connection.framer.next(message)) {
    whole = true;
    ++probe_.stream_messages_in;
    inputs_.push_back(engine::MessageIn{
        {Transport::tcp, connection.local, connection.remote, connection.flow}, std::move(message)});
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

void TcpTransport::arm(Connection& connection) {
  const Time at = connection.due(limits_).at;
  if (at >= connection.armed_at) return;  // looked at in time anyway
  connection.armed_at = at;
  timers_.arm(at, connection.flow, connection_due);
}

void TcpTransport::advance(Time now) {
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

void TcpTransport::failed(const SocketAddress& remote) {
  inputs_.push_back(engine::TransportFailed{Transport::tcp, remote});
}

void TcpTransport::close(Time now, Connection& connection, CloseReason reason) {
  count(reason);
  log_closed(now, connection, reason);
  // The flow first: whoever tries again because a message failed must not find it any more.
  if (connection.state == Connection::State::open) inputs_.push_back(engine::FlowClosed{connection.flow});
  for (const SocketAddress& destination : connection.undelivered()) failed(destination);
  const bool cut =
      reason != CloseReason::by_peer && reason != CloseReason::idle && reason != CloseReason::shut_down;
  if (cut) set_abortive(connection.fd.get());
  poller_.remove(connection.token);
  if (connection.outbound) {
    const auto route = outbound_.find({connection.remote, connection.local});
    if (route != outbound_.end() && route->second == connection.flow) outbound_.erase(route);
  } else if (const auto from = accepted_from_.find(connection.remote.ip); from != accepted_from_.end()) {
    if (--from->second == 0) accepted_from_.erase(from);
  }
  connections_.erase(connection.flow);
}

void TcpTransport::count(CloseReason reason) {
  switch (reason) {
    case CloseReason::by_peer:
      ++probe_.closed_by_peer;
      break;
    case CloseReason::lost:
      ++probe_.closed_lost;
      break;
    case CloseReason::connect_failed:
      ++probe_.connects_failed;
      break;
    case CloseReason::unframed:
      ++probe_.closed_unframed;
      break;
    case CloseReason::overflow:
      ++probe_.closed_overflow;
      break;
    case CloseReason::slow_sender:
      ++probe_.closed_slow_sender;
      break;
    case CloseReason::slow_reader:
      ++probe_.closed_slow_reader;
      break;
    case CloseReason::silent:
      ++probe_.closed_silent;
      break;
    case CloseReason::idle:
      ++probe_.closed_idle;
      break;
    case CloseReason::shut_down:
      break;
  }
}

void TcpTransport::log_closed(Time now, const Connection& connection, CloseReason reason) const {
  if (!log_) return;
  log_({engine::Severity::debug,
        "flow.closed",
        {{"flow", std::to_string(connection.flow)},
         {"remote", connection.remote.to_string()},
         {"reason", to_string(reason)},
         {"unsent_bytes", std::to_string(connection.unsent())},
         {"idle_ms", std::to_string(connection.idle_for(now) / 1ms)}}});
}

void TcpTransport::shut_down(Time now) {
  flush(now);
  std::vector<FlowId> flows;
  for (const auto& [flow, connection] : connections_) flows.push_back(flow);
  std::sort(flows.begin(), flows.end());
  for (const FlowId flow : flows) close(now, *find(flow), CloseReason::shut_down);
  for (const auto& acceptor : acceptors_) poller_.remove(acceptor->token);
  acceptors_.clear();
}

}  // namespace baton::net
