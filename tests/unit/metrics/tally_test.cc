#include "metrics/tally.h"

#include <gtest/gtest.h>

#include <set>

#include "call/hangup.h"

namespace baton::metrics {
namespace {

call::Cdr cdr(int code, Duration answered_after, Duration talked, const std::string& transfer = "") {
  call::Cdr cdr;
  cdr.hangup_code = code;
  cdr.transfer_id = transfer;
  cdr.answered_at = cdr.initiated_at + answered_after;
  cdr.ended_at = *cdr.answered_at + talked;
  return cdr;
}

template <std::size_t N>
std::uint64_t total(const Histogram<N>& histogram) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i <= N; ++i) sum += histogram.count(i);
  return sum;
}

TEST(Histogram, AValueAtABoundIsBelowIt) {
  Histogram<2> histogram({1, 5});
  for (const double value : {0.5, 1.0, 1.1, 5.0, 5.1, 100.0}) histogram.observe(value);
  EXPECT_EQ(histogram.count(0), 2U);
  EXPECT_EQ(histogram.count(1), 2U);
  EXPECT_EQ(histogram.count(2), 2U);
  EXPECT_DOUBLE_EQ(histogram.sum(), 112.7);
}

TEST(Tally, EveryHangUpCodeHasAPlaceOfItsOwn) {
  std::set<std::size_t> places;
  unsigned codes = 0;
  for (int code = 1; code < 10'000; ++code) {
    const auto hangup = static_cast<call::Hangup>(code);
    // What has no name is called as an error of ours is.
    if (to_string(hangup) == to_string(call::Hangup::internal_error) &&
        hangup != call::Hangup::internal_error)
      continue;
    ++codes;
    EXPECT_TRUE(places.insert(cause_index(code)).second) << code;
    EXPECT_EQ(cause_at(cause_index(code)), code);
  }
  EXPECT_GT(codes, 30U);
  EXPECT_EQ(cause_at(cause_index(9'999)), 0);
  EXPECT_EQ(cause_index(9'999), cause_index(-1));
}

TEST(Tally, CallRecordsOfBothLegs) {
  Tally tally;
  tally.count(cdr(3050, 2s, 40s));
  tally.count(cdr(3000, 0s, 100s, "a transfer"));
  call::Cdr unanswered;
  unanswered.hangup_code = 4410;
  tally.count(unanswered);
  EXPECT_EQ(tally.original.by_cause[cause_index(3050)], 1U);
  EXPECT_EQ(tally.original.by_cause[cause_index(4410)], 1U);
  EXPECT_EQ(tally.original.by_cause[cause_index(3000)], 0U);
  EXPECT_EQ(tally.transfer.by_cause[cause_index(3000)], 1U);
  EXPECT_EQ(total(tally.original.talked), 1U) << "one that was not answered did not talk";
  EXPECT_DOUBLE_EQ(tally.original.talked.sum(), 40);
  EXPECT_DOUBLE_EQ(tally.original.set_up.sum(), 2);
  EXPECT_DOUBLE_EQ(tally.transfer.talked.sum(), 100);
}

TEST(Tally, TransfersByOutcome) {
  Tally tally;
  call::TransferRecord record;
  record.outcome = "transferred";
  record.ended_at = record.started_at + 3s;
  tally.count(record);
  record.outcome = "failed";
  tally.count(record);
  record.outcome = "something new";
  tally.count(record);
  EXPECT_EQ(tally.transfers.count(tally.transfers.index("transferred")), 1U);
  EXPECT_EQ(tally.transfers.count(tally.transfers.index("failed")), 1U);
  EXPECT_EQ(tally.transfers.count(tally.transfers.index("other")), 1U);
  EXPECT_EQ(total(tally.transfer_took), 1U) << "of those that succeeded only";
  EXPECT_DOUBLE_EQ(tally.transfer_took.sum(), 3);
}

TEST(Tally, TheAudioOfALeg) {
  Tally tally;
  call::LegQuality quality;
  quality.codec = "opus";
  quality.packets_received = 990;
  quality.lost = 10;
  quality.jitter_us = 4'000;
  quality.mos = 421;
  quality.packets_sent = 1'000;
  quality.reported_lost = 50;
  quality.reported_mos = 300;
  quality.round_trip_us = 80'000;
  quality.packets_dropped = 3;
  tally.count(quality);
  const std::size_t opus = tally.received.packets.index("opus");
  EXPECT_EQ(tally.received.packets.count(opus), 990U);
  EXPECT_EQ(tally.received.lost.count(opus), 10U);
  EXPECT_DOUBLE_EQ(tally.received.loss.sum(), 0.01);
  EXPECT_DOUBLE_EQ(tally.received.jitter.sum(), 0.004);
  EXPECT_DOUBLE_EQ(tally.received.mos.sum(), 4.21);
  EXPECT_EQ(tally.sent.packets.count(opus), 1'000U);
  EXPECT_DOUBLE_EQ(tally.sent.loss.sum(), 0.05);
  EXPECT_DOUBLE_EQ(tally.sent.mos.sum(), 3);
  EXPECT_EQ(total(tally.sent.jitter), 0U) << "nobody reported any";
  EXPECT_DOUBLE_EQ(tally.round_trip.sum(), 0.08);
  EXPECT_EQ(tally.packets_dropped.count(opus), 3U);
}

TEST(Tally, ALegWithoutAudioAndFiguresOfAHostileReport) {
  Tally tally;
  tally.count(call::LegQuality{});
  EXPECT_EQ(total(tally.received.loss) + total(tally.sent.loss) + total(tally.received.mos), 0U);
  call::LegQuality quality;
  quality.codec = "x\"}\nfake 1";
  quality.packets_received = 5;
  quality.packets_sent = 10;
  quality.reported_lost = -3;  // duplicates (RFC 3550 6.4.1)
  tally.count(quality);
  EXPECT_EQ(tally.received.packets.count(tally.received.packets.index("other")), 5U);
  EXPECT_DOUBLE_EQ(tally.sent.loss.sum(), 0);
}

TEST(Tally, RecordingsByStatusAndNothingOfTraces) {
  Tally tally;
  call::RecordingRecord record;
  record.status = "complete";
  tally.count(record);
  tally.count(call::TraceMessage{});
  EXPECT_EQ(tally.recordings.count(0), 1U);
}

}  // namespace
}  // namespace baton::metrics
