#include "media/relay/ports.h"

#include <gtest/gtest.h>

#include <set>

namespace baton::media {
namespace {

const Time start = from_micros(1'000'000'000);

TEST(PortPool, EvenPortsWithRoomForTheirNeighbour) {
  Rng rng(1);
  PortPool pool(4001, 4008, 10s, rng);
  std::set<int> ports;
  while (const auto port = pool.take(start)) ports.insert(*port);
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
  const auto first = pool.take(start);
  const auto second = pool.take(start);
  ASSERT_TRUE(first && second);
  EXPECT_FALSE(pool.take(start));
  pool.give_back(start, *first, true);
  EXPECT_FALSE(pool.take(start + 9'999ms));
  EXPECT_EQ(pool.shortage(), "no RTP port pair is free in 4000-4003: 1 in use, 1 at rest after use");
  EXPECT_EQ(pool.take(start + 10s), first);
}

TEST(PortPool, UnusedPairsDoNot) {
  Rng rng(1);
  PortPool pool(4000, 4001, 10s, rng);
  const auto port = pool.take(start);
  pool.give_back(start, *port, false);
  EXPECT_EQ(pool.take(start), port);
}

TEST(PortPool, OrderIsMixed) {
  Rng rng(1);
  PortPool pool(10'000, 30'000, 10s, rng);
  int neighbours = 0;
  int before = 0;
  for (int i = 0; i < 100; ++i) {
    const int port = *pool.take(start);
    if (port == before + 2) ++neighbours;
    before = port;
  }
  EXPECT_LT(neighbours, 5);
}

}  // namespace
}  // namespace baton::media
