#include "trunk/admission.h"

#include <gtest/gtest.h>

#include "base/rng.h"

namespace baton::trunk {
namespace {

class AdmissionTest : public testing::Test {
 protected:
  AdmissionTest() {
    account_.id = "acme";
    trunk_.id = "in";
    other_trunk_.id = "out";
  }

  Admission::Ticket admit(Time at, std::int64_t rate = 0) { return admit(at, trunk_, rate); }
  Admission::Ticket admit(Time at, const Trunk& trunk, std::int64_t rate = 0) {
    const auto ticket = admission_.admit(at, account_, trunk, rate);
    EXPECT_TRUE(ticket) << ticket.error().text;
    return ticket ? *ticket : Admission::Ticket();
  }
  // Status and hang-up code; {0, 0} when admitted.
  std::pair<int, int> refused(Time at, const Trunk& trunk, std::int64_t rate = 0) {
    const std::size_t held = admission_.held();
    const auto ticket = admission_.admit(at, account_, trunk, rate);
    if (ticket) return {0, 0};
    EXPECT_EQ(admission_.held(), held);
    EXPECT_FALSE(ticket.error().text.empty());
    return {ticket.error().status, ticket.error().hangup_code};
  }
  std::pair<int, int> refused(Time at, std::int64_t rate = 0) { return refused(at, trunk_, rate); }

