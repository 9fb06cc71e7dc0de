#include "net/socket.h"

#include <cerrno>
#include <cstring>
#include <system_error>

namespace baton::net {

OpenError open_error(const Listener& listener, int system_error) {
  OpenError error{OpenError::Kind::other, listener.transport, listener.bind,
                  std::generic_category().message(system_error)};
  switch (system_error) {
    case EADDRINUSE:
      error.kind = OpenError::Kind::in_use;
      break;
    case EADDRNOTAVAIL:
      error.kind = OpenError::Kind::not_available;
      break;
    case EACCES:
    case EPERM:
      error.kind = OpenError::Kind::not_permitted;
      break;
    case EAFNOSUPPORT:
    case EPROTONOSUPPORT:
      error.kind = OpenError::Kind::not_supported;
      break;
    default:
      break;
  }
  return error;
}

std::string OpenError::to_string() const {
  return std::string(baton::to_string(transport)) + " " + bind.to_string() + ": " + what;
}

KernelAddress::KernelAddress(const SocketAddress& address) {
  if (address.ip.v6) {
    form_.in6.sin6_family = AF_INET6;
    form_.in6.sin6_port = htons(address.port);
    std::memcpy(&form_.in6.sin6_addr, address.ip.bytes.data(), 16);
    length_ = sizeof form_.in6;
  } else {
    form_.in.sin_family = AF_INET;
    form_.in.sin_port = htons(address.port);
    std::memcpy(&form_.in.sin_addr, address.ip.bytes.data(), 4);
    length_ = sizeof form_.in;
  }
}

SocketAddress KernelAddress::read(const sockaddr_storage& storage) {
  SocketAddress address;
  if (storage.ss_family == AF_INET6) {
    const auto* in6 = reinterpret_cast<const sockaddr_in6*>(&storage);
    address.ip.v6 = true;
    std::memcpy(address.ip.bytes.data(), &in6->sin6_addr, 16);
    address.port = ntohs(in6->sin6_port);
  } else if (storage.ss_family == AF_INET) {
    const auto* in = reinterpret_cast<const sockaddr_in*>(&storage);
    std::memcpy(address.ip.bytes.data(), &in->sin_addr, 4);
    address.port = ntohs(in->sin_port);
  }
  return address;
}

Fd open_socket(bool v6, int type) {
  Fd fd(::socket(v6 ? AF_INET6 : AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (fd && v6) set_option(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
  return fd;
}

SocketAddress local_address(int fd) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &length) != 0) return {};
  return KernelAddress::read(storage);
}

Listener as_bound(const Listener& asked, int fd) {
  Listener listener = asked;
  listener.bind.port = local_address(fd).port;
  if (listener.advertised.port == 0) listener.advertised.port = listener.bind.port;
  return listener;
}

void set_option(int fd, int level, int name, int value) {
  setsockopt(fd, level, name, &value, sizeof value);
}

}  // namespace baton::net
