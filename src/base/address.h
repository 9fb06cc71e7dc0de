// IP addresses, networks and transports as plain values, without the socket API.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace baton {

enum class Transport : std::uint8_t { udp, tcp, tls };
[[nodiscard]] std::string_view to_string(Transport transport);                  // "udp", as in ;transport=
[[nodiscard]] std::string_view to_via_token(Transport transport);               // "UDP", as in Via
[[nodiscard]] std::optional<Transport> parse_transport(std::string_view text);  // any case

// IPv4 or IPv6. IPv4 is kept in its first four bytes.
struct IpAddress {
  std::array<std::uint8_t, 16> bytes{};
  bool v6 = false;

  auto operator<=>(const IpAddress&) const = default;

  // Strict dotted quad or RFC 4291 text; square brackets around IPv6 are accepted. Nothing else: not decimal
  // hosts, not octal, not short forms.
  [[nodiscard]] static std::optional<IpAddress> parse(std::string_view text);
  [[nodiscard]] static IpAddress v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d);
  [[nodiscard]] std::string to_string() const;    // no brackets
  [[nodiscard]] std::string to_uri_host() const;  // brackets around IPv6
  void append_to(std::string& text) const;        // to_string()

  [[nodiscard]] bool is_unspecified() const;
  // False for private, loopback, link-local, ULA, multicast, CGNAT, 0/8, broadcast, unspecified, for what is
  // not in IPv6's global unicast range, and for IPv6 forms that carry such an IPv4 address (6to4, NAT64).
  // Ranges for documentation count as public.
  [[nodiscard]] bool is_public() const;
};

struct SocketAddress {
  IpAddress ip;
  std::uint16_t port = 0;

  auto operator<=>(const SocketAddress&) const = default;
  // "192.0.2.1:5060" or "[2001:db8::1]:5060"; the port is required.
  [[nodiscard]] static std::optional<SocketAddress> parse(std::string_view text);
  [[nodiscard]] std::string to_string() const;
  void append_to(std::string& text) const;
};

// An address range in CIDR form; a bare address is a range of one.
struct IpNetwork {
  IpAddress base;
  std::uint8_t prefix_length = 32;

  auto operator<=>(const IpNetwork&) const = default;
  [[nodiscard]] static std::optional<IpNetwork> parse(std::string_view text);
  [[nodiscard]] bool contains(const IpAddress& ip) const;
};

// A connection of a stream transport, named by the driver that owns it. 0: none (UDP, or not yet connected).
using FlowId = std::uint64_t;

// Where a message came from, and where an answer to it goes.
struct Source {
  Transport transport = Transport::udp;
  SocketAddress local;  // the listener's advertised address
  SocketAddress remote;
  FlowId flow = 0;
};

// Where a message goes: on `flow` while that connection lives, else to `remote` (connecting if need be).
struct Destination {
  Transport transport = Transport::udp;
  SocketAddress remote;
  SocketAddress local;  // what Via and Contact say, and which socket sends
  FlowId flow = 0;
  // TLS: the host that was asked for, a name or an address, which the certificate of whoever is connected to
  // must name (RFC 5922 7.3). It is what the URI or the configuration says, never a name that DNS gave for it
  // (4). Empty: the address of `remote`.
  std::string tls_name{};
};

}  // namespace baton
