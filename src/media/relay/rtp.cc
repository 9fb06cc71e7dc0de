#include "media/relay/rtp.h"

namespace baton::media {

std::optional<RtpPacket> read_rtp(std::span<const std::uint8_t> bytes) {
  if (bytes.size() < rtp_header_bytes || bytes[0] >> 6 != 2) return std::nullopt;
  const bool padded = (bytes[0] & 0x20) != 0;
  const bool extended = (bytes[0] & 0x10) != 0;
  std::size_t offset = rtp_header_bytes + 4U * (bytes[0] & 0x0fU);
  if (extended) {
    if (bytes.size() < offset + 4) return std::nullopt;
    offset += 4 + std::size_t{4} * load16(bytes.data() + offset + 2);
  }
  if (bytes.size() < offset) return std::nullopt;
  std::size_t size = bytes.size() - offset;
  if (padded) {
    const std::size_t padding = bytes.back();
    if (padding == 0 || padding > size) return std::nullopt;
    size -= padding;
  }
  RtpPacket packet;
  packet.header.marker = (bytes[1] & 0x80) != 0;
  packet.header.payload_type = bytes[1] & 0x7f;
  packet.header.sequence = load16(bytes.data() + 2);
  packet.header.timestamp = load32(bytes.data() + 4);
  packet.header.ssrc = load32(bytes.data() + 8);
  packet.payload_offset = offset;
  packet.payload_size = size;
  return packet;
}

void write_rtp_header(const RtpHeader& header, std::uint8_t* out) {
  out[0] = 0x80;
  out[1] = static_cast<std::uint8_t>((header.marker ? 0x80 : 0) | (header.payload_type & 0x7f));
  store16(out + 2, header.sequence);
  store32(out + 4, header.timestamp);
  store32(out + 8, header.ssrc);
}

}  // namespace baton::media
