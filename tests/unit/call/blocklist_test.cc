#include "call/blocklist.h"

#include <gtest/gtest.h>

namespace baton::call {
namespace {

Target target(std::uint8_t last, Transport transport = Transport::udp) {
  return {transport, {IpAddress::v4(192, 0, 2, last), 5060}};
}

const Time start = from_micros(1'000'000'000);

TEST(Blocklist, BlocksForAWhileAndDecays) {
  Blocklist list;
  EXPECT_FALSE(list.blocks(start, target(1)));
  EXPECT_EQ(list.unreachable(start, target(1)), Blocklist::first);
  EXPECT_TRUE(list.blocks(start + Blocklist::first - 1us, target(1)));
  EXPECT_FALSE(list.blocks(start + Blocklist::first, target(1)));
  EXPECT_FALSE(list.blocks(start, target(2)));
  EXPECT_FALSE(list.blocks(start, target(1, Transport::tcp))) << "another transport is another target";
}

TEST(Blocklist, FailuresInARowDouble) {
  Blocklist list;
  Time now = start;
  EXPECT_EQ(list.unreachable(now, target(1)), 30s);
  now += 31s;
  EXPECT_EQ(list.unreachable(now, target(1)), 60s);
  now += 61s;
  EXPECT_EQ(list.unreachable(now, target(1)), 120s);
  now += 121s;
  EXPECT_EQ(list.unreachable(now, target(1)), 240s);
  now += 241s;
  EXPECT_EQ(list.unreachable(now, target(1)), Blocklist::longest);
  now += Blocklist::memory;
  EXPECT_EQ(list.unreachable(now, target(1)), Blocklist::first) << "long ago is forgotten";
}

TEST(Blocklist, ManyThatFailTogetherAreOneFailure) {
  Blocklist list;
  for (int i = 0; i < 50; ++i) static_cast<void>(list.unreachable(start + i * 10ms, target(1)));
  EXPECT_FALSE(list.blocks(start + Blocklist::first, target(1)));
}

TEST(Blocklist, AnAnswerForgets) {
  Blocklist list;
  static_cast<void>(list.unreachable(start, target(1)));
  EXPECT_TRUE(list.answered(target(1)));
  EXPECT_FALSE(list.answered(target(1)));
  EXPECT_FALSE(list.blocks(start, target(1)));
  EXPECT_EQ(list.unreachable(start + 31s, target(1)), Blocklist::first);
}

TEST(Blocklist, RetryAfterIsHeardWithinBounds) {
  Blocklist list;
  EXPECT_EQ(list.asked_to_wait(start, target(1), 7s), 7s);
  EXPECT_TRUE(list.blocks(start + 6s, target(1)));
  EXPECT_FALSE(list.blocks(start + 7s, target(1)));
  EXPECT_EQ(list.asked_to_wait(start, target(2), 100h), Blocklist::longest);
  // A shorter wish does not end a longer block.
  static_cast<void>(list.unreachable(start, target(3)));
  static_cast<void>(list.asked_to_wait(start, target(3), 1s));
  EXPECT_TRUE(list.blocks(start + 29s, target(3)));
}

TEST(Blocklist, IsBounded) {
  Blocklist list(3);
  for (std::uint8_t i = 1; i <= 5; ++i) static_cast<void>(list.unreachable(start + i * 1s, target(i)));
  EXPECT_EQ(list.size(), 3U);
  EXPECT_FALSE(list.blocks(start + 6s, target(1))) << "what ends first goes first";
  EXPECT_TRUE(list.blocks(start + 6s, target(5)));
}

}  // namespace
}  // namespace baton::call
