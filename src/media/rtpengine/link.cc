#include "media/rtpengine/link.h"

#include <sys/socket.h>

#include <cerrno>
#include <system_error>

namespace baton::media::rtpengine {

namespace {

using Join = int (*)(int, const sockaddr*, socklen_t);

baton::Result<Descriptor, std::string> make(const SocketAddress& address, Join join) {
  const auto reason = [] { return std::generic_category().message(errno); };
  Descriptor socket(
      ::socket(address.ip.v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) return fail(reason());
  const KernelAddress kernel = to_kernel(address);
  if (join(socket.get(), reinterpret_cast<const sockaddr*>(&kernel.storage), kernel.length) != 0) {
    return fail(reason());
  }
  return socket;
}

}  // namespace

baton::Result<Link, std::string> Link::open(const SocketAddress& address) {
  auto socket = make(address, ::connect);
  if (!socket) return fail(std::move(socket.error()));
  return Link(std::move(*socket));
}

baton::Result<Link, std::string> Link::listen(const SocketAddress& address) {
  auto socket = make(address, ::bind);
  if (!socket) return fail(std::move(socket.error()));
  return Link(std::move(*socket));
}

void Link::send(std::string_view datagram) const {
  // An error that is told here may be of the datagram before: a port that nobody listens on.
  if (::send(socket_.get(), datagram.data(), datagram.size(), 0) >= 0 || errno != ECONNREFUSED) return;
  [[maybe_unused]] const ssize_t sent = ::send(socket_.get(), datagram.data(), datagram.size(), 0);
}

std::optional<std::string_view> Link::receive() {
  for (int tries = 0; tries < 2; ++tries) {
    const ssize_t length = ::recv(socket_.get(), buffer_.data(), buffer_.size(), 0);
    if (length >= 0) return std::string_view(buffer_.data(), static_cast<std::size_t>(length));
    if (errno == EAGAIN || errno == EWOULDBLOCK) break;
  }
  return std::nullopt;
}

}  // namespace baton::media::rtpengine
