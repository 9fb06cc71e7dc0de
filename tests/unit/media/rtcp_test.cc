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
  const auto seen = read_rtcp({buffer.data(), size});
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
        const auto seen = read_rtcp({buffer.data(), size});
        ASSERT_TRUE(seen);
        EXPECT_EQ(seen->sender_report, sends);
        EXPECT_EQ(buffer[0] & 0x1f, receives ? 1 : 0);
        EXPECT_EQ(buffer[size - 7] == 203, last);
        for (std::size_t cut = 1; cut < size; ++cut) {
          if (cut % 4 != 0) {
            EXPECT_FALSE(read_rtcp({buffer.data(), cut}));
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

TEST(Rtcp, OtherThingsAreRefused) {
  RtcpBuffer buffer;
  const std::size_t size = write_rtcp(buffer, 1, sender, std::nullopt, "n", false);
  std::vector<std::uint8_t> bytes(buffer.data(), buffer.data() + size);
  EXPECT_FALSE(read_rtcp({}));
  auto version = bytes;
  version[0] = 0x40;
  EXPECT_FALSE(read_rtcp(version));
  auto type = bytes;
  type[1] = 202;  // a compound begins with a report
  EXPECT_FALSE(read_rtcp(type));
  auto length = bytes;
  length[3] = 200;
  EXPECT_FALSE(read_rtcp(length));
  auto short_report = bytes;
  short_report.resize(8);
  short_report[3] = 1;
  EXPECT_FALSE(read_rtcp(short_report));
}

}  // namespace
}  // namespace baton::media
