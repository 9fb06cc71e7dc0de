#include "base/uuid.h"

#include <gtest/gtest.h>

namespace baton {
namespace {

TEST(Uuid, SortsByItsTime) {
  Rng rng(1);
  const Time now = from_micros(1'700'000'000'123'456);
  const std::string first = uuid_at(now, rng);
  ASSERT_EQ(first.size(), 36U);
  EXPECT_EQ(first.substr(0, 15), "018bcfe5-687b-7");
  EXPECT_NE(std::string("89ab").find(first[19]), std::string::npos);
  EXPECT_NE(uuid_at(now, rng), first);
  EXPECT_LT(first, uuid_at(now + 1ms, rng));
}

}  // namespace
}  // namespace baton
