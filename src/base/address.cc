#include "base/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/ascii.h"
#include "base/assert.h"

namespace baton {
namespace {

std::optional<unsigned> parse_number(std::string_view text, unsigned max) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size() || value > max) return {};
  return value;
}

// Four numbers up to 255, none with a zero in front of it.
std::optional<IpAddress> parse_v4(std::string_view text) {
  IpAddress address;
  std::size_t at = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    if (i != 0 && (at == text.size() || text[at++] != '.')) return std::nullopt;
    const std::size_t begin = at;
    unsigned value = 0;
    while (at < text.size() && ascii::is_digit(text[at]) && at - begin < 3) {
      value = value * 10 + static_cast<unsigned>(text[at++] - '0');
    }
    const bool sound = at != begin && value <= 255 && (text[begin] != '0' || at - begin == 1);
    if (!sound) return std::nullopt;
    address.bytes[i] = static_cast<std::uint8_t>(value);
  }
  if (at != text.size()) return std::nullopt;
  return address;
}

bool is_public_v4(const std::uint8_t* b) {
  if (b[0] == 0 || b[0] == 10 || b[0] == 127 || b[0] >= 224) return false;
  if (b[0] == 100 && (b[1] & 0xc0) == 64) return false;  // RFC 6598, carrier-grade NAT
  if (b[0] == 169 && b[1] == 254) return false;
  if (b[0] == 172 && (b[1] & 0xf0) == 16) return false;
  if (b[0] == 192 && b[1] == 168) return false;
  if (b[0] == 192 && b[1] == 0 && b[2] == 0) return false;  // RFC 6890, protocol assignments
  if (b[0] == 198 && (b[1] & 0xfe) == 18) return false;     // RFC 2544, benchmarking
  return true;
}

bool all_zero(const std::uint8_t* b, std::size_t count) {
  return std::all_of(b, b + count, [](std::uint8_t x) { return x == 0; });
}

}  // namespace

std::string_view to_string(Transport transport) {
  switch (transport) {
    case Transport::udp:
      return "udp";
    case Transport::tcp:
      return "tcp";
    case Transport::tls:
      return "tls";
  }
  return "udp";
}

std::string_view to_via_token(Transport transport) {
  switch (transport) {
    case Transport::udp:
      return "UDP";
    case Transport::tcp:
      return "TCP";
    case Transport::tls:
      return "TLS";
  }
  return "UDP";
}

std::optional<Transport> parse_transport(std::string_view text) {
  for (const Transport one : {Transport::udp, Transport::tcp, Transport::tls}) {
    if (ascii::equals_ignoring_case(text, to_string(one))) return one;
  }
  return std::nullopt;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  if (text.size() >= 2 && text.front() == '[' && text.back() == ']') {
    text = text.substr(1, text.size() - 2);
    if (text.find(':') == std::string_view::npos) return std::nullopt;
  }
  if (text.find(':') == std::string_view::npos) return parse_v4(text);
  std::array<char, INET6_ADDRSTRLEN + 1> zero_ended{};
  if (text.empty() || text.size() >= zero_ended.size()) return std::nullopt;
  if (text.find('\0') != std::string_view::npos) return std::nullopt;
  std::copy(text.begin(), text.end(), zero_ended.begin());
  IpAddress address;
  address.v6 = true;
  if (inet_pton(AF_INET6, zero_ended.data(), address.bytes.data()) != 1) return std::nullopt;
  return address;
}

IpAddress IpAddress::v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
  IpAddress address;
  address.bytes[0] = a;
  address.bytes[1] = b;
  address.bytes[2] = c;
  address.bytes[3] = d;
  return address;
}

void IpAddress::append_to(std::string& text) const {
  std::array<char, INET6_ADDRSTRLEN> written{};
  if (v6) {
    inet_ntop(AF_INET6, bytes.data(), written.data(), static_cast<socklen_t>(written.size()));
    text += written.data();
    return;
  }
  // In every message several times; the C library goes through printf.
  char* at = written.data();
  for (std::size_t i = 0; i < 4; ++i) {
    if (i != 0) *at++ = '.';
    at = std::to_chars(at, written.data() + written.size(), bytes[i]).ptr;
  }
  text.append(written.data(), at);
}

std::string IpAddress::to_string() const {
  std::string text;
  append_to(text);
  return text;
}

std::string IpAddress::to_uri_host() const {
  return v6 ? "[" + to_string() + "]" : to_string();
}

bool IpAddress::is_unspecified() const {
  return all_zero(bytes.data(), v6 ? 16 : 4);
}

bool IpAddress::is_public() const {
  const std::uint8_t* b = bytes.data();
  if (!v6) return is_public_v4(b);
  static constexpr std::uint8_t nat64[12] = {0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0};
  if (std::memcmp(b, nat64, sizeof nat64) == 0) return is_public_v4(b + 12);
  // Global unicast is 2000::/3 alone (RFC 4291 2.4). Outside it: ::, ::1, mapped, compatible and translated
  // IPv4, local-use NAT64, the discard prefix, ULA, link- and site-local, multicast.
  if ((b[0] & 0xe0) != 0x20) return false;
  if (b[0] == 0x20 && b[1] == 0x02) return is_public_v4(b + 2);              // 6to4
  if (b[0] == 0x20 && b[1] == 0x01 && b[2] == 0 && b[3] == 0) return false;  // Teredo
  return true;
}

std::optional<SocketAddress> SocketAddress::parse(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (!bracketed && host.find(':') != std::string_view::npos) return std::nullopt;
  const auto ip = IpAddress::parse(host);
  const auto port = parse_number(text.substr(colon + 1), 65535);
  if (!ip || !port) return std::nullopt;
  return SocketAddress{*ip, static_cast<std::uint16_t>(*port)};
}

void SocketAddress::append_to(std::string& text) const {
  if (ip.v6) text += '[';
  ip.append_to(text);
  text += ip.v6 ? "]:" : ":";
  text += std::to_string(port);
}

std::string SocketAddress::to_string() const {
  std::string text;
  append_to(text);
  return text;
}

std::optional<IpNetwork> IpNetwork::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto ip = IpAddress::parse(text.substr(0, slash));
  if (!ip) return std::nullopt;
  const unsigned longest = ip->v6 ? 128 : 32;
  unsigned length = longest;
  if (slash != std::string_view::npos) {
    const auto parsed = parse_number(text.substr(slash + 1), longest);
    if (!parsed) return std::nullopt;
    length = *parsed;
  }
  return IpNetwork{*ip, static_cast<std::uint8_t>(length)};
}

bool IpNetwork::contains(const IpAddress& ip) const {
  if (ip.v6 != base.v6) return false;
  BATON_ASSERT(prefix_length <= (base.v6 ? 128 : 32));
  const unsigned whole = prefix_length / 8;
  if (std::memcmp(ip.bytes.data(), base.bytes.data(), whole) != 0) return false;
  const unsigned rest = prefix_length % 8;
  if (rest == 0) return true;
  const auto mask = static_cast<std::uint8_t>(0xff00U >> rest);
  return (ip.bytes[whole] & mask) == (base.bytes[whole] & mask);
}

}  // namespace baton
