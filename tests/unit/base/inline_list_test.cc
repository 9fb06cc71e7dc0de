#include "base/inline_list.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

namespace baton {
namespace {

using List = InlineList<std::uint8_t, 4>;

TEST(InlineList, HoldsWhatIsPutInInItsOrder) {
  List list;
  EXPECT_TRUE(list.empty());
  for (const std::uint8_t item : std::vector<std::uint8_t>{3, 1, 2}) list.push_back(item);
  EXPECT_EQ(std::vector<std::uint8_t>(list.begin(), list.end()), (std::vector<std::uint8_t>{3, 1, 2}));
  EXPECT_EQ(list.size(), 3U);
  EXPECT_EQ(list.front(), 3);
  EXPECT_EQ(list[2], 2);
  EXPECT_FALSE(list.full());
  list.push_back(3);
  EXPECT_TRUE(list.full());
  list.clear();
  EXPECT_TRUE(list.empty());
}

TEST(InlineList, TakesAValueOnceWhenItIsToBeASet) {
  List list;
  for (const std::uint8_t item : std::vector<std::uint8_t>{7, 8, 7, 7, 9, 8}) list.add(item);
  EXPECT_EQ(list, (List{7, 8, 9}));
  EXPECT_TRUE(list.contains(8));
  EXPECT_FALSE(list.contains(6));
}

TEST(InlineList, IsEqualByWhatItHolds) {
  List list{1, 2, 3};
  list.truncate(1);
  EXPECT_EQ(list, List{1});  // whatever lies behind its end
  EXPECT_NE(list, (List{1, 2}));
  EXPECT_NE(list, List{2});
  EXPECT_NE(list, List{});
  list.truncate(3);
  EXPECT_EQ(list.size(), 1U);
}

TEST(InlineList, LeavesOut) {
  List list{1, 2, 3, 4};
  list.erase_if([](std::uint8_t item) { return item % 2 == 0; });
  EXPECT_EQ(list, (List{1, 3}));
  list.erase_if([](std::uint8_t) { return true; });
  EXPECT_TRUE(list.empty());
}

TEST(InlineList, IsMadeOfOtherLists) {
  const std::vector<std::uint8_t> others{4, 5};
  EXPECT_EQ(List(others.begin(), others.end()), (List{4, 5}));
}

TEST(InlineList, CostsNoMoreThanItsItemsAndACount) {
  EXPECT_EQ(sizeof(List), 5U);
}

TEST(InlineListDeathTest, MoreThanFitsIsAMistakeOfOurs) {
  List list{1, 2, 3, 4};
  EXPECT_DEATH(list.push_back(5), "broken invariant");
  EXPECT_DEATH(static_cast<void>(List{}.front()), "broken invariant");
}

}  // namespace
}  // namespace baton
