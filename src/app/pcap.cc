#include "app/pcap.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <string_view>
#include <utility>

namespace baton::app {
namespace {

constexpr std::uint32_t pcap_magic_us = 0xa1b2c3d4;
constexpr std::uint32_t linktype_raw = 101;
constexpr std::uint32_t snap_length = 262'144;
constexpr std::uint8_t protocol_tcp = 6;
constexpr std::uint8_t protocol_udp = 17;
constexpr std::uint8_t hop_limit = 64;
constexpr std::size_t ipv4_header = 20;
constexpr std::size_t udp_header = 8;
constexpr std::size_t tcp_header = 20;
constexpr std::size_t udp_payload_max = 65'535 - ipv4_header - udp_header;
constexpr std::size_t tcp_segment_max = 1'460;
constexpr std::uint8_t tcp_push_ack = 0x18;
constexpr std::uint16_t tcp_window = 65'535;

void put8(std::string& out, unsigned value) {
  out += static_cast<char>(value & 0xffU);
}
void put16(std::string& out, std::size_t value) {
  put8(out, static_cast<unsigned>(value >> 8U));
  put8(out, static_cast<unsigned>(value));
}
void put32(std::string& out, std::uint32_t value) {
  put16(out, value >> 16U);
  put16(out, value & 0xffffU);
}

// The Internet checksum (RFC 1071) of network order text.
std::uint16_t checksum(std::string_view bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i]));
    sum += i % 2 == 0 ? byte << 8U : byte;
    sum = (sum & 0xffffU) + (sum >> 16U);
  }
  return static_cast<std::uint16_t>(~sum & 0xffffU);
}

void set16(std::string& bytes, std::size_t at, std::uint16_t value) {
  bytes[at] = static_cast<char>(value >> 8U);
  bytes[at + 1] = static_cast<char>(value & 0xffU);
}

// Both ends of a packet in one family: an IPv4 address beside an IPv6 one is shown mapped (RFC 4291 2.5.5.2).
struct Ends {
  SocketAddress from, to;
  [[nodiscard]] bool v6() const { return from.ip.v6 || to.ip.v6; }
};

void put_address(std::string& out, const IpAddress& ip, bool v6) {
  if (v6 && !ip.v6) {
    out.append(10, '\0');
    out.append(2, '\xff');
  }
  const std::size_t length = ip.v6 ? 16 : 4;
  for (std::size_t i = 0; i < length; ++i) put8(out, ip.bytes[i]);
}

// What the UDP and TCP checksums also cover (RFC 9293 3.1, RFC 8200 8.1).
std::string pseudo_header(const Ends& ends, std::uint8_t protocol, std::size_t length) {
  std::string out;
  put_address(out, ends.from.ip, ends.v6());
  put_address(out, ends.to.ip, ends.v6());
  if (ends.v6()) {
    put32(out, static_cast<std::uint32_t>(length));
    put32(out, protocol);
  } else {
    put16(out, protocol);
    put16(out, length);
  }
  return out;
}

std::string ip_packet(const Ends& ends, std::uint8_t protocol, const std::string& payload, std::uint16_t id) {
  std::string out;
  if (ends.v6()) {
    put32(out, 0x6000'0000);
    put16(out, payload.size());
    put8(out, protocol);
    put8(out, hop_limit);
  } else {
    put16(out, 0x4500);
    put16(out, ipv4_header + payload.size());
    put16(out, id);
    put16(out, 0);
    put8(out, hop_limit);
    put8(out, protocol);
    put16(out, 0);
  }
  put_address(out, ends.from.ip, ends.v6());
  put_address(out, ends.to.ip, ends.v6());
  if (!ends.v6()) set16(out, 10, checksum(out));
  return out + payload;
}

std::string udp_datagram(const Ends& ends, std::string_view payload) {
  payload = payload.substr(0, udp_payload_max);
  std::string out;
  put16(out, ends.from.port);
  put16(out, ends.to.port);
  put16(out, udp_header + payload.size());
  put16(out, 0);
  out += payload;
  const std::uint16_t sum = checksum(pseudo_header(ends, protocol_udp, out.size()) + out);
  set16(out, 6, sum == 0 ? std::uint16_t{0xffff} : sum);  // 0 would say "none" (RFC 768)
  return out;
}

struct Stream {
  std::uint32_t sent = 1;  // next sequence number, by end
};

std::string tcp_segment(const Ends& ends, std::string_view payload, std::uint32_t sequence,
                        std::uint32_t acknowledged) {
  std::string out;
  put16(out, ends.from.port);
  put16(out, ends.to.port);
  put32(out, sequence);
  put32(out, acknowledged);
  put8(out, (tcp_header / 4) << 4U);
  put8(out, tcp_push_ack);
  put16(out, tcp_window);
  put16(out, 0);
  put16(out, 0);
  out += payload;
  set16(out, 16, checksum(pseudo_header(ends, protocol_tcp, out.size()) + out));
  return out;
}

class Capture {
 public:
  // The file header is in this machine's byte order, which its first word tells; here it is always
  // big-endian.
  Capture() {
    put32(out_, pcap_magic_us);
    put16(out_, 2);
    put16(out_, 4);
    put32(out_, 0);
    put32(out_, 0);
    put32(out_, snap_length);
    put32(out_, linktype_raw);
  }

  void add(const call::TraceMessage& message) {
    const Ends ends =
        message.sent ? Ends{message.local, message.remote} : Ends{message.remote, message.local};
    if (message.transport == Transport::udp) {
      packet(message.at, ip_packet(ends, protocol_udp, udp_datagram(ends, message.bytes), ++id_));
      return;
    }
    std::string_view rest = message.bytes;
    Stream& mine = streams_[{ends.from, ends.to}];
    const Stream& theirs = streams_[{ends.to, ends.from}];
    while (!rest.empty()) {
      const std::string_view part = rest.substr(0, tcp_segment_max);
      packet(message.at,
             ip_packet(ends, protocol_tcp, tcp_segment(ends, part, mine.sent, theirs.sent), ++id_));
      mine.sent += static_cast<std::uint32_t>(part.size());
      rest.remove_prefix(part.size());
    }
  }

  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  void packet(Time at, const std::string& bytes) {
    const std::int64_t us = std::max<std::int64_t>(0, to_micros(at));
    put32(out_, static_cast<std::uint32_t>(us / 1'000'000));
    put32(out_, static_cast<std::uint32_t>(us % 1'000'000));
    put32(out_, static_cast<std::uint32_t>(bytes.size()));
    put32(out_, static_cast<std::uint32_t>(bytes.size()));
    out_ += bytes;
  }

  std::string out_;
  std::uint16_t id_ = 0;
  std::map<std::pair<SocketAddress, SocketAddress>, Stream> streams_;
};

}  // namespace

std::string to_pcap(const std::vector<call::TraceMessage>& messages) {
  Capture capture;
  for (const call::TraceMessage& message : messages) capture.add(message);
  return capture.take();
}

}  // namespace baton::app
