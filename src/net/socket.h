// What UDP and streams share: addresses as the kernel writes them, sockets with the options all of ours have,
// and the errors of opening one.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <string>

#include "base/address.h"
#include "base/result.h"
#include "net/fd.h"
#include "net/tls.h"

namespace baton::net {

struct Listener {
  Transport transport = Transport::udp;
  SocketAddress bind;        // port 0: the kernel chooses
  SocketAddress advertised;  // what peers are told; port 0: the one that was bound
  TlsContextPtr tls{};       // of a TLS listener, and of no other
};

// Why a socket can not be listened on.
struct OpenError {
  enum class Kind { in_use, not_available, not_permitted, not_supported, other };
  Kind kind = Kind::other;
  Transport transport = Transport::udp;
  SocketAddress bind;
  std::string what;                             // the kernel's words
  [[nodiscard]] std::string to_string() const;  // "udp 192.0.2.1:5060: Address already in use"
};
[[nodiscard]] OpenError open_error(const Listener& listener, int system_error);

// A socket address in the kernel's form.
class KernelAddress {
 public:
  KernelAddress() = default;
  explicit KernelAddress(const SocketAddress& address);
  [[nodiscard]] static SocketAddress read(const sockaddr_storage& storage);

  [[nodiscard]] sockaddr* get() { return reinterpret_cast<sockaddr*>(&form_); }
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&form_); }
  [[nodiscard]] socklen_t length() const { return length_; }

 private:
  union Form {
    sockaddr_in6 in6;
    sockaddr_in in;
  };
  Form form_{};
  socklen_t length_ = 0;
};

// Non-blocking, close-on-exec; IPv6 sockets carry IPv6 only, so that IPv4 peers never show up as mapped
// addresses. Empty with errno set on failure.
[[nodiscard]] Fd open_socket(bool v6, int type);
// The address a bound socket really has.
[[nodiscard]] SocketAddress local_address(int fd);
// The listener with the ports filled in that the kernel chose.
[[nodiscard]] Listener as_bound(const Listener& asked, int fd);
void set_option(int fd, int level, int name, int value);

}  // namespace baton::net
