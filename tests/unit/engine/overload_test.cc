#include "engine/overload.h"

#include <gtest/gtest.h>

namespace baton::engine {
namespace {

const Time start = from_micros(1'700'000'000'000'000);

class OverloadTest : public ::testing::Test {
 protected:
  // Messages every 10 ms, each of which waited so long; whether new calls are refused at the end.
  bool pass(Duration span, Duration waited) {
    for (const Time end = now_ + span; now_ < end; now_ += 10ms) overload_.heard(now_, waited);
    return overload_.refuses();
  }
  Time now_ = start;
  Overload overload_{200ms};
};

TEST_F(OverloadTest, NothingButLateMessagesIsOverload) {
  EXPECT_FALSE(pass(10s, 199ms));
  EXPECT_FALSE(pass(90ms, 201ms));
  EXPECT_TRUE(pass(50ms, 201ms));
}

TEST_F(OverloadTest, AHitchIsNone) {
  for (int i = 0; i < 50; ++i) {
    pass(50ms, 400ms);
    EXPECT_FALSE(pass(10ms, 1ms)) << i;
  }
}

TEST_F(OverloadTest, ItEndsWhenAllIsWellForAWhile) {
  ASSERT_TRUE(pass(1s, 300ms));
  EXPECT_TRUE(pass(900ms, 50ms));
  EXPECT_TRUE(pass(10ms, 150ms)) << "between the half and the whole nothing changes";
  EXPECT_TRUE(pass(900ms, 50ms));
  EXPECT_FALSE(pass(200ms, 50ms));
}

TEST_F(OverloadTest, APauseEndsItToo) {
  ASSERT_TRUE(pass(1s, 300ms));
  now_ += 2s;
  EXPECT_FALSE(overload_.heard(now_, 1ms));
}

TEST_F(OverloadTest, ALateMessageAfterAPauseDoesNotEndIt) {
  ASSERT_TRUE(pass(1s, 300ms));
  now_ += 2s;
  EXPECT_TRUE(overload_.heard(now_, 1s));
}

TEST_F(OverloadTest, NoLimitIsNoOverload) {
  overload_ = Overload(Duration{0});
  EXPECT_FALSE(pass(10s, 10s));
}

}  // namespace
}  // namespace baton::engine
