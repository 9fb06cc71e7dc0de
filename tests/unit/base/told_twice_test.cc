#include "base/told_twice.h"

#include <gtest/gtest.h>

namespace baton {
namespace {

using By = ToldTwice::By;

TEST(ToldTwice, OnePressToldByBothIsOne) {
  for (const By first : {By::media, By::signalling}) {
    const By second = first == By::media ? By::signalling : By::media;
    ToldTwice told;
    Time now{};
    EXPECT_FALSE(told.take(now, first, 5));
    now += 100ms;
    EXPECT_FALSE(told.take(now, second, 6)) << "another key";
    EXPECT_TRUE(told.take(now, second, 5));
    EXPECT_FALSE(told.take(now, second, 5)) << "one for one";
    EXPECT_TRUE(told.take(now, first, 5));
  }
}

TEST(ToldTwice, PressesByOneMeansAllCount) {
  ToldTwice told;
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(told.take(Time{} + i * 50ms, By::signalling, 1));
  // The latest eight are known still.
  for (int i = 0; i < 10; ++i) EXPECT_EQ(told.take(Time{} + 1s, By::media, 1), i < 8);
}

TEST(ToldTwice, TooFarApartIsTwoPresses) {
  ToldTwice told;
  EXPECT_FALSE(told.take(Time{}, By::media, 5));
  EXPECT_FALSE(told.take(Time{} + 2'001ms, By::signalling, 5));
  EXPECT_FALSE(told.take(Time{} + 10s, By::media, 6));
  told.hold(Time{} + 15s);
  EXPECT_TRUE(told.take(Time{} + 16s, By::signalling, 6)) << "pressed for long";
  EXPECT_FALSE(told.take(Time{} + 20s, By::signalling, 7));
  EXPECT_TRUE(told.take(Time{} + 25s, By::media, 7, 5s)) << "told at its end";
}

}  // namespace
}  // namespace baton
