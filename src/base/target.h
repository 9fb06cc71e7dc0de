// What a SIP URI says about where its host is (RFC 3263 4), and a place that a request for it can go to.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>

#include "base/address.h"

namespace baton {

struct Lookup {
  std::string host;
  std::uint16_t port = 0;                   // 0: not written
  std::optional<Transport> transport = {};  // nothing: not written
  bool sips = false;
};

struct Target {
  Transport transport = Transport::udp;
  SocketAddress address;

  auto operator<=>(const Target&) const = default;
  [[nodiscard]] std::string to_string() const;  // "udp 192.0.2.1:5060"
};

[[nodiscard]] constexpr std::uint16_t default_sip_port(Transport transport) {
  return transport == Transport::tls ? 5061 : 5060;
}

// The transport where no record decides (RFC 3263 4.1): the one written, else UDP; sips is always TLS.
[[nodiscard]] Transport transport_without_records(const Lookup& lookup);

// Where a literal address leads, without asking anybody. Nothing when the host is a name.
[[nodiscard]] std::optional<Target> literal_target(const Lookup& lookup);

}  // namespace baton
