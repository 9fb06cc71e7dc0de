#include "net/udp.h"

#include <linux/errqueue.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace baton::net {
namespace {

// Privileged processes may go beyond net.core.rmem_max; others get as much as that allows.
void set_buffers(int fd, int bytes) {
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) != 0) {
    set_option(fd, SOL_SOCKET, SO_RCVBUF, bytes);
  }
  if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes) != 0) {
    set_option(fd, SOL_SOCKET, SO_SNDBUF, bytes);
  }
}

void set_options(int fd, const IpAddress& bound, int buffer_bytes) {
  set_buffers(fd, buffer_bytes);
  set_option(fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
  set_option(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
  if (bound.v6) {
    set_option(fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
    if (bound.is_unspecified()) set_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
    return;
  }
  if (bound.is_unspecified()) set_option(fd, IPPROTO_IP, IP_PKTINFO, 1);
  set_option(fd, IPPROTO_IP, IP_RECVERR, 1);
  // An INVITE with SDP can exceed the path MTU. Without DF it arrives in fragments; with DF, where ICMP is
  // filtered, it never arrives.
  set_option(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT);
}

bool is_keepalive(const char* bytes, std::size_t length) {
  return std::all_of(bytes, bytes + length,
                     [](char c) { return c == '\r' || c == '\n' || c == ' ' || c == '\t' || c == '\0'; });
}

// Only to tell how old the kernel's time stamps are, which are of this clock.
Duration read_wall_clock() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return std::chrono::seconds(now.tv_sec) + Duration(now.tv_nsec / 1'000);
}

constexpr Duration believable_wait = 30s;

// The kernel's last word on a datagram: nothing will carry one like it to that address.
bool is_no_route(int error) {
  return error == ENETUNREACH || error == EHOSTUNREACH || error == EADDRNOTAVAIL || error == EINVAL ||
         error == EAFNOSUPPORT || error == ENETDOWN || error == EACCES;
}

}  // namespace

ReceiveBatch::ReceiveBatch() : buffer_(new char[size * slot_bytes]) {
  for (unsigned i = 0; i < size; ++i) vectors_[i] = {buffer_.get() + i * slot_bytes, slot_bytes};
  rewind();
}

void ReceiveBatch::rewind() {
  for (unsigned i = 0; i < size; ++i) {
    msghdr& header = headers_[i].msg_hdr;
    header.msg_name = &names_[i];
    header.msg_namelen = sizeof names_[i];
    header.msg_iov = &vectors_[i];
    header.msg_iovlen = 1;
    header.msg_control = controls_[i].bytes.data();
    header.msg_controllen = controls_[i].bytes.size();
    header.msg_flags = 0;
  }
}

Result<std::unique_ptr<UdpSocket>, OpenError> UdpSocket::open(Poller& poller, Inputs& inputs, Probe& probe,
                                                              ReceiveBatch& batch, Buffers& buffers,
                                                              const Listener& listener,
                                                              const UdpLimits& limits) {
  Fd fd = open_socket(listener.bind.ip.v6, SOCK_DGRAM);
  if (!fd) return fail(open_error(listener, errno));
  set_options(fd.get(), listener.bind.ip, limits.buffer_bytes);
  const KernelAddress address(listener.bind);
  if (bind(fd.get(), address.get(), address.length()) != 0) return fail(open_error(listener, errno));
  Listener bound = as_bound(listener, fd.get());
  std::unique_ptr<UdpSocket> socket(
      new UdpSocket(poller, inputs, probe, batch, buffers, std::move(bound), limits, std::move(fd)));
  socket->token_ = poller.add(socket->fd_.get(), EPOLLIN, *socket);
  if (!socket->token_) return fail(open_error(listener, errno));
  return socket;
}

UdpSocket::UdpSocket(Poller& poller, Inputs& inputs, Probe& probe, ReceiveBatch& batch, Buffers& buffers,
                     Listener listener, const UdpLimits& limits, Fd fd)
    : poller_(poller),
      inputs_(inputs),
      probe_(probe),
      batch_(batch),
      buffers_(buffers),
      listener_(std::move(listener)),
      limits_(limits),
      fd_(std::move(fd)) {}

UdpSocket::~UdpSocket() {
  poller_.remove(token_);
}

void UdpSocket::ready(Time now, std::uint64_t /*tag*/, std::uint32_t events) {
  if ((events & EPOLLERR) != 0 && !read_errors()) {
    // An error without a queue entry would keep the descriptor ready for ever; reading it clears it.
    int error = 0;
    socklen_t length = sizeof error;
    getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &length);
  }
  if ((events & EPOLLIN) != 0) receive(now);
  if ((events & EPOLLOUT) != 0) {
    blocked_ = false;
    flush();
  }
}

void UdpSocket::receive(Time now) {
  for (unsigned round = 0; round < limits_.batches_per_round; ++round) {
    batch_.rewind();
    const int count = recvmmsg(fd_.get(), batch_.headers(), ReceiveBatch::size, MSG_DONTWAIT, nullptr);
    if (count < 0) {
      if (errno == EAGAIN || errno == EWOULDBLOCK) return;
      // With IP_RECVERR an earlier send's ICMP error comes out of the next call, whatever that is. It has
      // been taken by this one; the queue says whom it was about.
      if (errno != EINTR) read_errors();
      continue;
    }
    const Duration wall_time = read_wall_clock();
    for (unsigned i = 0; i < static_cast<unsigned>(count); ++i) take(i, now, wall_time);
    if (static_cast<unsigned>(count) < ReceiveBatch::size) return;
  }
}

void UdpSocket::take(unsigned slot, Time now, Duration wall_time) {
  const mmsghdr& header = batch_.header(slot);
  const Received beside = read_control(header.msg_hdr);
  if (beside.drops) count_kernel_drops(*beside.drops);
  ++probe_.datagrams_in;
  if ((header.msg_hdr.msg_flags & MSG_TRUNC) != 0) {
    ++probe_.datagrams_cut;
    return;
  }
  if (is_keepalive(batch_.bytes(slot), header.msg_len)) {
    ++probe_.datagram_keepalives;
    return;
  }
  const SocketAddress remote = batch_.source(slot);
  if (remote.port == 0) {
    ++probe_.datagrams_unanswerable;
    return;
  }
  if (beside.local) locals_.learn(remote.ip, *beside.local);
  // A wall clock that is set in between says nothing.
  const Duration since = beside.wall_time ? wall_time - *beside.wall_time : Duration{0};
  const Duration waited = since > Duration{0} && since <= believable_wait ? since : Duration{0};
  inputs_.emplace_back(engine::MessageIn{{Transport::udp, listener_.advertised, remote, 0},
                                         buffers_.copy({batch_.bytes(slot), header.msg_len}),
                                         now - waited});
}

void UdpSocket::count_kernel_drops(std::uint32_t total) {
  probe_.datagrams_lost_in_kernel += total - kernel_drops_;  // the kernel's count wraps, so does this
  kernel_drops_ = total;
}

bool UdpSocket::read_errors() {
  bool any = false;
  for (unsigned i = 0; i < 256; ++i) {
    alignas(cmsghdr) std::array<char, 512> control{};
    std::array<char, SentRecently::prefix_bytes> cited{};
    sockaddr_storage name{};
    iovec vector{cited.data(), cited.size()};
    msghdr header{};
    header.msg_name = &name;
    header.msg_namelen = sizeof name;
    header.msg_iov = &vector;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    const ssize_t length = recvmsg(fd_.get(), &header, MSG_ERRQUEUE | MSG_DONTWAIT);
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) return any;
    any = true;
    read_error(header, KernelAddress::read(name), {cited.data(), static_cast<std::size_t>(length)});
  }
  return any;
}

