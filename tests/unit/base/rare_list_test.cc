// A list that is nearly always empty.
#include "base/rare_list.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>

namespace baton {
namespace {

std::string all(const RareList<std::string>& list) {
  std::string text;
  for (const std::string& item : list) text += item + ' ';
  return text;
}

TEST(RareList, TakesAPointer) {
  EXPECT_EQ(sizeof(RareList<std::string>), sizeof(void*));
}

TEST(RareList, IsEmptyAtFirstAndWhenTheLastHasLeft) {
  RareList<std::string> list;
  EXPECT_TRUE(list.empty());
  EXPECT_EQ(list.size(), 0U);
  EXPECT_EQ(list.begin(), list.end());
  list.push_back("one");
  EXPECT_FALSE(list.empty());
  list.erase(list.begin());
  EXPECT_TRUE(list.empty());
  EXPECT_EQ(list.begin(), list.end());
  list.erase_if([](const std::string&) { return true; });
  list.clear();
  EXPECT_TRUE(list.empty());
}

TEST(RareList, KeepsItsOrder) {
  RareList<std::string> list;
  for (const char* item : {"a", "b", "c", "d"}) list.push_back(item);
  EXPECT_EQ(list.front(), "a");
  EXPECT_EQ(list.back(), "d");
  list.erase(std::find(list.begin(), list.end(), "b"));
  EXPECT_EQ(all(list), "a c d ");
  list.erase_if([](const std::string& item) { return item == "a"; });
  EXPECT_EQ(all(list), "c d ");
  EXPECT_EQ(list.size(), 2U);
}

TEST(RareList, TakesOverWhatAnotherHas) {
  const std::vector<std::string> some = {"a", "b"}, none;
  RareList<std::string> list;
  list.assign(some.begin(), some.end());
  EXPECT_EQ(all(list), "a b ");
  RareList<std::string> other = std::move(list);
  EXPECT_EQ(all(other), "a b ");
  other.assign(none.begin(), none.end());
  EXPECT_TRUE(other.empty());
}

TEST(RareList, HoldsWhatCanOnlyBeMoved) {
  RareList<std::unique_ptr<int>> list;
  list.push_back(std::make_unique<int>(7));
  EXPECT_EQ(*list.front(), 7);
}

}  // namespace
}  // namespace baton
