#include "media/relay/sockets.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace baton::media {
namespace {

BindError last_error(const char* what, const IpAddress& ip, std::uint16_t port) {
  const int error = errno;
  return {error == EADDRINUSE, error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM,
          std::string(what) + " " + SocketAddress{ip, port}.to_string() + ": " +
              std::generic_category().message(error)};
}

baton::Result<Descriptor, BindError> bind_one(const IpAddress& ip, std::uint16_t port, std::uint8_t dscp) {
  Descriptor fd(::socket(ip.v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) return fail(last_error("can not open an RTP socket for", ip, port));
  const int traffic_class = dscp << 2;
  // A network that ignores the mark still carries the call, so failing to set it is no reason to refuse one.
  if (ip.v6) {
    const int on = 1;
    if (::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0) {
      return fail(last_error("can not set up", ip, port));
    }
    static_cast<void>(
        ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_TCLASS, &traffic_class, sizeof traffic_class));
  } else {
    static_cast<void>(::setsockopt(fd.get(), IPPROTO_IP, IP_TOS, &traffic_class, sizeof traffic_class));
  }
  const KernelAddress address = to_kernel({ip, port});
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.length) != 0) {
    return fail(last_error("can not bind RTP to", ip, port));
  }
  return fd;
}

}  // namespace

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

KernelAddress to_kernel(const SocketAddress& address) {
  KernelAddress kernel;
  if (address.ip.v6) {
    sockaddr_in6 in{};
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(address.port);
    std::memcpy(&in.sin6_addr, address.ip.bytes.data(), 16);
    std::memcpy(&kernel.storage, &in, sizeof in);
    kernel.length = sizeof in;
  } else {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(address.port);
    std::memcpy(&in.sin_addr, address.ip.bytes.data(), 4);
    std::memcpy(&kernel.storage, &in, sizeof in);
    kernel.length = sizeof in;
  }
  return kernel;
}

SocketAddress from_kernel(const sockaddr_storage& storage) {
  SocketAddress address;
  if (storage.ss_family == AF_INET6) {
    sockaddr_in6 in{};
    std::memcpy(&in, &storage, sizeof in);
    address.ip.v6 = true;
    std::memcpy(address.ip.bytes.data(), &in.sin6_addr, 16);
    address.port = ntohs(in.sin6_port);
  } else {
    sockaddr_in in{};
    std::memcpy(&in, &storage, sizeof in);
    std::memcpy(address.ip.bytes.data(), &in.sin_addr, 4);
    address.port = ntohs(in.sin_port);
  }
  return address;
}

baton::Result<SocketPair, BindError> bind_pair(const IpAddress& ip, std::uint16_t port, std::uint8_t dscp) {
  auto rtp = bind_one(ip, port, dscp);
  if (!rtp) return fail(std::move(rtp.error()));
  auto rtcp = bind_one(ip, static_cast<std::uint16_t>(port + 1), dscp);
  if (!rtcp) return fail(std::move(rtcp.error()));
  return SocketPair{std::move(*rtp), std::move(*rtcp)};
}

}  // namespace baton::media
