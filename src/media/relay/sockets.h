// The UDP sockets of one endpoint, and socket addresses in the kernel's form.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <utility>

#include "base/address.h"
#include "base/result.h"

namespace baton::media {

// A file descriptor that is closed with its owner.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor();
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_ = -1;
};

struct KernelAddress {
  sockaddr_in6 storage{};  // or a sockaddr_in, which is shorter
  socklen_t length = 0;    // 0: none
};

[[nodiscard]] KernelAddress to_kernel(const SocketAddress& address);
[[nodiscard]] SocketAddress from_kernel(const sockaddr_storage& storage);

struct SocketPair {
  Descriptor rtp, rtcp;
};

struct BindError {
  bool port_taken = false;  // by somebody else on this machine: another port will do
  bool exhausted = false;   // no descriptors or memory: closing another socket helps
  std::string reason;
};

// Non-blocking sockets on `port` and `port` + 1.
[[nodiscard]] baton::Result<SocketPair, BindError> bind_pair(const IpAddress& ip, std::uint16_t port,
                                                             std::uint8_t dscp);

}  // namespace baton::media
