// RTCP (RFC 3550 6) as far as one end of an audio stream needs it: its own reports, the peer's sender
// reports.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/time.h"
#include "media/relay/streams.h"

namespace baton::media {

using RtcpBuffer = std::array<std::uint8_t, 128>;

// What a sender report says about our stream; without it the report is a receiver's.
struct SenderInfo {
  Time now{};
  std::uint32_t timestamp = 0;  // RTP time at `now`
  std::uint32_t packets = 0;
  std::uint32_t octets = 0;
};

// A compound packet: SR or RR, SDES with the CNAME (at most 32 octets count), BYE when it is the last one
// (RFC 3550 6.1). Returns how much of `out` it took.
[[nodiscard]] std::size_t write_rtcp(RtcpBuffer& out, std::uint32_t ssrc,
                                     const std::optional<SenderInfo>& sender,
                                     const std::optional<ReceptionReport>& reception, std::string_view cname,
                                     bool last);

struct RtcpSeen {
  bool sender_report = false;
  std::uint32_t ssrc = 0;           // of the sender report
  std::uint32_t middle_of_ntp = 0;  // the middle 32 bits of its NTP time
  std::optional<ReceptionReport> about_us;
};

// `ours`: the SSRC whose reception is of interest. Nothing when it is not a compound packet that adds up (RFC
// 3550 A.2).
[[nodiscard]] std::optional<RtcpSeen> read_rtcp(std::span<const std::uint8_t> bytes, std::uint32_t ours);

// The middle 32 bits of the NTP time at `now`, as our sender reports have it: units of 1/65536 s.
[[nodiscard]] std::uint32_t middle_of_ntp(Time now);

// RFC 3550 6.4.1. Nothing when the report names no sender report of ours or can not be true.
[[nodiscard]] std::optional<Duration> round_trip(Time now, const ReceptionReport& report);

}  // namespace baton::media