  const Time start_ = from_micros(1'000'000'000);
  Account account_;
  Trunk trunk_, other_trunk_;
  Admission admission_;
};

const std::pair<int, int> cps{503, 5180}, concurrency{503, 5190}, money{402, 4030}, none{0, 0};

TEST_F(AdmissionTest, NoLimitsByDefault) {
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(admit(start_));
  EXPECT_EQ(admission_.held(), 1000U);
}

// ---- Waiting for a turn ----

TEST_F(AdmissionTest, BeyondTheAccountsCpsEachGetsItsTurnInOrder) {
  account_.cps_max = 2;
  std::vector<Duration> turns;
  for (int i = 0; i < 7; ++i) {
    const auto ticket = admission_.admit(start_ + i * 1ms, account_, trunk_, 0, 3s);
    ASSERT_TRUE(ticket) << i;
    turns.push_back(ticket->starts_at - start_);
  }
  EXPECT_EQ(turns, (std::vector<Duration>{0s, 1ms, 1s, 1s + 1ms, 2s, 2s + 1ms, 3s}));
  // The next turn is at 3.001 s, further away than it may be.
  const auto late = admission_.admit(start_ + 0ms, account_, trunk_, 0, 3s);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().hangup_code, 5180);
  EXPECT_EQ(refused(start_ + 10ms), cps) << "who may not wait is refused";
  EXPECT_EQ(refused(start_ + 3s), cps) << "turns that were given count";
  EXPECT_TRUE(admit(start_ + 3s + 1ms));
  EXPECT_EQ(admission_.held(), 8U);
}

TEST_F(AdmissionTest, ATrunksCpsHasNoTurnsToWaitFor) {
  trunk_.cps_max = 1;
  EXPECT_TRUE(admission_.admit(start_, account_, trunk_, 0, 10s));
  EXPECT_FALSE(admission_.admit(start_, account_, trunk_, 0, 10s));
}

TEST_F(AdmissionTest, AWaitThatIsRefusedForAnotherReasonTakesNoTurn) {
  account_.cps_max = 1;
  trunk_.concurrent_max = 1;
  EXPECT_TRUE(admission_.admit(start_, account_, trunk_, 0, 10s));
  EXPECT_FALSE(admission_.admit(start_, account_, trunk_, 0, 10s));
  EXPECT_EQ(admission_.admit(start_, account_, other_trunk_, 0, 10s)->starts_at, start_ + 1s);
}

TEST_F(AdmissionTest, TicketsAreOwnAndReleasedOnce) {
  const auto a = admit(start_), b = admit(start_);
  EXPECT_NE(a.id, b.id);
  EXPECT_EQ(admission_.release(start_, a), 0);
  EXPECT_EQ(admission_.release(start_, a), 0);
  EXPECT_EQ(admission_.held(), 1U);
  admission_.answered(start_, a);
  admission_.answered(start_, {});
  EXPECT_EQ(admission_.release(start_, {}), 0);
  EXPECT_EQ(admission_.release(start_, b), 0);
  EXPECT_EQ(admission_.held(), 0U);
}

TEST_F(AdmissionTest, TrunkCpsSlides) {
  trunk_.cps_max = 2;
  admit(start_);
  admit(start_ + 600ms);
  EXPECT_EQ(refused(start_ + 999ms), cps);
  admit(start_ + 1000ms);  // the first is a second old
  EXPECT_EQ(refused(start_ + 1500ms), cps);
  EXPECT_EQ(admission_.retry_after_s(), 1U);
  admit(start_ + 1600ms);
  EXPECT_EQ(refused(start_ + 1600ms, other_trunk_), none);
}

TEST_F(AdmissionTest, RefusedAttemptsDoNotCount) {
  trunk_.cps_max = 1;
  admit(start_);
  for (int i = 1; i < 10; ++i) EXPECT_EQ(refused(start_ + i * 100ms), cps);
  admit(start_ + 1s);
}

TEST_F(AdmissionTest, EndedCallsCountForTheirSecond) {
  trunk_.cps_max = 1;
  admission_.release(start_, admit(start_));
  EXPECT_EQ(refused(start_ + 1ms), cps);
}

TEST_F(AdmissionTest, AccountCpsIsOfAllItsTrunks) {
  account_.cps_max = 2;
  admit(start_);
  admit(start_, other_trunk_);
  EXPECT_EQ(refused(start_), cps);
  EXPECT_EQ(refused(start_, other_trunk_), cps);
}

TEST_F(AdmissionTest, Concurrency) {
  trunk_.concurrent_max = 1;
  const auto first = admit(start_);
  EXPECT_EQ(refused(start_), concurrency);
  admit(start_, other_trunk_);
  admission_.release(start_, first);
  admit(start_);
}

TEST_F(AdmissionTest, AccountConcurrency) {
  account_.concurrent_max = 2;
  admit(start_);
  admit(start_, other_trunk_);
  EXPECT_EQ(refused(start_), concurrency);
}

TEST_F(AdmissionTest, OrderOfAnswers) {
  account_.balance_micros = 0;
  account_.cps_max = trunk_.cps_max = trunk_.concurrent_max = 1;
  EXPECT_EQ(refused(start_), money);
  account_.balance_micros = 1'000'000;
  admit(start_);
  EXPECT_EQ(refused(start_), cps);
  EXPECT_EQ(refused(start_ + 1s), concurrency);
}

TEST_F(AdmissionTest, LimitsMayChange) {
  admit(start_);
  trunk_.cps_max = 1;  // was none: nothing was counted
  admit(start_);
  EXPECT_EQ(refused(start_), cps);
  trunk_.cps_max = 3;
  admit(start_);
  admit(start_);
  trunk_.cps_max = 1;
  EXPECT_EQ(refused(start_), cps);
  trunk_.cps_max = 0;
  admit(start_);
}

TEST_F(AdmissionTest, ReservesAMinuteAndChargesSeconds) {
  account_.balance_micros = 10'000'000;
  const auto ticket = admit(start_, 6'000'000);
  EXPECT_EQ(admission_.balance_micros(account_), 4'000'000);
  EXPECT_EQ(refused(start_, 6'000'000), money);
  admission_.answered(start_ + 5s, ticket);
  EXPECT_EQ(admission_.release(start_ + 15s + 1us, ticket), 1'100'000);  // 11 begun seconds
  EXPECT_EQ(admission_.balance_micros(account_), 8'900'000);
  EXPECT_EQ(refused(start_ + 20s, 6'000'000), none);
}

TEST_F(AdmissionTest, UnansweredIsFree) {
  account_.balance_micros = 10'000'000;
  EXPECT_EQ(admission_.release(start_ + 50s, admit(start_, 6'000'000)), 0);
  EXPECT_EQ(admission_.balance_micros(account_), 10'000'000);
}

TEST_F(AdmissionTest, PriceIsRoundedUp) {
  const auto ticket = admit(start_, 10'000);
  admission_.answered(start_, ticket);
  EXPECT_EQ(admission_.release(start_ + 1s, ticket), 167);  // 166.67
  const auto instant = admit(start_, 10'000);
  admission_.answered(start_, instant);
  EXPECT_EQ(admission_.release(start_, instant), 0);
}

TEST_F(AdmissionTest, SecondAnswerChangesNothing) {
  const auto ticket = admit(start_, 60'000'000);
  admission_.answered(start_, ticket);
  admission_.answered(start_ + 5s, ticket);
  EXPECT_EQ(admission_.release(start_ + 10s, ticket), 10'000'000);
}

TEST_F(AdmissionTest, LongCallsHoldTheMinuteTheyAreIn) {
  account_.balance_micros = 10'000'000;
  const auto ticket = admit(start_, 1'000'000);
  admission_.answered(start_, ticket);
  EXPECT_EQ(refused(start_ + 59s, 9'000'001), money);
  EXPECT_EQ(admission_.balance_micros(account_), 9'000'000);
  EXPECT_EQ(refused(start_ + 60s, 9'000'000), money);  // the second minute has begun
  EXPECT_EQ(admission_.balance_micros(account_), 8'000'000);
  EXPECT_EQ(refused(start_ + 9min + 30s, 1), money);
  EXPECT_EQ(admission_.balance_micros(account_), 0);
  EXPECT_EQ(admission_.release(start_ + 9min + 30s, ticket), 9'500'000);
  EXPECT_EQ(admission_.balance_micros(account_), 500'000);
}

TEST_F(AdmissionTest, FreeLegsNeedABalanceButReserveNothing) {
  account_.balance_micros = 1'000'000;
  admit(start_, 1'000'000);
  EXPECT_EQ(admission_.balance_micros(account_), 0);
  admit(start_, 0);  // the other leg of the same call
  account_.balance_micros = 0;
  EXPECT_EQ(refused(start_, 0), money);
}

TEST_F(AdmissionTest, CallsMayOverdrawAndTheNextIsRefused) {
  account_.balance_micros = 1'000'000;
  const auto ticket = admit(start_, 1'000'000);
  admission_.answered(start_, ticket);
  EXPECT_EQ(admission_.release(start_ + 2min, ticket), 2'000'000);
  EXPECT_EQ(admission_.balance_micros(account_), -1'000'000);
  EXPECT_EQ(refused(start_ + 2min, 0), money);
  account_.balance_micros = 5'000'000;  // topped up
  EXPECT_EQ(admission_.balance_micros(account_), 3'000'000);
  admit(start_ + 2min, 1'000'000);
}

TEST_F(AdmissionTest, BalanceOfOthers) {
  EXPECT_EQ(admission_.balance_micros(account_), std::nullopt);
  account_.balance_micros = 7;
  EXPECT_EQ(admission_.balance_micros(account_), 7);
}

TEST_F(AdmissionTest, AbsurdRatesDoNotOverflow) {
  account_.balance_micros = std::numeric_limits<std::int64_t>::max();
  const auto ticket = admit(start_, std::numeric_limits<std::int64_t>::max());
  admission_.answered(start_, ticket);
  EXPECT_EQ(refused(start_ + 24h, 1), money);
  EXPECT_EQ(admission_.release(start_ + 24h, ticket), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(refused(start_ + 24h, 0), money);
}

TEST_F(AdmissionTest, NegativeRatesCostNothing) {
  const auto ticket = admit(start_, -5);
  admission_.answered(start_, ticket);
  EXPECT_EQ(admission_.release(start_ + 1min, ticket), 0);
}

TEST_F(AdmissionTest, AtRestNothingIsReserved) {
  Rng rng(11);
  account_.balance_micros = 1'000'000'000;
  account_.cps_max = 50;
  account_.concurrent_max = 20;
  trunk_.cps_max = 30;
  std::vector<Admission::Ticket> live;
  std::int64_t spent = 0;
  Time now = start_;
  for (int i = 0; i < 5000; ++i) {
    now += Duration(static_cast<std::int64_t>(rng.below(20'000'000)));
    if (rng.chance(1, 2)) {
      const auto ticket = admission_.admit(now, account_, rng.chance(1, 2) ? trunk_ : other_trunk_, 1000);
      if (ticket) live.push_back(*ticket);
      if (ticket && rng.chance(2, 3)) admission_.answered(now, *ticket);
    } else if (!live.empty()) {
      const std::size_t which = rng.below(live.size());
      spent += admission_.release(now, live[which]);
      live.erase(live.begin() + static_cast<std::ptrdiff_t>(which));
    }
    ASSERT_EQ(admission_.held(), live.size());
    ASSERT_LE(live.size(), 20U);
  }
  for (const auto ticket : live) spent += admission_.release(now, ticket);
  EXPECT_EQ(admission_.held(), 0U);
  EXPECT_EQ(admission_.balance_micros(account_), 1'000'000'000 - spent);
  EXPECT_GT(spent, 0);
}

}  // namespace
}  // namespace baton::trunk