void UdpSocket::read_error(const msghdr& header, const SocketAddress& remote, std::string_view cited) {
  auto* writable = const_cast<msghdr*>(&header);
  for (cmsghdr* c = CMSG_FIRSTHDR(writable); c != nullptr; c = CMSG_NXTHDR(writable, c)) {
    const bool v4 = c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR;
    const bool v6 = c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR;
    if (!v4 && !v6) continue;
    sock_extended_err error{};
    std::memcpy(&error, CMSG_DATA(c), sizeof error);
    // Only "port unreachable" says that nobody listens there. The others come and go with routes, and
    // retransmission is the answer to them.
    const bool icmp = error.ee_origin == SO_EE_ORIGIN_ICMP || error.ee_origin == SO_EE_ORIGIN_ICMP6;
    if (!icmp || error.ee_errno != ECONNREFUSED) {
      ++probe_.icmp_other;
      continue;
    }
    if (!sent_.has(remote, cited)) {
      ++probe_.icmp_unfounded;
      continue;
    }
    ++probe_.icmp_refused;
    inputs_.emplace_back(engine::TransportFailed{Transport::udp, remote});
  }
}

void UdpSocket::send(const SocketAddress& remote, std::string bytes) {
  if (remote.ip.v6 != listener_.bind.ip.v6 || remote.port == 0) {
    ++probe_.unroutable;
    inputs_.emplace_back(engine::TransportFailed{Transport::udp, remote});
    return;
  }
  queue_bytes_ += bytes.size();
  queue_.push_back({remote, std::move(bytes)});
  if (queue_.size() >= send_batch) flush();
  while (queue_.size() > limits_.queue_messages_max || queue_bytes_ > limits_.queue_bytes_max) {
    ++probe_.send_queue_dropped;
    pop_front();
  }
}

