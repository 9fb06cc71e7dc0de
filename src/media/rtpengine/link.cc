#include "media/rtpengine/link.h"

#include <sys/socket.h>

#include <cerrno>
#include <system_error>

namespace baton::media::rtpengine {

baton::Result<Link, std::string> Link::open(const SocketAddress& address) {
  const auto reason = [] { return std::generic_category().message(errno); };
  Descriptor socket(
      ::socket(address.ip.v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) return fail(reason());
  const KernelAddress to = to_kernel(address);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&to.storage), to.length) != 0) {
    return fail(reason());
  }
  return Link(std::move(socket));
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
