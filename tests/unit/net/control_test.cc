#include "net/control.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>

#include "net/sent_recently.h"

namespace baton::net {
namespace {

IpAddress address(unsigned n) {
  return IpAddress::v4(10, static_cast<std::uint8_t>(n >> 16U), static_cast<std::uint8_t>(n >> 8U),
                       static_cast<std::uint8_t>(n));
}

TEST(ControlTest, TheKernelsTimeStampIsRead) {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(timespec))> bytes{};
  msghdr header{};
  header.msg_control = bytes.data();
  header.msg_controllen = bytes.size();
  EXPECT_FALSE(read_control(msghdr{}).wall_time);
  cmsghdr* c = CMSG_FIRSTHDR(&header);
  c->cmsg_level = SOL_SOCKET;
  c->cmsg_type = SCM_TIMESTAMPNS;
  c->cmsg_len = CMSG_LEN(sizeof(timespec));
  const timespec stamp{1'700'000'000, 123'456'789};
  std::memcpy(CMSG_DATA(c), &stamp, sizeof stamp);
  EXPECT_EQ(read_control(header).wall_time, Duration(1'700'000'000'123'456));
}

TEST(LocalAddressesTest, TheLastWordCounts) {
  LocalAddresses locals;
  EXPECT_EQ(locals.find(address(1)), nullptr);
  locals.learn(address(1), address(100));
  locals.learn(address(1), address(101));
  ASSERT_NE(locals.find(address(1)), nullptr);
  EXPECT_EQ(*locals.find(address(1)), address(101));
  locals.forget(address(1));
  EXPECT_EQ(locals.find(address(1)), nullptr);
}

TEST(LocalAddressesTest, ACrowdPushesOutOnlyWhatIsOlderThanAGeneration) {
  LocalAddresses locals;
  const unsigned crowd = LocalAddresses::generation_max;
  locals.learn(address(0), address(100));
  for (unsigned i = 1; i < crowd + 10; ++i) locals.learn(address(i), address(101));
  EXPECT_NE(locals.find(address(0)), nullptr);
  for (unsigned i = 0; i < 2 * crowd; ++i) locals.learn(address(1'000'000 + i), address(101));
  EXPECT_EQ(locals.find(address(0)), nullptr);
}

TEST(SentRecentlyTest, OnlyWhatWentThereCounts) {
  SentRecently sent;
  const SocketAddress there{address(1), 5060}, elsewhere{address(2), 5060};
  const std::string invite = "INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP c;branch=z9hG4bK1234";
  sent.note(there, invite);
  EXPECT_TRUE(sent.has(there, invite));
  EXPECT_TRUE(sent.has(there, invite + " and more"));
  EXPECT_FALSE(sent.has(elsewhere, invite));
  EXPECT_FALSE(sent.has(there, invite.substr(0, 40)));  // the branch is cut off
  EXPECT_FALSE(sent.has(there, ""));
}

TEST(SentRecentlyTest, LongOnesCountByTheirBeginning) {
  SentRecently sent;
  const SocketAddress there{address(1), 5060};
  const std::string large(2'000, 'x');
  sent.note(there, large);
  EXPECT_TRUE(sent.has(there, large.substr(0, 500)));
  EXPECT_TRUE(sent.has(there, large.substr(0, SentRecently::prefix_bytes)));
  EXPECT_FALSE(sent.has(there, large.substr(0, SentRecently::prefix_bytes - 1)));
}

TEST(SentRecentlyTest, OldOnesAreForgotten) {
  SentRecently sent;
  const SocketAddress there{address(1), 5060};
  sent.note(there, "first");
  for (std::size_t i = 1; i < SentRecently::entries; ++i) sent.note(there, "n" + std::to_string(i));
  EXPECT_TRUE(sent.has(there, "first"));
  sent.note(there, "one more");
  EXPECT_FALSE(sent.has(there, "first"));
  // An empty datagram, noted or not, is no evidence of anything.
  sent.note(there, "");
  EXPECT_FALSE(sent.has(there, ""));
}

}  // namespace
}  // namespace baton::net
