#include "base/assert.h"

#include <gtest/gtest.h>

namespace baton {
namespace {

TEST(Assert, EvaluatesOnceWhenItHolds) {
  int count = 0;
  BATON_ASSERT(++count == 1);
  EXPECT_EQ(count, 1);
}

TEST(AssertDeath, NamesTheExpressionAndThePlace) {
  EXPECT_DEATH(BATON_ASSERT(1 + 1 == 3), "assert_test.cc:[0-9]+: broken invariant: 1 \\+ 1 == 3");
}

}  // namespace
}  // namespace baton
