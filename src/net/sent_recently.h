// The beginnings of the last datagrams we sent. An ICMP error cites the datagram it is about, and anybody can
// send one: it counts only when it cites what we really sent there, Via branch and all, which nobody can
// guess from outside (RFC 5927 4 has the same idea for TCP).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/address.h"

namespace baton::net {

class SentRecently {
 public:
  static constexpr std::size_t entries = 1'024;
  // A request line and a Via with its branch fit; hosts cite more than that (RFC 1812 4.3.2.3, RFC 4443 3.1).
  static constexpr std::size_t prefix_bytes = 256;

  SentRecently() : ring_(entries) {}
  void note(const SocketAddress& remote, std::string_view bytes);
  // True when `cited` is as long as it can be of a datagram that went there.
  [[nodiscard]] bool has(const SocketAddress& remote, std::string_view cited) const;

 private:
  struct Entry {
    SocketAddress remote;
    std::uint16_t length = 0;
    std::array<char, prefix_bytes> bytes;
  };
  std::vector<Entry> ring_;
  std::size_t next_ = 0;
};

}  // namespace baton::net
