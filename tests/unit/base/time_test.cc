#include "base/time.h"

#include <gtest/gtest.h>

namespace baton {
namespace {

TEST(Time, Iso8601) {
  EXPECT_EQ(to_iso8601(from_micros(0)), "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ(to_iso8601(from_micros(1'795'255'680'123'456)), "2026-11-21T10:08:00.123456Z");
  EXPECT_EQ(to_iso8601(from_micros(951'782'400'000'001)), "2000-02-29T00:00:00.000001Z");
}

TEST(Time, BeforeTheEpoch) {
  EXPECT_EQ(to_iso8601(from_micros(-1)), "1969-12-31T23:59:59.999999Z");
  EXPECT_EQ(to_iso8601(from_micros(-1'000'000)), "1969-12-31T23:59:59.000000Z");
}

TEST(Time, EndsOfTheScaleAreStillText) {
  EXPECT_FALSE(to_iso8601(Time::max()).empty());
  EXPECT_FALSE(to_iso8601(Time::min()).empty());
}

TEST(Time, Micros) {
  EXPECT_EQ(to_micros(from_micros(5) + 2ms), 2005);
}

}  // namespace
}  // namespace baton
