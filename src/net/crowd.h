// How many connections were accepted from whom, so that no one source takes every place. An IPv6 source is
// its /64: that is what one customer is given, and he may use any address in it.
#pragma once

#include <cstddef>
#include <map>

#include "base/address.h"

namespace baton::net {

class Crowd {
 public:
  // A connection comes and goes, its handshake (of TLS) begins and ends.
  void came(const IpAddress& from) { ++sources_[source_of(from)].connections; }
  void went(const IpAddress& from);
  void handshake_began(const IpAddress& from);
  void handshake_ended(const IpAddress& from);

  [[nodiscard]] std::size_t connections_from(const IpAddress& from) const { return held(from).connections; }
  [[nodiscard]] std::size_t handshakes_from(const IpAddress& from) const { return held(from).handshakes; }
  [[nodiscard]] std::size_t handshakes() const { return handshakes_; }

 private:
  struct Held {
    std::size_t connections = 0;
    std::size_t handshakes = 0;  // of these
  };
  [[nodiscard]] static IpAddress source_of(IpAddress address);
  [[nodiscard]] Held held(const IpAddress& from) const;

  std::map<IpAddress, Held> sources_;
  std::size_t handshakes_ = 0;
};

}  // namespace baton::net
