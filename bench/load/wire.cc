#include "load/wire.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <stdexcept>

#include "load/message.h"

namespace baton::bench {
namespace {

constexpr int socket_buffer = 16 * 1024 * 1024;
constexpr int rounds_of_reading = 16;
constexpr std::uint64_t listening_mark = 1ULL << 32;

[[noreturn]] void give_up(const std::string& what) {
  throw std::runtime_error(what + ": " + std::strerror(errno));
}

int bound_socket(int type, const std::string& ip, std::uint16_t port) {
  const int fd = ::socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) give_up("socket");
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const sockaddr_in address = to_sockaddr(ip, port);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    give_up("bind to " + ip + ":" + std::to_string(port));
  }
  return fd;
}

void no_delay(int fd) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

}  // namespace

std::int64_t real_time() {
  timespec at{};
  ::clock_gettime(CLOCK_REALTIME, &at);
  return at.tv_sec * 1'000'000'000LL + at.tv_nsec;
}

std::int64_t stamp_of(msghdr& header) {
  for (cmsghdr* control = CMSG_FIRSTHDR(&header); control != nullptr;
       control = CMSG_NXTHDR(&header, control)) {
    if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_TIMESTAMPNS) continue;
    timespec at{};
    std::memcpy(&at, CMSG_DATA(control), sizeof at);
    return at.tv_sec * 1'000'000'000LL + at.tv_nsec;
  }
  return 0;
}

sockaddr_in to_sockaddr(const std::string& ip, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  if (::inet_pton(AF_INET, ip.c_str(), &address.sin_addr) != 1) {
    throw std::runtime_error("\"" + ip + "\" is not an IPv4 address");
  }
  return address;
}

Wire::Wire(Options options)
    : options_(std::move(options)),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      slots_(std::make_unique<char[]>(batch * slot)),
      controls_(std::make_unique<char[]>(batch * control_slot)) {
  for (std::size_t i = 0; i < batch; ++i) {
    vectors_[i] = {slots_.get() + i * slot, slot};
    headers_[i].msg_hdr.msg_iov = &vectors_[i];
    headers_[i].msg_hdr.msg_iovlen = 1;
    headers_[i].msg_hdr.msg_control = controls_.get() + i * control_slot;
  }
  if (options_.transport == Transport::tls) tls_ = std::make_unique<Tls>(options_.tls);
  for (const Role role : {Role::carrier, Role::endpoint, Role::target}) {
    stream() ? open_stream(role) : open_udp(role);
  }
}

Wire::~Wire() {
  for (const Way& way : ways_) ::close(way.fd);
  for (const int fd : listening_) {
    if (fd >= 0) ::close(fd);
  }
  ::close(epoll_);
}

void Wire::open_udp(Role role) {
  const int fd = bound_socket(SOCK_DGRAM, options_.addresses[static_cast<std::size_t>(role)], options_.port);
  ::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &socket_buffer, sizeof socket_buffer);
  ::setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &socket_buffer, sizeof socket_buffer);
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
  const sockaddr_in server = to_sockaddr(options_.server, options_.server_port);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&server), sizeof server) != 0) give_up("connect");
  add(fd, role);
}

void Wire::open_stream(Role role) {
  const std::string& ip = options_.addresses[static_cast<std::size_t>(role)];
  int& listening = listening_[static_cast<std::size_t>(role)];
  listening = bound_socket(SOCK_STREAM, ip, options_.port);
  if (::listen(listening, 64) != 0) give_up("listen");
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = listening_mark | static_cast<std::uint64_t>(role);
  ::epoll_ctl(epoll_, EPOLL_CTL_ADD, listening, &event);

  const int fd = bound_socket(SOCK_STREAM, ip, 0);
  const sockaddr_in server = to_sockaddr(options_.server, options_.server_port);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&server), sizeof server) != 0 && errno != EINPROGRESS) {
    give_up("connect");
  }
  pollfd connecting{fd, POLLOUT, 0};
  int error = 0;
  socklen_t size = sizeof error;
  if (::poll(&connecting, 1, 5'000) != 1 || ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0 ||
      error != 0) {
    errno = error;
    give_up("connect to " + options_.server + ":" + std::to_string(options_.server_port) + " by TCP");
  }
  no_delay(fd);
  add(fd, role, tls_ ? tls_->connect(fd, options_.server) : Ssl{});
}

Link Wire::add(int fd, Role role, Ssl ssl) {
  const auto link = static_cast<Link>(ways_.size());
  Way& way = ways_.emplace_back();
  way.fd = fd;
  way.role = role;
  way.ssl = std::move(ssl);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = link;
  if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) give_up("epoll_ctl");
  return link;
}

void Wire::watch(Link link, bool for_room) {
  Way& way = ways_[link];
  if (way.blocked == for_room) return;
  way.blocked = for_room;
  epoll_event event{};
  event.events = EPOLLIN;
  if (for_room) event.events |= EPOLLOUT;
  event.data.u64 = link;
  ::epoll_ctl(epoll_, EPOLL_CTL_MOD, way.fd, &event);
}

void Wire::accept(Role role) {
  const int fd =
      ::accept4(listening_[static_cast<std::size_t>(role)], nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) return;
  no_delay(fd);
  add(fd, role, tls_ ? tls_->accept(fd) : Ssl{});
}

void Wire::send(Link link, std::string_view message) {
  Way& way = ways_[link];
  way.out.append(message);
  if (!stream()) way.sizes.push_back(message.size());
  ++sent_;
  bytes_sent_ += message.size();
}

void Wire::flush() {
  for (Link link = 0; link < ways_.size(); ++link) {
    if (ways_[link].out.empty()) continue;
    stream() ? flush_stream(link) : flush_datagrams(ways_[link]);
  }
}

