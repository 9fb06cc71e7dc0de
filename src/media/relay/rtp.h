// RTP packets (RFC 3550 5.1) as far as a relay reads and writes them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace baton::media {

inline constexpr std::size_t rtp_header_bytes = 12;

struct RtpHeader {
  bool marker = false;
  std::uint8_t payload_type = 0;
  std::uint16_t sequence = 0;
  std::uint32_t timestamp = 0;
  std::uint32_t ssrc = 0;
  bool operator==(const RtpHeader&) const = default;
};

struct RtpPacket {
  RtpHeader header;
  std::size_t payload_offset = 0;  // behind contributing sources and extension
  std::size_t payload_size = 0;    // without padding
};

// Nothing when the version is wrong or the lengths do not add up.
[[nodiscard]] std::optional<RtpPacket> read_rtp(std::span<const std::uint8_t> bytes);

// Twelve octets: no padding, no extension, no contributing sources.
void write_rtp_header(const RtpHeader& header, std::uint8_t* out);

[[nodiscard]] inline std::uint16_t load16(const std::uint8_t* p) {
  return static_cast<std::uint16_t>((p[0] << 8) | p[1]);
}
[[nodiscard]] inline std::uint32_t load32(const std::uint8_t* p) {
  return (std::uint32_t{load16(p)} << 16) | load16(p + 2);
}
inline void store16(std::uint8_t* p, std::uint32_t value) {
  p[0] = static_cast<std::uint8_t>(value >> 8);
  p[1] = static_cast<std::uint8_t>(value);
}
inline void store32(std::uint8_t* p, std::uint32_t value) {
  store16(p, value >> 16);
  store16(p + 2, value);
}

}  // namespace baton::media
