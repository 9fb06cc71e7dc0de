#include "media/relay/streams.h"

#include <algorithm>
#include <cstdlib>

namespace baton::media {
namespace {

constexpr std::uint32_t least_step_ms = 20;    // one packet
constexpr std::uint32_t reorder_window = 100;  // RFC 3550 A.1, MAX_MISORDER
constexpr std::uint32_t dropout_max = 3'000;   // RFC 3550 A.1, MAX_DROPOUT
constexpr Duration time_line_slack = 10s;
// An SSRC that is silent for so long is not defended against another one.
constexpr Duration takeover_after = 60ms;

std::uint16_t add(std::uint16_t a, int b) {
  return static_cast<std::uint16_t>(a + b);
}

// a - b on the circle of sequence numbers.
int distance(std::uint16_t a, std::uint16_t b) {
  return static_cast<std::int16_t>(add(a, -int{b}));
}

std::int32_t distance(std::uint32_t a, std::uint32_t b) {
  return static_cast<std::int32_t>(a - b);
}

}  // namespace

OutputStream::OutputStream(std::uint32_t ssrc, std::uint16_t first_sequence, std::uint32_t first_timestamp)
    : ssrc_(ssrc), sequence_(add(first_sequence, -1)), timestamp_(first_timestamp) {}

std::uint32_t OutputStream::timestamp_at(Time now) const {
  if (!started_ || now <= timestamp_at_) return timestamp_;
  return timestamp_ + static_cast<std::uint32_t>(to_ticks(now - timestamp_at_, clock_));
}

std::uint32_t OutputStream::timestamp_after_cut(Time now) const {
  if (!started_) return timestamp_;
  const std::uint32_t by_clock = timestamp_at(now) - timestamp_;
  return timestamp_ + std::max(by_clock, clock_ / 1'000 * least_step_ms);
}

void OutputStream::moved_to(Time now, std::uint16_t sequence, std::uint32_t timestamp) {
  if (!started_ || distance(sequence, sequence_) > 0) sequence_ = sequence;
  if (!started_ || distance(timestamp, timestamp_) > 0) {
    timestamp_ = timestamp;
    timestamp_at_ = now;
  }
  started_ = true;
}

void OutputStream::set_clock(Time now, std::uint32_t clock) {
  if (clock == clock_) return;
  if (started_) {
    timestamp_ = timestamp_at(now);
    timestamp_at_ = now;
  }
  clock_ = clock;
}

std::optional<RtpHeader> OutputStream::relay(Time now, const RtpHeader& in) {
  RtpHeader out{in.marker, 0, 0, 0, ssrc_};
  if (cut_) {
    cut_ = false;
    source_base_ = in.sequence;
    since_cut_ = 0;
    sequence_offset_ = add(add(sequence_, 1), -int{in.sequence});
    timestamp_offset_ = timestamp_after_cut(now) - in.timestamp;
    out.marker = true;
  } else if (since_cut_ < 2 * reorder_window && distance(in.sequence, source_base_) < 0) {
    return std::nullopt;
  }
  if (since_cut_ < 2 * reorder_window) ++since_cut_;
  out.sequence = add(in.sequence, sequence_offset_);
  out.timestamp = in.timestamp + timestamp_offset_;
  moved_to(now, out.sequence, out.timestamp);
  return out;
}

RtpHeader OutputStream::insert(Time now, const RtpHeader& in) {
  if (inserted_from_ != in.timestamp) {
    inserted_from_ = in.timestamp;
    inserted_at_ = cut_ ? timestamp_after_cut(now) : timestamp_at(now);
  }
  const RtpHeader out{in.marker, 0, add(sequence_, 1), inserted_at_, ssrc_};
  sequence_ = out.sequence;
  if (!started_) moved_to(now, out.sequence, out.timestamp);
  return out;
}

void OutputStream::leave_out(const RtpHeader& in) {
  // Out of order its number has been skipped already.
  if (!cut_ && in.sequence == static_cast<std::uint16_t>(add(sequence_, 1) - sequence_offset_)) {
    sequence_offset_ = add(sequence_offset_, -1);
  }
}

RtpHeader OutputStream::generate(Time now, std::uint32_t ticks) {
  RtpHeader out{cut_, 0, add(sequence_, 1), cut_ ? timestamp_after_cut(now) : timestamp_ + ticks, ssrc_};
  cut_ = false;
  moved_to(now, out.sequence, out.timestamp);
  return out;
}

RtpHeader OutputStream::event(Time now, std::uint32_t timestamp, bool first) {
  const RtpHeader out{first, 0, add(sequence_, 1), timestamp, ssrc_};
  moved_to(now, out.sequence, out.timestamp);
  cut_ = true;
  return out;
}

void ReceivedStream::forget() {
  const auto so_far = totals();
  packets_before_ = so_far ? so_far->packets : 0;
  lost_before_ = so_far ? so_far->lost : 0;
  started_ = false;
  received_ = 0;
}

std::optional<Reception> ReceivedStream::totals() const {
  if (!started_ && packets_before_ == 0) return std::nullopt;
  Reception totals{packets_before_ + received_, lost_before_, jitter_us_.mean(), jitter_us_.max()};
  // Repeats may make up for losses, never for more.
  if (started_) {
    totals.lost +=
        static_cast<std::uint32_t>(std::max(distance(cycles_ + highest_ - base_ + 1, received_), 0));
  }
  return totals;
}

void ReceivedStream::start(Time now, const RtpHeader& header) {
  forget();
  started_ = true;
  ssrc_ = header.ssrc;
  last_at_ = now;
  last_timestamp_ = header.timestamp;
  candidate_.reset();
  highest_ = header.sequence;
  base_ = header.sequence;
  cycles_ = 0;
  received_ = 1;
  expected_before_ = received_before_ = 0;
  has_transit_ = false;
  jitter_ = 0;
  report_middle_ = 0;
}

// RFC 3550 A.1 wants two packets in order before it believes in a source; so a single forged one does
// nothing.
bool ReceivedStream::takes_over(Time now, const RtpHeader& header) {
  if (now - last_at_ >= takeover_after) return true;
  if (candidate_ && candidate_->ssrc == header.ssrc && header.sequence == add(candidate_->sequence, 1)) {
    return true;
  }
  candidate_ = header;
  return false;
}

bool ReceivedStream::time_line_broken(Time now, const RtpHeader& header) const {
  const std::int64_t step = distance(header.timestamp, last_timestamp_);
  return std::abs(step - to_ticks(now - last_at_, clock_)) > to_ticks(time_line_slack, clock_);
}

// RFC 3550 A.8
void ReceivedStream::measure_jitter(Time now, std::uint32_t timestamp) {
  const std::uint32_t arrival = static_cast<std::uint32_t>(to_ticks(now.time_since_epoch(), clock_));
  const std::uint32_t transit = arrival - timestamp;
  if (has_transit_) {
    const auto change = static_cast<std::uint32_t>(std::abs(distance(transit, transit_)));
    jitter_ += change - ((jitter_ + 8) >> 4);
    jitter_us_.add(ticks_to_us(jitter_ >> 4, clock_));
  }
  transit_ = transit;
  has_transit_ = true;
}

ReceivedStream::Verdict ReceivedStream::packet(Time now, const RtpHeader& header, bool audio,
                                               std::uint32_t clock) {
  if (audio && clock != clock_) {
    clock_ = clock;
    last_timestamp_ = header.timestamp;
    last_at_ = now;
    has_transit_ = false;
    jitter_ = 0;
  }
  if (!started_ || (header.ssrc != ssrc_ && takes_over(now, header))) {
    start(now, header);
    if (audio) measure_jitter(now, header.timestamp);
    return Verdict::restarted;
  }
  if (header.ssrc != ssrc_) return Verdict::stray;
  const std::uint16_t ahead = add(header.sequence, -int{highest_});
  const bool late = ahead == 0 || ahead > 0x10000 - reorder_window;
  if (!late && ahead >= dropout_max) {
    start(now, header);
    return Verdict::restarted;
  }
  ++received_;
  if (late) return Verdict::current;
  const bool broken = time_line_broken(now, header);
  if (header.sequence < highest_) cycles_ += 0x10000;
  highest_ = header.sequence;
  last_at_ = now;
  last_timestamp_ = header.timestamp;
  if (broken) has_transit_ = false;
  if (audio) measure_jitter(now, header.timestamp);
  return broken ? Verdict::restarted : Verdict::current;
}

void ReceivedStream::sender_report(Time now, std::uint32_t ssrc, std::uint32_t middle_of_ntp) {
  if (!started_ || ssrc != ssrc_) return;
  report_middle_ = middle_of_ntp;
  report_at_ = now;
}

// RFC 3550 A.3
std::optional<ReceptionReport> ReceivedStream::report(Time now) {
  if (!started_ || received_ == received_before_) return std::nullopt;
  ReceptionReport report;
  report.ssrc = ssrc_;
  report.highest_sequence = cycles_ + highest_;
  const std::uint32_t expected = report.highest_sequence - base_ + 1;
  report.cumulative_lost = std::clamp(distance(expected, received_), -0x800000, 0x7fffff);
  const std::uint32_t expected_now = expected - expected_before_;
  const std::int32_t lost_now = distance(expected_now, received_ - received_before_);
  expected_before_ = expected;
  received_before_ = received_;
  if (expected_now != 0 && lost_now > 0) {
    const std::uint64_t fraction = (std::uint64_t{static_cast<std::uint32_t>(lost_now)} << 8) / expected_now;
    report.fraction_lost = static_cast<std::uint8_t>(std::min<std::uint64_t>(fraction, 255));
  }
  report.jitter = jitter_ >> 4;
  if (report_middle_ != 0) {
    report.last_report = report_middle_;
    report.delay_since_last_report =
        static_cast<std::uint32_t>((now - report_at_).count() * 65'536 / 1'000'000);
  }
  return report;
}

}  // namespace baton::media
