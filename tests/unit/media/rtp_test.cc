#include "media/relay/rtp.h"

#include <gtest/gtest.h>

#include <vector>

namespace baton::media {
namespace {

std::vector<std::uint8_t> packet(std::size_t payload_bytes) {
  std::vector<std::uint8_t> bytes(rtp_header_bytes + payload_bytes, 0x55);
  write_rtp_header({true, 101, 0xfffe, 0x80000001, 0xdeadbeef}, bytes.data());
  return bytes;
}

TEST(Rtp, WhatIsWrittenReadsBack) {
  const auto read = read_rtp(packet(160));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->header, (RtpHeader{true, 101, 0xfffe, 0x80000001, 0xdeadbeef}));
  EXPECT_EQ(read->payload_offset, 12U);
  EXPECT_EQ(read->payload_size, 160U);
}

TEST(Rtp, EveryCutShortHeaderIsRefused) {
  const auto whole = packet(0);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(read_rtp({whole.data(), size})) << size;
  }
  EXPECT_EQ(read_rtp(whole)->payload_size, 0U);
}

TEST(Rtp, OtherVersionsAreRefused) {
  for (const unsigned version : {0U, 1U, 3U}) {
    auto bytes = packet(10);
    bytes[0] = static_cast<std::uint8_t>(version << 6);
    EXPECT_FALSE(read_rtp(bytes));
  }
}

TEST(Rtp, ContributingSourcesAndExtensionAreSkipped) {
  auto bytes = packet(4 * 2 + 4 + 4 * 3 + 20);
  bytes[0] = 0x80 | 0x10 | 2;
  bytes[12 + 8 + 2] = 0;
  bytes[12 + 8 + 3] = 3;
  const auto read = read_rtp(bytes);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->payload_offset, 12U + 8 + 4 + 12);
  EXPECT_EQ(read->payload_size, 20U);
}

TEST(Rtp, LengthsThatDoNotAddUpAreRefused) {
  auto sources = packet(10);
  sources[0] = 0x80 | 15;
  EXPECT_FALSE(read_rtp(sources));
  auto no_room = packet(3);
  no_room[0] = 0x80 | 0x10;
  EXPECT_FALSE(read_rtp(no_room));
  auto extension = packet(10);
  extension[0] = 0x80 | 0x10;
  extension[14] = 0xff;
  EXPECT_FALSE(read_rtp(extension));
}

TEST(Rtp, PaddingIsTakenOff) {
  auto bytes = packet(20);
  bytes[0] |= 0x20;
  bytes.back() = 4;
  EXPECT_EQ(read_rtp(bytes)->payload_size, 16U);
  bytes.back() = 20;
  EXPECT_EQ(read_rtp(bytes)->payload_size, 0U);
  bytes.back() = 21;
  EXPECT_FALSE(read_rtp(bytes));
  bytes.back() = 0;
  EXPECT_FALSE(read_rtp(bytes));
}

}  // namespace
}  // namespace baton::media
