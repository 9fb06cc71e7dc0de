#include "base/rng.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <set>

namespace baton {
namespace {

TEST(Rng, SameSeedSameDraws) {
  Rng a(42), b(42), c(43);
  bool differs = false;
  for (int i = 0; i < 100; ++i) {
    const std::uint64_t draw = a.next();
    EXPECT_EQ(draw, b.next());
    differs = differs || draw != c.next();
  }
  EXPECT_TRUE(differs);
}

TEST(Rng, SeedZeroIsASeedLikeAnother) {
  Rng rng(0);
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(rng.next());
  EXPECT_EQ(seen.size(), 1000u);
}

TEST(Rng, BelowStaysBelowAndReachesAll) {
  Rng rng(1);
  std::array<int, 7> counts{};
  for (int i = 0; i < 7000; ++i) ++counts.at(rng.below(7));
  for (const int count : counts) EXPECT_NEAR(count, 1000, 200);
  EXPECT_EQ(rng.below(1), 0u);
}

TEST(Rng, BetweenIncludesBothEnds) {
  Rng rng(2);
  std::set<std::int64_t> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(rng.between(-2, 2));
  EXPECT_EQ(seen, (std::set<std::int64_t>{-2, -1, 0, 1, 2}));
  EXPECT_EQ(rng.between(5, 5), 5);
}

TEST(Rng, BetweenTakesTheWidestRange) {
  using Limits = std::numeric_limits<std::int64_t>;
  Rng rng(3);
  bool negative = false, positive = false;
  for (int i = 0; i < 100; ++i) {
    const std::int64_t draw = rng.between(Limits::min(), Limits::max());
    negative = negative || draw < 0;
    positive = positive || draw > 0;
    EXPECT_LE(rng.between(Limits::min(), 0), 0);
    EXPECT_GE(rng.between(-1, Limits::max()), -1);
  }
  EXPECT_TRUE(negative && positive);
}

TEST(Rng, ChanceAtItsEnds) {
  Rng rng(4);
  for (int i = 0; i < 100; ++i) {
    EXPECT_FALSE(rng.chance(0, 10));
    EXPECT_TRUE(rng.chance(10, 10));
  }
}

TEST(Rng, TokenIsATokenOfThatLength) {
  Rng rng(5);
  const std::string token = rng.token(200);
  EXPECT_EQ(token.size(), 200u);
  EXPECT_EQ(token.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789"), std::string::npos);
  EXPECT_EQ(rng.token(0), "");
}

TEST(Rng, UuidIsVersionFour) {
  Rng rng(6);
  for (int i = 0; i < 50; ++i) {
    const std::string uuid = rng.uuid();
    ASSERT_EQ(uuid.size(), 36u);
    EXPECT_EQ(uuid.find_first_not_of("0123456789abcdef-"), std::string::npos);
    for (const std::size_t at : {8u, 13u, 18u, 23u}) EXPECT_EQ(uuid[at], '-');
    EXPECT_EQ(uuid[14], '4');
    EXPECT_NE(std::string("89ab").find(uuid[19]), std::string::npos);
  }
}

TEST(RngDeath, AnEmptyRangeIsOurMistake) {
  Rng rng(7);
  EXPECT_DEATH((void)rng.below(0), "broken invariant");
  EXPECT_DEATH((void)rng.between(1, 0), "broken invariant");
}

}  // namespace
}  // namespace baton
