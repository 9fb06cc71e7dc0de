// The two ends of a party's audio: the one stream it hears from us, and what it sends to us.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "base/time.h"
#include "media/port.h"
#include "media/relay/rtp.h"

namespace baton::media {

// RTP clock ticks in a span of time; `clock`: Hz.
[[nodiscard]] constexpr std::int64_t to_ticks(Duration d, std::uint32_t clock = 8'000) {
  return d.count() * (clock / 1'000) / 1'000;
}

[[nodiscard]] constexpr std::uint32_t ticks_to_us(std::uint32_t ticks, std::uint32_t clock_rate = 8'000) {
  constexpr std::uint64_t most = 60'000'000;
  return static_cast<std::uint32_t>(std::min(std::uint64_t{ticks} * 1'000'000 / clock_rate, most));
}

// The mean and the highest of a figure.
class Average {
 public:
  void add(std::uint32_t value) {
    sum_ += value;
    ++count_;
    max_ = std::max(max_, value);
  }
  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] std::uint32_t mean() const {
    return count_ == 0 ? 0 : static_cast<std::uint32_t>(sum_ / count_);
  }
  [[nodiscard]] std::uint32_t max() const { return max_; }

 private:
  std::uint64_t sum_ = 0;
  std::uint32_t count_ = 0, max_ = 0;
};

// What a party hears: one SSRC, sequence numbers without a step and a time line that never runs back,
// whatever source is behind it (RFC 3550 5.1). Lives as long as its endpoint.
class OutputStream {
 public:
  OutputStream(std::uint32_t ssrc, std::uint16_t first_sequence, std::uint32_t first_timestamp);

  // The next packet is from another source: it follows on the last one sent, at the time that has passed
  // since.
  void cut() { cut_ = true; }

  // The clock of what is sent from now on, Hz. The stream stays one, so its time line goes on where it
  // stands.
  void set_clock(Time now, std::uint32_t clock);
  [[nodiscard]] std::uint32_t clock() const { return clock_; }

  // The header under which a packet of the present source goes out, without payload type. Losses and order of
  // the source stay visible to the listener. Nothing: the packet is older than the switch to this source.
  [[nodiscard]] std::optional<RtpHeader> relay(Time now, const RtpHeader& in);

  // The header under which a packet that is no audio goes out among those we make ourselves. Packets of one
  // time stamp keep one (RFC 4733 2.5.1.2).
  [[nodiscard]] RtpHeader insert(Time now, const RtpHeader& in);

  // A packet of the present source that the listener is not to get: its number goes to the next one, so that
  // it is not taken for lost.
  void leave_out(const RtpHeader& in);

  // The header of a packet we make ourselves, `ticks` after the one before (more than one packet time when
  // some were skipped).
  [[nodiscard]] RtpHeader generate(Time now, std::uint32_t ticks);

  // The header of a packet of a telephone-event that began at `timestamp`, which next_timestamp() gave (RFC
  // 4733 2.2.1: it stays the same). What follows goes on at the time that has passed since.
  [[nodiscard]] RtpHeader event(Time now, std::uint32_t timestamp, bool first);
  [[nodiscard]] std::uint32_t next_timestamp(Time now) const { return timestamp_after_cut(now); }

  void count_sent(std::size_t payload_bytes) {
    ++packets_;
    octets_ += static_cast<std::uint32_t>(payload_bytes);
  }

  [[nodiscard]] std::uint32_t ssrc() const { return ssrc_; }
  [[nodiscard]] std::uint32_t packets() const { return packets_; }
  [[nodiscard]] std::uint32_t octets() const { return octets_; }
  // Where the time line stands at `now`.
  [[nodiscard]] std::uint32_t timestamp_at(Time now) const;

 private:
  [[nodiscard]] std::uint32_t timestamp_after_cut(Time now) const;
  void moved_to(Time now, std::uint16_t sequence, std::uint32_t timestamp);

  std::uint32_t ssrc_;
  std::uint32_t clock_ = 8'000;
  std::uint16_t sequence_;   // the highest sent; before the first packet, one below the first
  std::uint32_t timestamp_;  // the latest sent; before the first packet, the first
  Time timestamp_at_{};      // when it was sent
  bool started_ = false;
  bool cut_ = true;
  std::uint16_t source_base_ = 0;      // the source's sequence number at the switch
  std::uint32_t since_cut_ = 0;        // packets since then
  std::uint16_t sequence_offset_ = 0;  // ours minus the source's
  std::uint32_t timestamp_offset_ = 0;
  std::optional<std::uint32_t> inserted_from_;  // the time stamp it came with
  std::uint32_t inserted_at_ = 0;               // and the one it got
  std::uint32_t packets_ = 0;
  std::uint32_t octets_ = 0;
};

// What a party's reception looks like in a report (RFC 3550 6.4.1).
struct ReceptionReport {
  std::uint32_t ssrc = 0;
  std::uint8_t fraction_lost = 0;
  std::int32_t cumulative_lost = 0;
  std::uint32_t highest_sequence = 0;
  std::uint32_t jitter = 0;
  std::uint32_t last_report = 0;
  std::uint32_t delay_since_last_report = 0;
};

// What a party sends: which SSRC is the live one, and how well it arrives.
class ReceivedStream {
 public:
  enum class Verdict : std::uint8_t {
    current,
    restarted,  // the first packet, a new SSRC, or a jump: listeners must not see it
    stray,      // another SSRC while the known one is alive; to be dropped
  };

  // `audio`: false for telephone-events, whose time stamps say nothing about arrival (RFC 4733 2.3). `clock`:
  // of the time stamp, Hz.
  [[nodiscard]] Verdict packet(Time now, const RtpHeader& header, bool audio, std::uint32_t clock = 8'000);

  [[nodiscard]] std::uint32_t clock() const { return clock_; }

  void sender_report(Time now, std::uint32_t ssrc, std::uint32_t middle_of_ntp);

  // For the report that is about to be sent; nothing when no packet has come since the last one.
  [[nodiscard]] std::optional<ReceptionReport> report(Time now);

  // The next packet begins a stream, whoever sends it: it need not wait for the one before to fall silent.
  void forget();

  // Of all streams since the start; nothing before the first packet.
  [[nodiscard]] std::optional<Reception> totals() const;

 private:
  void start(Time now, const RtpHeader& header);
  [[nodiscard]] bool takes_over(Time now, const RtpHeader& header);
  [[nodiscard]] bool time_line_broken(Time now, const RtpHeader& header) const;
  void measure_jitter(Time now, std::uint32_t timestamp);

  bool started_ = false;
  std::uint32_t ssrc_ = 0;
  std::uint32_t clock_ = 8'000;
  Time last_at_{};
  std::uint32_t last_timestamp_ = 0;
  std::optional<RtpHeader> candidate_;  // the last packet of another SSRC
  std::uint16_t highest_ = 0;
  std::uint32_t cycles_ = 0;
  std::uint32_t base_ = 0;
  std::uint32_t received_ = 0, expected_before_ = 0, received_before_ = 0;
  std::uint64_t packets_before_ = 0, lost_before_ = 0;  // of earlier streams
  Average jitter_us_;
  bool has_transit_ = false;
  std::uint32_t transit_ = 0;
  std::uint32_t jitter_ = 0;  // times 16
  std::uint32_t report_middle_ = 0;
  Time report_at_{};
};

}  // namespace baton::media
