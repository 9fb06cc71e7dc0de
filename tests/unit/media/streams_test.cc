#include "media/relay/streams.h"

#include <gtest/gtest.h>

namespace baton::media {
namespace {

using Verdict = ReceivedStream::Verdict;
const Time start = from_micros(1'000'000'000);

RtpHeader audio(std::uint16_t sequence, std::uint32_t timestamp, std::uint32_t ssrc = 1) {
  return {false, 0, sequence, timestamp, ssrc};
}

TEST(OutputStream, FirstPacketHasFirstNumbersAndMarker) {
  OutputStream out(9, 65'535, 77);
  const auto header = out.relay(start, audio(500, 1'000));
  ASSERT_TRUE(header);
  EXPECT_EQ(*header, (RtpHeader{true, 0, 65'535, 77, 9}));
  EXPECT_EQ(*out.relay(start + 20ms, audio(501, 1'160)), (RtpHeader{false, 0, 0, 237, 9}));
}

TEST(OutputStream, LossOrderAndMarkerOfTheSourceStayVisible) {
  OutputStream out(9, 100, 0);
  static_cast<void>(out.relay(start, audio(10, 0)));
  EXPECT_EQ(out.relay(start + 60ms, audio(13, 480))->sequence, 103);
  EXPECT_EQ(out.relay(start + 61ms, audio(12, 320))->sequence, 102);
  RtpHeader talk_spurt = audio(14, 8'000);
  talk_spurt.marker = true;
  const auto header = out.relay(start + 1s, talk_spurt);
  EXPECT_TRUE(header->marker);
  EXPECT_EQ(header->timestamp, 8'000U);
}

TEST(OutputStream, SwitchGoesOnWithoutAStep) {
  OutputStream out(9, 100, 5'000);
  static_cast<void>(out.relay(start, audio(10, 0)));
  static_cast<void>(out.relay(start + 20ms, audio(11, 160)));
  out.cut();
  const auto first = out.relay(start + 50ms, audio(60'000, 4'000'000'000, 2));
  EXPECT_EQ(*first, (RtpHeader{true, 0, 102, 5'000 + 160 + 240, 9}));
  EXPECT_EQ(out.relay(start + 70ms, audio(60'001, 4'000'000'160, 2))->timestamp, first->timestamp + 160);
}

TEST(OutputStream, QuickSwitchesNeverTurnTheTimeLineBack) {
  OutputStream out(9, 100, 0xffff'ff00);
  std::uint32_t last = 0;
  std::uint16_t sequence = 99;
  for (unsigned i = 0; i < 50; ++i) {
    out.cut();
    const auto header = out.relay(start + i * 1ms, audio(static_cast<std::uint16_t>(i * 977), 99U * i));
    EXPECT_EQ(header->sequence, static_cast<std::uint16_t>(sequence + 1));
    if (i > 0) {
      EXPECT_GT(static_cast<std::int32_t>(header->timestamp - last), 0);
    }
    sequence = header->sequence;
    last = header->timestamp;
  }
}

TEST(OutputStream, PacketsFromBeforeTheSwitchAreStale) {
  OutputStream out(9, 100, 0);
  static_cast<void>(out.relay(start, audio(10, 0)));
  out.cut();
  EXPECT_EQ(out.relay(start + 20ms, audio(500, 0, 2))->sequence, 101);
  EXPECT_FALSE(out.relay(start + 21ms, audio(499, 0, 2)));
  EXPECT_EQ(out.relay(start + 40ms, audio(501, 160, 2))->sequence, 102);
}

TEST(OutputStream, LongStreamsOutliveTheSequenceCircle) {
  OutputStream out(9, 0, 0);
  for (unsigned i = 0; i < 200'000; ++i) {
    const auto header = out.relay(start + i * 20ms, audio(static_cast<std::uint16_t>(30'000 + i), 160 * i));
    ASSERT_TRUE(header) << i;
    ASSERT_EQ(header->sequence, static_cast<std::uint16_t>(i));
    ASSERT_EQ(header->timestamp, 160 * i);
  }
}

TEST(OutputStream, ToneAndPartyShareOneLine) {
  OutputStream out(9, 100, 0);
  EXPECT_EQ(out.generate(start, 160), (RtpHeader{true, 0, 100, 0, 9}));
  EXPECT_EQ(out.generate(start + 21ms, 160), (RtpHeader{false, 0, 101, 160, 9}));
  EXPECT_EQ(out.generate(start + 100ms, 640), (RtpHeader{false, 0, 102, 800, 9}));
  out.cut();
  EXPECT_EQ(*out.relay(start + 120ms, audio(7, 7)), (RtpHeader{true, 0, 103, 960, 9}));
  out.cut();
  EXPECT_EQ(out.generate(start + 1'120ms, 160), (RtpHeader{true, 0, 104, 8'960, 9}));
}

TEST(OutputStream, TelephoneEventsKeepTheirTime) {
  OutputStream out(9, 100, 0);
  static_cast<void>(out.relay(start, audio(1, 1'000)));
  EXPECT_EQ(out.relay(start + 20ms, audio(2, 1'160))->timestamp, 160U);
  EXPECT_EQ(out.relay(start + 40ms, audio(3, 1'160))->timestamp, 160U);
  EXPECT_EQ(out.relay(start + 60ms, audio(4, 1'160))->timestamp, 160U);
  // The line stands where the event began, so what follows a switch is late by its length, not on top of it.
  out.cut();
  EXPECT_EQ(out.relay(start + 80ms, audio(900, 5, 2))->timestamp, 160U + 480);
}

TEST(ReceivedStream, FirstPacketStarts) {
  ReceivedStream in;
  EXPECT_FALSE(in.report(start));
  EXPECT_EQ(in.packet(start, audio(10, 0), true), Verdict::restarted);
  EXPECT_EQ(in.packet(start + 20ms, audio(11, 160), true), Verdict::current);
}

TEST(ReceivedStream, OneStrayPacketDoesNothingTwoInOrderTakeOver) {
  ReceivedStream in;
  static_cast<void>(in.packet(start, audio(10, 0), true));
  EXPECT_EQ(in.packet(start + 5ms, audio(900, 0, 2), true), Verdict::stray);
  EXPECT_EQ(in.packet(start + 20ms, audio(11, 160), true), Verdict::current);
  EXPECT_EQ(in.packet(start + 25ms, audio(950, 0, 2), true), Verdict::stray);
  EXPECT_EQ(in.packet(start + 45ms, audio(951, 160, 2), true), Verdict::restarted);
  EXPECT_EQ(in.packet(start + 46ms, audio(12, 320, 1), true), Verdict::stray);
}

TEST(ReceivedStream, SilentSourceIsReplacedAtOnce) {
  ReceivedStream in;
  static_cast<void>(in.packet(start, audio(10, 0), true));
  EXPECT_EQ(in.packet(start + 60ms, audio(900, 0, 2), true), Verdict::restarted);
}

TEST(ReceivedStream, JumpsOfSequenceOrTimeRestart) {
  ReceivedStream in;
  static_cast<void>(in.packet(start, audio(10, 0), true));
  EXPECT_EQ(in.packet(start + 20ms, audio(30'000, 160), true), Verdict::restarted);
  EXPECT_EQ(in.packet(start + 40ms, audio(30'001, 320), true), Verdict::current);
  EXPECT_EQ(in.packet(start + 60ms, audio(30'002, 3'000'000), true), Verdict::restarted);
  EXPECT_EQ(in.packet(start + 80ms, audio(30'003, 3'000'160), true), Verdict::current);
  // A pause of the speaker is not a jump: time has passed as well.
  EXPECT_EQ(in.packet(start + 60s, audio(30'004, 3'000'160 + 479'360), true), Verdict::current);
}

TEST(ReceivedStream, ReportsLossAsTheRfcCounts) {
  ReceivedStream in;
  for (std::uint16_t i = 0; i < 10; ++i) {
    if (i == 3 || i == 4) continue;
    static_cast<void>(
        in.packet(start + i * 20ms, audio(static_cast<std::uint16_t>(65'530 + i), 160U * i), true));
  }
  const auto report = in.report(start + 200ms);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->ssrc, 1U);
  EXPECT_EQ(report->cumulative_lost, 2);
  EXPECT_EQ(report->fraction_lost, 2 * 256 / 10);
  EXPECT_EQ(report->highest_sequence, 65'530U + 9);
  EXPECT_EQ(report->jitter, 0U);
  EXPECT_FALSE(in.report(start + 201ms));
}

TEST(ReceivedStream, MeasuresJitter) {
  ReceivedStream in;
  for (unsigned i = 0; i < 500; ++i) {
    const Duration late = i % 2 == 0 ? 0ms : 10ms;
    static_cast<void>(
        in.packet(start + i * 20ms + late, audio(static_cast<std::uint16_t>(i), 160 * i), true));
  }
  EXPECT_NEAR(in.report(start + 10s)->jitter, 80, 6);
}

TEST(ReceivedStream, TellsWhenTheLastSenderReportCame) {
  ReceivedStream in;
  static_cast<void>(in.packet(start, audio(10, 0), true));
  in.sender_report(start, 2, 99);
  EXPECT_EQ(in.report(start)->last_report, 0U);
  in.sender_report(start, 1, 99);
  static_cast<void>(in.packet(start + 20ms, audio(11, 160), true));
  const auto report = in.report(start + 1'500ms);
  EXPECT_EQ(report->last_report, 99U);
  EXPECT_EQ(report->delay_since_last_report, 65'536U + 32'768);
}

TEST(ReceivedStream, TotalsSpanEveryStreamOfTheParty) {
  ReceivedStream in;
  EXPECT_FALSE(in.totals());
  Time now = from_micros(1'000'000);
  RtpHeader header{false, 0, 100, 0, 1};
  const auto feed = [&](unsigned packets) {
    for (unsigned i = 0; i < packets; ++i) {
      static_cast<void>(in.packet(now, header, true));
      now += 20ms;
      ++header.sequence;
      header.timestamp += 160;
    }
  };
  feed(10);
  header.sequence = static_cast<std::uint16_t>(header.sequence + 3);  // three are lost
  feed(10);
  ASSERT_TRUE(in.totals());
  EXPECT_EQ(in.totals()->packets, 20U);
  EXPECT_EQ(in.totals()->lost, 3U);
  in.forget();
  EXPECT_EQ(in.totals()->packets, 20U);
  header = {false, 0, 40'000, 7, 2};
  feed(5);
  now += 1s;
  header = {false, 0, 9, 7, 3};  // and another SSRC
  feed(5);
  EXPECT_EQ(in.totals()->packets, 30U);
  EXPECT_EQ(in.totals()->lost, 3U);
  // Repeats make up for no loss of another stream.
  --header.sequence;
  static_cast<void>(in.packet(now, header, true));
  EXPECT_EQ(in.totals()->lost, 3U);
  EXPECT_EQ(in.totals()->packets, 31U);
}

}  // namespace
}  // namespace baton::media
