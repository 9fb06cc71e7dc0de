#include "media/relay/ports.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace baton::media {
namespace {

const Time start = from_micros(1'000'000'000);

TEST(PortPool, EvenPortsWithRoomForTheirNeighbour) {
  Rng rng(1);
  PortPool pool(4001, 4008, 10s, rng);
  std::set<int> ports;
  while (const auto port = pool.take(start, false)) ports.insert(port->port);
  EXPECT_EQ(ports, (std::set<int>{4002, 4004, 4006}));
}

TEST(PortPool, EdgesOfTheRange) {
  Rng rng(1);
  EXPECT_EQ(PortPool(0, 3, 10s, rng).size(), 1U);
  EXPECT_EQ(PortPool(65'534, 65'535, 10s, rng).size(), 1U);
  EXPECT_EQ(PortPool(65'535, 65'535, 10s, rng).size(), 0U);
  EXPECT_EQ(PortPool(4000, 4000, 10s, rng).size(), 0U);
  EXPECT_EQ(PortPool(5000, 4000, 10s, rng).size(), 0U);
}

TEST(PortPool, UsedPairsRestFirst) {
  Rng rng(1);
  PortPool pool(4000, 4003, 10s, rng);
  auto first = pool.take(start, false);
  const auto second = pool.take(start, false);
  ASSERT_TRUE(first && second);
  const auto port = first->port;
  EXPECT_FALSE(pool.take(start, false));
  pool.give_back(start, *std::move(first), true);
  EXPECT_FALSE(pool.take(start + 9'999ms, false));
  EXPECT_EQ(pool.shortage(), "no RTP port pair is free in 4000-4003: 1 in use, 1 at rest after use");
  EXPECT_EQ(pool.take(start + 10s, false)->port, port);
}

TEST(PortPool, UnusedPairsDoNot) {
  Rng rng(1);
  PortPool pool(4000, 4001, 10s, rng);
  auto pair = pool.take(start, false);
  const auto port = pair->port;
  pool.give_back(start, *std::move(pair), false);
  EXPECT_EQ(pool.take(start, false)->port, port);
}

TEST(PortPool, OrderIsMixed) {
  Rng rng(1);
  PortPool pool(10'000, 30'000, 10s, rng);
  int neighbours = 0;
  int before = 0;
  for (int i = 0; i < 100; ++i) {
    const int port = pool.take(start, false)->port;
    if (port == before + 2) ++neighbours;
    before = port;
  }
  EXPECT_LT(neighbours, 5);
}

PortPair opened(PortPair pair, bool v6) {
  auto sockets = bind_pair(v6 ? *IpAddress::parse("::1") : IpAddress::v4(127, 0, 0, 1), pair.port, 0);
  EXPECT_TRUE(sockets) << sockets.error().reason;
  pair.v6 = v6;
  pair.sockets = std::move(*sockets);
  return pair;
}

TEST(PortPool, OpenPairsAreTakenFirstAfterTheirRest) {
  Rng rng(1);
  PortPool pool(21'900, 21'907, 10s, rng);
  auto pair = opened(*pool.take(start, false), false);
  const auto port = pair.port;
  pool.give_back(start, std::move(pair), true);
  EXPECT_EQ(pool.open(), 1U);
  const auto other = pool.take(start + 9s, false);
  ASSERT_TRUE(other);
  EXPECT_FALSE(other->is_open()) << "the open one has not rested";
  const auto again = pool.take(start + 10s, false);
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->is_open());
  EXPECT_EQ(again->port, port);
  EXPECT_EQ(pool.open(), 0U);
}

TEST(PortPool, PairsThatAreClosedAtRestAreFreeInTheOrderOfTheirRest) {
  Rng rng(1);
  PortPool pool(21'900, 21'907, 10s, rng);
  std::vector<PortPair> pairs;
  while (auto pair = pool.take(start, false)) pairs.push_back(opened(*std::move(pair), false));
  ASSERT_EQ(pairs.size(), 4U);
  std::vector<int> ports;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    ports.push_back(pairs[i].port);
    pool.give_back(start + i * 1s, std::move(pairs[i]), true);
  }
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(pool.close_one());
  for (std::size_t i = 0; i < ports.size(); ++i) {
    EXPECT_FALSE(pool.take(start + 10s + i * 1s - 1ms, false));
    const auto pair = pool.take(start + 10s + i * 1s, false);
    ASSERT_TRUE(pair) << i;
    EXPECT_EQ(pair->port, ports[i]);
    EXPECT_EQ(pair->is_open(), i == 0);
  }
}

TEST(PortPool, NoFamilyTakesAPairOfTheOthersBeforeItHasRested) {
  Rng rng(1);
  PortPool pool(21'900, 21'903, 10s, rng);
  auto first = opened(*pool.take(start, false), false);
  auto second = opened(*pool.take(start, false), false);
  const auto port = first.port;
  pool.give_back(start, std::move(first), true);
  pool.give_back(start + 5s, std::move(second), true);
  EXPECT_TRUE(pool.close_one());
  const auto pair = pool.take(start + 10s, true);
  ASSERT_TRUE(pair);
  EXPECT_EQ(pair->port, port);
}

TEST(PortPool, APairThatIsStillSentToRestsAnewBehindTheOthers) {
  Rng rng(1);
  PortPool pool(21'900, 21'903, 10s, rng);
  auto noisy = opened(*pool.take(start, false), false);
  const auto port = noisy.port;
  pool.give_back(start, std::move(noisy), true);
  pool.heard_at_rest(start + 4s, port);
  EXPECT_EQ(pool.open(), 1U) << "that was on its way when the call ended";
  pool.heard_at_rest(start + 6s, port);
  EXPECT_EQ(pool.open(), 0U);
  pool.heard_at_rest(start + 7s, port);
  const auto other = pool.take(start + 15s, false);
  ASSERT_TRUE(other);
  EXPECT_NE(other->port, port);
  EXPECT_FALSE(pool.take(start + 15'999ms, false));
  EXPECT_EQ(pool.take(start + 16s, false)->port, port);
}

TEST(PortPool, OpenPairsAreClosedWhenNobodyNeedsThem) {
  Rng rng(1);
  PortPool pool(21'900, 21'903, 10s, rng);
  for (int i = 0; i < 2; ++i) pool.give_back(start + i * 1s, opened(*pool.take(start, false), false), true);
  ASSERT_EQ(pool.next_deadline(), start + 10s + PortPool::kept_open);
  pool.close_unneeded(start + 10s + PortPool::kept_open);
  EXPECT_EQ(pool.open(), 1U);
  EXPECT_TRUE(pool.close_one());
  EXPECT_FALSE(pool.close_one());
  EXPECT_FALSE(pool.next_deadline());
  const auto pair = pool.take(start + 20s, false);
  ASSERT_TRUE(pair);
  EXPECT_FALSE(pair->is_open());
}

TEST(PortPool, AnOpenPairOfTheOtherFamilyIsTakenClosedWhenThereIsNoOther) {
  Rng rng(1);
  PortPool pool(21'900, 21'901, 10s, rng);
  pool.give_back(start, opened(*pool.take(start, false), false), true);
  EXPECT_FALSE(pool.take(start + 9s, true));
  EXPECT_EQ(pool.shortage(), "no RTP port pair is free in 21900-21901: 0 in use, 1 at rest after use");
  const auto pair = pool.take(start + 10s, true);
  ASSERT_TRUE(pair);
  EXPECT_FALSE(pair->is_open());
}

}  // namespace
}  // namespace baton::media
