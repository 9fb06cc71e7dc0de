#include "txn/core.h"

#include "unit/txn/world.h"

namespace baton::txn::testing {
namespace {

struct Nowhere : Sink {
  void send(const Destination&, std::string, Owner) override {}
};

class CoreTest : public ::testing::Test {
 protected:
  Transaction& create(int number) {
    return core.create_client(sip::Method::options, "z9hG4bK" + std::to_string(number), {});
  }
  void end(Transaction& txn) {
    txn.state = State::terminated;
    core.reap(txn);
  }
  Nowhere sink;
  Rng rng{1};
  sip::Spares spares;
  Core core{sink, rng, spares, {}, 10};
  const Time now = from_micros(1'000'000);
};

TEST_F(CoreTest, StaleTimersAreSweptNotKept) {
  Transaction& longest = create(0);
  core.arm(longest, Timer::f, now + 100s);
  for (int i = 1; i <= 20'000; ++i) {
    Transaction& txn = create(i);
    core.arm(txn, Timer::f, now + 32s);
    end(txn);
    ASSERT_LT(core.timers_size(), 300u);
  }
  EXPECT_EQ(core.next_deadline(), now + 100s);
}

TEST_F(CoreTest, ATimerMovedOnFiresOnceAtItsNewTime) {
  Transaction& txn = create(0);
  core.arm(txn, Timer::f, now + 1s);
  core.arm(txn, Timer::f, now + 3s);
  core.arm(txn, Timer::f, now + 2s);
  EXPECT_EQ(core.next_deadline(), now + 2s);
  EXPECT_FALSE(core.take_due(now + 1s).has_value());
  EXPECT_TRUE(core.take_due(now + 10s).has_value());
  EXPECT_FALSE(core.take_due(now + 10s).has_value());
}

TEST_F(CoreTest, ATimerArmedTwiceForOneInstantFiresOnce) {
  Transaction& txn = create(0);
  core.arm(txn, Timer::f, now + 1s);
  core.arm(txn, Timer::f, now + 1s);
  EXPECT_TRUE(core.take_due(now + 1s).has_value());
  EXPECT_FALSE(core.take_due(now + 1s).has_value());
}

TEST_F(CoreTest, ReapLeavesWhatHasNotEnded) {
  Transaction& txn = create(0);
  core.reap(txn);
  EXPECT_EQ(core.size(), 1u);
  end(txn);
  EXPECT_EQ(core.size(), 0u);
}

TEST_F(CoreTest, TheLayersTagsAreTheSameForOneRequestAndOthersForOthers) {
  EXPECT_EQ(core.tag_for(core.key("a")), core.tag_for(core.key("a")));
  EXPECT_NE(core.tag_for(core.key("a")), core.tag_for(core.key("b")));
  EXPECT_EQ(core.tag_for(core.key("a")).size(), 16u);
}

}  // namespace
}  // namespace baton::txn::testing
