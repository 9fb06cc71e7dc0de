#include "base/pool.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace baton {
namespace {

struct Text {
  std::string text;
  bool keeps = true;
  bool recycle() {
    text.clear();
    return keeps;
  }
};

TEST(Pool, WhatIsLetGoOfIsGivenOutAgainEmptied) {
  Pool<Text> pool(4);
  const Text* where = nullptr;
  {
    auto one = pool.take();
    one->text = "x";
    where = &*one;
  }
  EXPECT_EQ(pool.kept(), 1u);
  const auto again = pool.take();
  EXPECT_EQ(&*again, where);
  EXPECT_EQ(again->text, "");
  EXPECT_EQ(pool.kept(), 0u);
}

TEST(Pool, TheLastReferenceLetsGo) {
  Pool<Text> pool(4);
  auto one = pool.take();
  one->text = "shared";
  auto other = one;
  one = {};
  EXPECT_EQ(pool.kept(), 0u);
  EXPECT_EQ(other->text, "shared");
  auto moved = std::move(other);
  moved = Pool<Text>::Ref();
  EXPECT_EQ(pool.kept(), 1u);
}

TEST(Pool, AssignmentToItselfChangesNothing) {
  Pool<Text> pool(4);
  auto one = pool.take();
  one->text = "same";
  auto& alias = one;
  one = alias;
  EXPECT_EQ(one->text, "same");
}

TEST(Pool, ItKeepsNoMoreThanItsBound) {
  Pool<Text> pool(2);
  {
    std::vector<Pool<Text>::Ref> many;
    for (int i = 0; i < 5; ++i) many.push_back(pool.take());
  }
  EXPECT_EQ(pool.kept(), 2u);
}

TEST(Pool, WhatHasTooMuchIsNotKept) {
  Pool<Text> pool(4);
  pool.take()->keeps = false;
  EXPECT_EQ(pool.kept(), 0u);
}

TEST(Pool, OneOfNoPoolGoesWithItsLastReference) {
  auto one = Pool<Text>::make();
  one->text = "alone";
  const auto sibling = one.sibling();
  EXPECT_EQ(sibling->text, "");
  Pool<Text> pool(4);
  auto pooled = pool.take();
  { const auto other = pooled.sibling(); }
  EXPECT_EQ(pool.kept(), 1u);
}

TEST(PoolDeath, ItOutlivesWhatItHasGivenOut) {
  EXPECT_DEATH(
      {
        Pool<Text>::Ref late;
        Pool<Text> pool(1);
        late = pool.take();
      },
      "broken invariant");
}

}  // namespace
}  // namespace baton
