#include "base/timer_queue.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/rng.h"

namespace baton {
namespace {

Time at(std::int64_t us) {
  return from_micros(us);
}

std::vector<std::uint64_t> drain(TimerQueue& queue, Time now) {
  std::vector<std::uint64_t> owners;
  while (const auto entry = queue.pop_due(now)) owners.push_back(entry->owner);
  return owners;
}

TEST(TimerQueue, EmptyHasNoDeadline) {
  TimerQueue queue;
  EXPECT_FALSE(queue.next_deadline().has_value());
  EXPECT_EQ(queue.top(), nullptr);
  EXPECT_FALSE(queue.pop_due(Time::max()).has_value());
}

TEST(TimerQueue, FallsDueInOrderOfTime) {
  TimerQueue queue;
  queue.arm(at(30), 3, 0);
  queue.arm(at(10), 1, 0);
  queue.arm(at(20), 2, 0);
  EXPECT_EQ(queue.next_deadline(), at(10));
  EXPECT_EQ(drain(queue, at(30)), (std::vector<std::uint64_t>{1, 2, 3}));
}

TEST(TimerQueue, TiesFallDueInTheOrderTheyWereArmed) {
  TimerQueue queue;
  for (std::uint64_t i = 0; i < 50; ++i) queue.arm(at(10), i, 0);
  std::vector<std::uint64_t> expected;
  for (std::uint64_t i = 0; i < 50; ++i) expected.push_back(i);
  EXPECT_EQ(drain(queue, at(10)), expected);
}

TEST(TimerQueue, DueMeansNotLaterThanNow) {
  TimerQueue queue;
  queue.arm(at(10), 1, 7);
  EXPECT_FALSE(queue.pop_due(at(9)).has_value());
  const auto entry = queue.pop_due(at(10));
  ASSERT_TRUE(entry.has_value());
  EXPECT_EQ(entry->kind, 7);
  EXPECT_EQ(queue.size(), 0u);
}

TEST(TimerQueue, SweepKeepsTheLiveInTheirOrder) {
  TimerQueue queue;
  Rng rng(9);
  for (std::uint64_t i = 0; i < 300; ++i) queue.arm(at(rng.between(1, 20)), i, 0);
  TimerQueue copy = queue;
  std::vector<std::uint64_t> expected;
  for (const std::uint64_t owner : drain(copy, at(20))) {
    if (owner % 3 == 0) expected.push_back(owner);
  }
  queue.sweep([](const TimerQueue::Entry& entry) { return entry.owner % 3 == 0; });
  EXPECT_EQ(queue.size(), 100u);
  EXPECT_EQ(drain(queue, at(20)), expected);
}

TEST(TimerQueue, NamesEachEntryForItsOwner) {
  TimerQueue queue;
  const std::uint32_t later = queue.arm(at(20), 1, 0), sooner = queue.arm(at(10), 1, 0);
  EXPECT_NE(later, 0U);
  EXPECT_NE(sooner, 0U);
  EXPECT_NE(later, sooner);
  ASSERT_NE(queue.top(), nullptr);
  EXPECT_EQ(queue.top()->name(), sooner);
  EXPECT_EQ(queue.pop_due(at(20))->name(), sooner);
  EXPECT_EQ(queue.pop_due(at(20))->name(), later);
}

}  // namespace
}  // namespace baton