void UdpSocket::flush() {
  unsigned attempts = 0;
  while (!blocked_ && !queue_.empty()) {
    const int sent = send_some();
    if (sent <= 0) {
      if (!send_refused(errno, attempts)) return;
      continue;
    }
    attempts = 0;
    probe_.datagrams_out += static_cast<unsigned>(sent);
    for (int i = 0; i < sent; ++i) {
      sent_.note(queue_.front().remote, queue_.front().bytes);
      pop_front();
    }
  }
  if (!blocked_) want_write(false);
}

int UdpSocket::send_some() {
  std::array<mmsghdr, send_batch> headers;
  std::array<iovec, send_batch> vectors;
  std::array<KernelAddress, send_batch> names;
  std::array<Control, send_batch> controls;
  const bool any_local = listener_.bind.ip.is_unspecified();
  const unsigned count = static_cast<unsigned>(std::min<std::size_t>(queue_.size(), send_batch));
  for (unsigned i = 0; i < count; ++i) {
    Datagram& datagram = queue_[i];
    names[i] = KernelAddress(datagram.remote);
    vectors[i] = {datagram.bytes.data(), datagram.bytes.size()};
    headers[i] = {};
    msghdr& header = headers[i].msg_hdr;
    header.msg_name = names[i].get();
    header.msg_namelen = names[i].length();
    header.msg_iov = &vectors[i];
    header.msg_iovlen = 1;
    const IpAddress* local = any_local ? locals_.find(datagram.remote.ip) : nullptr;
    if (local != nullptr) set_source(header, controls[i], *local);
  }
  return sendmmsg(fd_.get(), headers.data(), count, MSG_DONTWAIT | MSG_NOSIGNAL);
}

bool UdpSocket::send_refused(int error, unsigned& attempts) {
  if (error == EINTR) return true;
  if (error == EAGAIN || error == EWOULDBLOCK) {
    blocked_ = true;
    want_write(true);
    return false;
  }
  // An errno here can be an earlier datagram's ICMP error, delivered late to this innocent one. Asking again
  // tells them apart: a late error is gone, a real one comes back.
  read_errors();
  // Nor may an address of ours that is gone by now hold the answer back.
  if (attempts == 1) locals_.forget(queue_.front().remote.ip);
  if (++attempts < 4 && error != ENOBUFS && error != EMSGSIZE) return true;
  attempts = 0;
  ++probe_.sends_failed;
  if (is_no_route(error))
    inputs_.emplace_back(engine::TransportFailed{Transport::udp, queue_.front().remote});
  pop_front();
  return true;
}

void UdpSocket::pop_front() {
  queue_bytes_ -= queue_.front().bytes.size();
  buffers_.give(std::move(queue_.front().bytes));
  queue_.pop_front();
}

void UdpSocket::want_write(bool wanted) {
  poller_.change(token_, wanted ? EPOLLIN | EPOLLOUT : static_cast<std::uint32_t>(EPOLLIN));
}

}  // namespace baton::net