void Wire::flush_datagrams(Way& way) {
  std::array<mmsghdr, batch> headers{};
  std::array<iovec, batch> vectors{};
  std::size_t offset = 0;
  for (std::size_t at = 0; at < way.sizes.size();) {
    const std::size_t count = std::min(batch, way.sizes.size() - at);
    std::size_t from = offset;
    for (std::size_t i = 0; i < count; ++i) {
      vectors[i] = {way.out.data() + from, way.sizes[at + i]};
      headers[i].msg_hdr = {};
      headers[i].msg_hdr.msg_iov = &vectors[i];
      headers[i].msg_hdr.msg_iovlen = 1;
      from += way.sizes[at + i];
    }
    const int went = ::sendmmsg(way.fd, headers.data(), static_cast<unsigned>(count), 0);
    if (went < 0) {
      if (errno != EAGAIN && errno != EINTR && errno != ECONNREFUSED && errno != ENOBUFS) give_up("sendmmsg");
      ++waits_;
      pollfd room{way.fd, POLLOUT, 0};
      ::poll(&room, 1, 10);
      continue;
    }
    for (int i = 0; i < went; ++i) offset += way.sizes[at++];
  }
  way.out.clear();
  way.sizes.clear();
}

void Wire::flush_stream(Link link) {
  Way& way = ways_[link];
  while (way.gone < way.out.size()) {
    const char* from = way.out.data() + way.gone;
    const std::size_t size = way.out.size() - way.gone;
    const ssize_t went =
        way.ssl ? write_some(way.ssl.get(), from, size) : ::send(way.fd, from, size, MSG_NOSIGNAL);
    if (went < 0 && errno != EAGAIN && errno != EINTR) give_up("send to the server");
    if (went <= 0) break;
    way.gone += static_cast<std::size_t>(went);
  }
  if (way.gone == way.out.size()) {
    way.out.clear();
    way.gone = 0;
  } else {
    ++waits_;
  }
  watch(link, !way.out.empty());
}

void Wire::round(std::chrono::nanoseconds longest, const Heard& heard) {
  std::array<epoll_event, 32> events{};
  // To the nanosecond: calls that waited for a whole millisecond together would be a crowd that nobody asked
  // for.
  const timespec until{longest.count() / 1'000'000'000, longest.count() % 1'000'000'000};
  const int count = ::epoll_pwait2(epoll_, events.data(), static_cast<int>(events.size()), &until, nullptr);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    if ((event.data.u64 & listening_mark) != 0) {
      accept(static_cast<Role>(event.data.u64 & 0xff));
      continue;
    }
    const auto link = static_cast<Link>(event.data.u64);
    if ((event.events & EPOLLOUT) != 0) flush_stream(link);
    if ((event.events & (EPOLLIN | EPOLLERR | EPOLLHUP)) == 0) continue;
    stream() ? receive_stream(link, heard) : receive_datagrams(link, heard);
  }
}

void Wire::receive_datagrams(Link link, const Heard& heard) {
  const int fd = ways_[link].fd;
  const Role role = ways_[link].role;
  for (int round = 0; round < rounds_of_reading; ++round) {
    for (mmsghdr& header : headers_) header.msg_hdr.msg_controllen = control_slot;
    const int count = ::recvmmsg(fd, headers_.data(), batch, MSG_DONTWAIT, nullptr);
    if (count <= 0) return;
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
      ++received_;
      bytes_received_ += headers_[i].msg_len;
      const std::int64_t stamp = stamp_of(headers_[i].msg_hdr);
      heard(role, link, {slots_.get() + i * slot, headers_[i].msg_len}, stamp != 0 ? stamp : real_time());
    }
    if (static_cast<std::size_t>(count) < batch) return;
  }
}

void Wire::receive_stream(Link link, const Heard& heard) {
  // A TLS session may hold more than the kernel knows of: it is read until it has nothing.
  for (int round = 0; round < rounds_of_reading || ways_[link].ssl; ++round) {
    SSL* ssl = ways_[link].ssl.get();
    const std::size_t room = batch * slot;
    const ssize_t size = ssl != nullptr ? read_some(ssl, slots_.get(), room)
                                        : ::recv(ways_[link].fd, slots_.get(), room, MSG_DONTWAIT);
    if (size == 0) throw std::runtime_error("the server closed a connection");
    if (size < 0) {
      if (errno == EAGAIN || errno == EINTR) return;
      give_up("receive from the server");
    }
    take_stream(link, {slots_.get(), static_cast<std::size_t>(size)}, heard);
    if (ssl == nullptr && static_cast<std::size_t>(size) < room) return;
  }
}

void Wire::take_stream(Link link, std::string_view bytes, const Heard& heard) {
  const Role role = ways_[link].role;
  const std::int64_t arrived = real_time();
  std::string in = std::move(ways_[link].in);  // `heard` may add a way and move them all
  if (!in.empty()) {
    in.append(bytes);
    bytes = in;
  }
  std::string_view rest = bytes;
  while (!rest.empty()) {
    if (rest.substr(0, 2) == "\r\n") {  // keep-alive (RFC 5626 3.5.1)
      rest.remove_prefix(2);
      continue;
    }
    const std::size_t length = first_message(rest);
    if (length == rest.npos) throw std::runtime_error("the server's stream can not be framed");
    if (length == 0) break;
    ++received_;
    bytes_received_ += length;
    heard(role, link, rest.substr(0, length), arrived);
    rest.remove_prefix(length);
  }
  if (in.empty()) {
    in.assign(rest);
  } else {
    in.erase(0, in.size() - rest.size());
  }
  ways_[link].in = std::move(in);
}

}  // namespace baton::bench
