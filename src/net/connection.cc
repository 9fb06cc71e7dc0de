#include "net/connection.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace baton::net {

Connection::Connection(Fd socket, FlowId id, bool from_us, Way whom, Time now)
    : flow(id),
      way(std::move(whom)),
      outbound(from_us),
      fd(std::move(socket)),
      opened_at_(now),
      last_used_(now) {}

void Connection::connected(Time now, std::unique_ptr<TlsSession> tls) {
  tls_ = std::move(tls);
  connected_at_ = now;
  state_ = tls_ ? State::handshaking : State::open;
}

TlsSession::Step Connection::handshake(Time now) {
  const TlsSession::Step step = tls_->handshake();
  waits_to_write_ = step == TlsSession::Step::wants_write;
  if (step == TlsSession::Step::done) {
    state_ = State::open;
    last_used_ = now;
  }
  return step;
}

std::uint32_t Connection::interest() const {
  if (state_ == State::connecting) return EPOLLOUT;
  if (state_ == State::handshaking) return waits_to_write_ ? EPOLLOUT : EPOLLIN;
  return waits_to_write_ ? EPOLLIN | EPOLLOUT : static_cast<std::uint32_t>(EPOLLIN);
}

void Connection::say_goodbye() {
  if (tls_) tls_->close_notify();
}

Connection::Taken Connection::take(char* buffer, std::size_t size) {
  if (!tls_) {
    const ssize_t n = recv(fd.get(), buffer, size, MSG_DONTWAIT);
    if (n > 0) return {Taken::What::bytes, static_cast<std::size_t>(n)};
    if (n == 0) return {Taken::What::closed, 0};
    const bool later = errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK;
    return {later ? Taken::What::nothing : Taken::What::lost, 0};
  }
  const TlsSession::Moved moved = tls_->read(buffer, size);
  switch (moved.step) {
    case TlsSession::Step::done:
      return {Taken::What::bytes, moved.bytes};
    case TlsSession::Step::wants_write:  // an answer to a key update
      waits_to_write_ = true;
      return {};
    case TlsSession::Step::wants_read:
      return {};
    case TlsSession::Step::closed:
      return {Taken::What::closed, 0};
    case TlsSession::Step::failed:
      break;
  }
  return {Taken::What::lost, 0};
}

// As write(2); with TLS what the kernel has is what counts, as it takes records whole.
ssize_t Connection::put(std::string_view bytes) {
  if (!tls_) return ::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  const TlsSession::Moved moved = tls_->write(bytes);
  if (moved.step == TlsSession::Step::done) return static_cast<ssize_t>(moved.bytes);
  const bool later =
      moved.step == TlsSession::Step::wants_read || moved.step == TlsSession::Step::wants_write;
  errno = later ? EAGAIN : EPIPE;
  return -1;
}

void Connection::append(const SocketAddress& destination, std::string_view bytes) {
  append(bytes);
  pending_.push_back({destination, sent_ + unsent()});
}

void Connection::append(std::string_view bytes) {
  if (out_at_ > 0 && out_at_ >= out_.size() / 2) {
    out_.erase(0, out_at_);
    out_at_ = 0;
  }
  out_.append(bytes);
}

Connection::Written Connection::write(Time now) {
  waits_to_write_ = false;
  while (unsent() > 0) {
    const ssize_t n = put({out_.data() + out_at_, unsent()});
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      if (!blocked_since_) blocked_since_ = now;
      waits_to_write_ = true;
      return Written::blocked;
    }
    if (n < 0) return Written::lost;
    out_at_ += static_cast<std::size_t>(n);
    sent_ += static_cast<std::uint64_t>(n);
    blocked_since_.reset();
    last_used_ = now;
    while (!pending_.empty() && pending_.front().end <= sent_) {
      last_sent_ = pending_.front().destination;
      pending_.pop_front();
    }
  }
  blocked_since_.reset();
  out_.clear();
  out_at_ = 0;
  return Written::all;
}

std::vector<SocketAddress> Connection::undelivered() const {
  std::vector<SocketAddress> found;
  // What the kernel has taken and the peer has not acknowledged died with the connection just the same.
  int unacknowledged = 0;
  if (state_ == State::open && ioctl(fd.get(), SIOCOUTQ, &unacknowledged) == 0 && unacknowledged > 0 &&
      last_sent_) {
    found.push_back(*last_sent_);
  }
  for (const Pending& message : pending_) {
    if (std::find(found.begin(), found.end(), message.destination) == found.end()) {
      found.push_back(message.destination);
    }
  }
  return found;
}

void Connection::heard(Time now, bool whole) {
  if (whole) {
    greeted_ = true;
    last_used_ = now;
  }
  if (framer.buffered() == 0) {
    partial_since_.reset();
  } else if (whole || !partial_since_) {
    partial_since_ = now;
  }
}

Connection::Due Connection::due(const StreamLimits& limits) const {
  if (state_ == State::connecting) return {opened_at_ + limits.connect_timeout, CloseReason::connect_failed};
  if (state_ == State::handshaking) {
    return {connected_at_ + limits.handshake_timeout, CloseReason::handshake_slow};
  }
  Due next{last_used_ + limits.idle_timeout, CloseReason::idle};
  const auto sooner = [&next](Time at, CloseReason reason) {
    if (at < next.at) next = {at, reason};
  };
  if (!outbound && !greeted_) sooner(opened_at_ + limits.greeting_timeout, CloseReason::silent);
  if (partial_since_) sooner(*partial_since_ + limits.partial_timeout, CloseReason::slow_sender);
  if (blocked_since_) sooner(*blocked_since_ + limits.write_timeout, CloseReason::slow_reader);
  return next;
}

}  // namespace baton::net
