#include "dialog/refer_subscription.h"

#include <gtest/gtest.h>

namespace baton::dialog {
namespace {

constexpr Time start = from_micros(1'700'000'000'000'000);

ReferSubscription fresh(bool with_id = false) {
  return {7, with_id, start, 75s};
}

TEST(ReferSubscription, FirstNotifySaysTryingAndHowLongItLasts) {
  auto subscription = fresh();
  subscription.report(100);
  const auto first = subscription.next(start);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->event, "refer");
  EXPECT_EQ(first->subscription_state, "active;expires=75");
  EXPECT_EQ(first->body, "SIP/2.0 100 Trying\r\n");
  EXPECT_FALSE(first->final);
}

// RFC 3515 2.4.6
TEST(ReferSubscription, LaterRefersOfADialogCarryTheirCSeq) {
  auto subscription = fresh(true);
  subscription.report(100);
  EXPECT_EQ(subscription.next(start)->event, "refer;id=7");
}

TEST(ReferSubscription, WaitsForTheAnswerToItsPredecessor) {
  auto subscription = fresh();
  subscription.report(100);
  ASSERT_TRUE(subscription.next(start));
  subscription.report(200);
  EXPECT_FALSE(subscription.next(start + 10s));
  EXPECT_FALSE(subscription.next_due());
  subscription.answered(200, false);
  const auto final = subscription.next(start + 10s);
  ASSERT_TRUE(final);
  EXPECT_TRUE(final->final);
  EXPECT_EQ(final->subscription_state, "terminated;reason=noresource");
  EXPECT_EQ(final->body, "SIP/2.0 200 OK\r\n");
}

// RFC 3515 2.4.4
TEST(ReferSubscription, SaysAtMostOneProvisionalASecondAndOnlyTheNewest) {
  auto subscription = fresh();
  subscription.report(100);
  ASSERT_TRUE(subscription.next(start));
  subscription.answered(200, false);
  subscription.report(180);
  subscription.report(183);
  EXPECT_FALSE(subscription.next(start + 999ms));
  EXPECT_EQ(subscription.next_due(), start + 1s);
  EXPECT_EQ(subscription.next(start + 1s)->body, "SIP/2.0 183 Session Progress\r\n");
}

TEST(ReferSubscription, TheFinalOneDoesNotWaitForTheSecondToPass) {
  auto subscription = fresh();
  subscription.report(100);
  ASSERT_TRUE(subscription.next(start));
  subscription.answered(200, false);
  subscription.report(486);
  const auto final = subscription.next(start + 1ms);
  ASSERT_TRUE(final);
  EXPECT_TRUE(final->final);
}

TEST(ReferSubscription, NothingFollowsAFinalReport) {
  auto subscription = fresh();
  subscription.report(486);
  subscription.report(180);
  subscription.report(200);
  EXPECT_EQ(subscription.next(start)->body, "SIP/2.0 486 Busy Here\r\n");
  subscription.answered(200, true);
  EXPECT_TRUE(subscription.settled());
  subscription.report(200);
  EXPECT_FALSE(subscription.next(start + 5s));
}

TEST(ReferSubscription, ForceLetsOnlyTheFinalOnePassAnUnansweredOne) {
  auto subscription = fresh();
  subscription.report(100);
  ASSERT_TRUE(subscription.next(start));
  subscription.report(180);
  EXPECT_FALSE(subscription.next(start + 5s, true));
  subscription.report(200);
  ASSERT_TRUE(subscription.next(start + 5s, true));
  EXPECT_TRUE(subscription.final_sent());
  EXPECT_FALSE(subscription.settled());
  subscription.answered(200, true);
  EXPECT_TRUE(subscription.settled());
}

class Refusals : public testing::TestWithParam<int> {};

// RFC 6665 4.2.2
TEST_P(Refusals, EndTheSubscription) {
  auto subscription = fresh();
  subscription.report(100);
  ASSERT_TRUE(subscription.next(start));
  subscription.answered(GetParam(), false);
  EXPECT_TRUE(subscription.settled());
  subscription.report(200);
  EXPECT_FALSE(subscription.next(start + 5s));
  EXPECT_FALSE(subscription.next_due());
}
INSTANTIATE_TEST_SUITE_P(Statuses, Refusals, testing::Values(405, 408, 481, 489, 503));

// RFC 3515 2.4.7
TEST(ReferSubscription, UnsubscribingIsToldOnceWhereThingsStandAndEndsIt) {
  auto subscription = fresh();
  subscription.report(180);
  ASSERT_TRUE(subscription.next(start));
  subscription.answered(200, false);
  EXPECT_EQ(subscription.refresh(start + 3s, 0), 0U);
  const auto last = subscription.next(start + 3s);
  ASSERT_TRUE(last);
  EXPECT_EQ(last->subscription_state, "terminated;reason=timeout");
  EXPECT_EQ(last->body, "SIP/2.0 180 Ringing\r\n");
  subscription.answered(200, true);
  EXPECT_TRUE(subscription.settled());
}

TEST(ReferSubscription, ARefreshMovesTheEndAndIsAnsweredByANotify) {
  auto subscription = fresh();
  subscription.report(100);
  ASSERT_TRUE(subscription.next(start));
  subscription.answered(200, false);
  EXPECT_EQ(subscription.refresh(start + 10s, 120), 120U);
  const auto notify = subscription.next(start + 10s);
  ASSERT_TRUE(notify);
  EXPECT_EQ(notify->subscription_state, "active;expires=120");
  EXPECT_EQ(notify->body, "SIP/2.0 100 Trying\r\n");
}

}  // namespace
}  // namespace baton::dialog
