#include "media/relay/rtcp.h"

#include <gtest/gtest.h>

#include <vector>

namespace baton::media {
namespace {

const SenderInfo sender{from_micros(1'500'000), 0x11223344, 7, 1120};

TEST(Rtcp, SenderReportReadsBack) {
  RtcpBuffer buffer;
  const std::size_t size = write_rtcp(buffer, 0xabcdef01, sender, std::nullopt, "name", false);
  EXPECT_EQ(size % 4, 0U);
  const auto seen = read_rtcp({buffer.data(), size}, 1);
  ASSERT_TRUE(seen);
  EXPECT_TRUE(seen->sender_report);
  EXPECT_EQ(seen->ssrc, 0xabcdef01);
  // 1.5 s after 1970 in NTP time: 0x83aa7e81.80000000
  EXPECT_EQ(load32(buffer.data() + 8), 0x83aa7e81U);
  EXPECT_EQ(load32(buffer.data() + 12), 0x80000000U);
  EXPECT_EQ(seen->middle_of_ntp, 0x7e818000U);
  EXPECT_EQ(load32(buffer.data() + 16), 0x11223344U);
  EXPECT_EQ(load32(buffer.data() + 20), 7U);
}

TEST(Rtcp, EveryShapeAddsUp) {
  const ReceptionReport reception{1, 128, -1, 70'000, 9, 5, 6};
  for (const bool sends : {true, false}) {
    for (const bool receives : {true, false}) {
      for (const bool last : {true, false}) {
        RtcpBuffer buffer;
        const std::size_t size =
            write_rtcp(buffer, 1, sends ? std::optional(sender) : std::nullopt,
                       receives ? std::optional(reception) : std::nullopt, std::string(200, 'x'), last);
        ASSERT_LE(size, buffer.size());
        const auto seen = read_rtcp({buffer.data(), size}, 1);
        ASSERT_TRUE(seen);
        EXPECT_EQ(seen->sender_report, sends);
        EXPECT_EQ(buffer[0] & 0x1f, receives ? 1 : 0);
        EXPECT_EQ(buffer[size - 7] == 203, last);
        for (std::size_t cut = 1; cut < size; ++cut) {
          if (cut % 4 != 0) {
            EXPECT_FALSE(read_rtcp({buffer.data(), cut}, 1));
          }
        }
      }
    }
  }
}

TEST(Rtcp, NegativeLossIsTwentyFourBits) {
  RtcpBuffer buffer;
  static_cast<void>(write_rtcp(buffer, 1, std::nullopt, ReceptionReport{2, 3, -2, 0, 0, 0, 0}, "n", false));
  EXPECT_EQ(load32(buffer.data() + 12), 0x03fffffeU);
}

TEST(Rtcp, WhatThePeerSaysOfOurStream) {
  const ReceptionReport reception{0xfeed, 128, -2, 70'000, 9, 5, 6};
  for (const bool sends : {true, false}) {
    RtcpBuffer buffer;
    const std::size_t size =
        write_rtcp(buffer, 1, sends ? std::optional(sender) : std::nullopt, reception, "n", false);
    const auto seen = read_rtcp({buffer.data(), size}, 0xfeed);
    ASSERT_TRUE(seen && seen->about_us);
    EXPECT_EQ(seen->about_us->fraction_lost, 128);
    EXPECT_EQ(seen->about_us->cumulative_lost, -2);
    EXPECT_EQ(seen->about_us->highest_sequence, 70'000U);
    EXPECT_EQ(seen->about_us->jitter, 9U);
    EXPECT_EQ(seen->about_us->last_report, 5U);
    EXPECT_EQ(seen->about_us->delay_since_last_report, 6U);
    EXPECT_FALSE(read_rtcp({buffer.data(), size}, 0xdead)->about_us);
    buffer[0] = static_cast<std::uint8_t>(0x80 | 2);  // a block that is not there
    EXPECT_FALSE(read_rtcp({buffer.data(), size}, 0xfeed));
  }
}

TEST(Rtcp, RoundTripIsWhatNeitherEndHeldBack) {
  const Time sent = from_micros(1'790'000'000'123'456);
  ReceptionReport report;
  report.last_report = middle_of_ntp(sent);
  report.delay_since_last_report = 65'536 / 2;
  const auto took = round_trip(sent + 580ms, report);
  ASSERT_TRUE(took);
  EXPECT_NEAR(static_cast<double>(took->count()), 80'000, 50);
  EXPECT_EQ(round_trip(sent + 499ms, report), Duration::zero());  // rounded at both ends
  EXPECT_FALSE(round_trip(sent + 400ms, report));                 // held longer than it was away
  EXPECT_FALSE(round_trip(sent + 40s, report));
  report.last_report = 0;  // it has seen no report of ours
  EXPECT_FALSE(round_trip(sent + 580ms, report));
}

TEST(Rtcp, OtherThingsAreRefused) {
  RtcpBuffer buffer;
  const std::size_t size = write_rtcp(buffer, 1, sender, std::nullopt, "n", false);
  std::vector<std::uint8_t> bytes(buffer.data(), buffer.data() + size);
  EXPECT_FALSE(read_rtcp({}, 1));
  auto version = bytes;
  version[0] = 0x40;
  EXPECT_FALSE(read_rtcp(version, 1));
  auto type = bytes;
  type[1] = 202;  // a compound begins with a report
  EXPECT_FALSE(read_rtcp(type, 1));
  auto length = bytes;
  length[3] = 200;
  EXPECT_FALSE(read_rtcp(length, 1));
  auto short_report = bytes;
  short_report.resize(8);
  short_report[3] = 1;
  EXPECT_FALSE(read_rtcp(short_report, 1));
}

}  // namespace
}  // namespace baton::media
