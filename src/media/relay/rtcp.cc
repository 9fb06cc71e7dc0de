#include "media/relay/rtcp.h"

#include <algorithm>

namespace baton::media {
namespace {

constexpr std::uint8_t type_sr = 200, type_rr = 201, type_sdes = 202, type_bye = 203;
constexpr std::uint64_t unix_to_ntp_seconds = 2'208'988'800;
constexpr std::size_t cname_bytes_max = 32;
constexpr std::size_t receiver_bytes = 8, sender_bytes = 28, reception_bytes = 24;  // RFC 3550 6.4.1
constexpr Duration round_trip_max = 30s;

// Writes the header of a packet from `start` to `end`, which is a multiple of four.
void finish(std::uint8_t* start, const std::uint8_t* end, std::size_t count, std::uint8_t type) {
  start[0] = static_cast<std::uint8_t>(0x80 | count);
  start[1] = type;
  store16(start + 2, static_cast<std::uint32_t>((end - start) / 4 - 1));
}

std::uint8_t* put32(std::uint8_t* p, std::uint32_t value) {
  store32(p, value);
  return p + 4;
}

struct NtpTime {
  std::uint32_t seconds, fraction;
};

NtpTime to_ntp(Time time) {
  const auto micros = static_cast<std::uint64_t>(to_micros(time));
  return {static_cast<std::uint32_t>(micros / 1'000'000 + unix_to_ntp_seconds),
          static_cast<std::uint32_t>(((micros % 1'000'000) << 32) / 1'000'000)};
}

std::uint8_t* put_sender(std::uint8_t* p, const SenderInfo& info) {
  const NtpTime ntp = to_ntp(info.now);
  p = put32(p, ntp.seconds);
  p = put32(p, ntp.fraction);
  p = put32(p, info.timestamp);
  p = put32(p, info.packets);
  return put32(p, info.octets);
}

std::uint8_t* put_reception(std::uint8_t* p, const ReceptionReport& report) {
  p = put32(p, report.ssrc);
  p = put32(p, (std::uint32_t{report.fraction_lost} << 24) |
                   (static_cast<std::uint32_t>(report.cumulative_lost) & 0xff'ffffU));
  p = put32(p, report.highest_sequence);
  p = put32(p, report.jitter);
  p = put32(p, report.last_report);
  return put32(p, report.delay_since_last_report);
}

std::uint8_t* put_cname(std::uint8_t* p, std::uint32_t ssrc, std::string_view cname) {
  std::uint8_t* const start = p;
  p = put32(p + 4, ssrc);
  *p++ = 1;
  *p++ = static_cast<std::uint8_t>(cname.size());
  p = std::copy(cname.begin(), cname.end(), p);
  do *p++ = 0;  // at least one zero ends the list, then up to the next word
  while ((p - start) % 4 != 0);
  finish(start, p, 1, type_sdes);
  return p;
}

ReceptionReport get_reception(const std::uint8_t* p) {
  ReceptionReport report;
  report.ssrc = load32(p);
  report.fraction_lost = p[4];
  // 24 bits with a sign.
  report.cumulative_lost = static_cast<std::int32_t>(load32(p + 4) << 8) >> 8;
  report.highest_sequence = load32(p + 8);
  report.jitter = load32(p + 12);
  report.last_report = load32(p + 16);
  report.delay_since_last_report = load32(p + 20);
  return report;
}

}  // namespace

std::uint32_t middle_of_ntp(Time now) {
  const NtpTime ntp = to_ntp(now);
  return (ntp.seconds << 16) | (ntp.fraction >> 16);
}

std::optional<Duration> round_trip(Time now, const ReceptionReport& report) {
  if (report.last_report == 0) return std::nullopt;
  const auto units =
      static_cast<std::int32_t>(middle_of_ntp(now) - report.last_report - report.delay_since_last_report);
  const Duration took{std::int64_t{units} * 1'000'000 / 65'536};
  // Both ends round: on one machine it may seem to come back before it went.
  if (took < -2ms || took > round_trip_max) return std::nullopt;
  return std::max(took, Duration::zero());
}

std::size_t write_rtcp(RtcpBuffer& out, std::uint32_t ssrc, const std::optional<SenderInfo>& sender,
                       const std::optional<ReceptionReport>& reception, std::string_view cname, bool last) {
  std::uint8_t* const start = out.data();
  std::uint8_t* p = put32(start + 4, ssrc);
  if (sender) p = put_sender(p, *sender);
  if (reception) p = put_reception(p, *reception);
  finish(start, p, reception ? 1 : 0, sender ? type_sr : type_rr);
  p = put_cname(p, ssrc, cname.substr(0, cname_bytes_max));
  if (last) {
    std::uint8_t* const bye = p;
    p = put32(p + 4, ssrc);
    finish(bye, p, 1, type_bye);
  }
  return static_cast<std::size_t>(p - start);
}

std::optional<RtcpSeen> read_rtcp(std::span<const std::uint8_t> bytes, std::uint32_t ours) {
  RtcpSeen seen;
  bool first = true;
  while (!bytes.empty()) {
    if (bytes.size() < 8 || bytes[0] >> 6 != 2) return std::nullopt;
    const std::uint8_t type = bytes[1];
    if (first && type != type_sr && type != type_rr) return std::nullopt;
    const std::size_t size = std::size_t{4} * (load16(bytes.data() + 2) + 1U);
    if (size > bytes.size()) return std::nullopt;
    if (type == type_sr) {
      if (size < sender_bytes) return std::nullopt;
      seen.sender_report = true;
      seen.ssrc = load32(bytes.data() + 4);
      seen.middle_of_ntp = load32(bytes.data() + 10);
    }
    if (type == type_sr || type == type_rr) {
      const std::size_t start = type == type_sr ? sender_bytes : receiver_bytes;
      const std::size_t count = bytes[0] & 0x1fU;
      if (start + count * reception_bytes > size) return std::nullopt;
      for (std::size_t i = 0; i < count; ++i) {
        const std::uint8_t* block = bytes.data() + start + i * reception_bytes;
        if (load32(block) == ours) seen.about_us = get_reception(block);
      }
    }
    bytes = bytes.subspan(size);
    first = false;
  }
  if (first) return std::nullopt;
  return seen;
}

}  // namespace baton::media
