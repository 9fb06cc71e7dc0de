#include "net/connection.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace baton::net {

const char* to_string(CloseReason reason) {
  switch (reason) {
    case CloseReason::by_peer:
      return "by_peer";
    case CloseReason::lost:
      return "lost";
    case CloseReason::connect_failed:
      return "connect_failed";
    case CloseReason::unframed:
      return "unframed";
    case CloseReason::overflow:
      return "overflow";
    case CloseReason::slow_sender:
      return "slow_sender";
    case CloseReason::slow_reader:
      return "slow_reader";
    case CloseReason::silent:
      return "silent";
    case CloseReason::idle:
      return "idle";
    case CloseReason::shut_down:
      return "shut_down";
  }
  return "lost";
}

Connection::Connection(Fd socket, FlowId id, State initial, bool from_us, SocketAddress remote_address,
                       SocketAddress local_address, Time now)
    : flow(id),
      remote(remote_address),
      local(local_address),
      outbound(from_us),
      state(initial),
      fd(std::move(socket)),
      opened_at_(now),
      last_used_(now) {}

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
  while (unsent() > 0) {
    const ssize_t n = ::send(fd.get(), out_.data() + out_at_, unsent(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      if (!blocked_since_) blocked_since_ = now;
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
  if (state == State::open && ioctl(fd.get(), SIOCOUTQ, &unacknowledged) == 0 && unacknowledged > 0 &&
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

Connection::Due Connection::due(const TcpLimits& limits) const {
  if (state == State::connecting) return {opened_at_ + limits.connect_timeout, CloseReason::connect_failed};
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
