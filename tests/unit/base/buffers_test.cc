#include "base/buffers.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/limits.h"

namespace baton {
namespace {

TEST(Buffers, WhatWasGivenIsTakenAgain) {
  Buffers buffers;
  std::string first = buffers.take(500);
  EXPECT_GE(first.capacity(), 500u);
  first = "some bytes";
  const char* const memory = first.data();
  buffers.give(std::move(first));
  const std::string second = buffers.take(400);
  EXPECT_EQ(second, "");
  EXPECT_EQ(second.data(), memory);
}

TEST(Buffers, OneIsNotGivenForAnotherSize) {
  Buffers buffers;
  std::string small = buffers.take(100);
  const char* const memory = small.data();
  buffers.give(std::move(small));
  EXPECT_NE(buffers.take(600).data(), memory);
  EXPECT_EQ(buffers.take(110).data(), memory);
}

TEST(Buffers, AnyStringMayBeGiven) {
  Buffers buffers;
  buffers.give({});
  buffers.give("short");
  std::string odd(800, 'x');
  const char* const memory = odd.data();
  buffers.give(std::move(odd));
  EXPECT_EQ(buffers.take(700).data(), memory);  // it serves the size below
  std::string huge(60'000, 'x');
  buffers.give(std::move(huge));
  EXPECT_LT(buffers.take(4'000).capacity(), 10'000u);
}

TEST(Buffers, LargeOnesAreMadeAndNotKept) {
  Buffers buffers;
  std::string large = buffers.take(50'000);
  EXPECT_GE(large.capacity(), 50'000u);
  EXPECT_EQ(buffers.copy("abc"), "abc");
}

TEST(Buffers, NoMoreAreKeptThanTheBound) {
  Buffers buffers;
  std::vector<std::string> many;
  for (std::size_t i = 0; i < 2 * limits::kept_buffers_max; ++i) many.push_back(buffers.take(200));
  for (std::string& one : many) buffers.give(std::move(one));
  EXPECT_EQ(buffers.kept(), limits::kept_buffers_max);
}

}  // namespace
}  // namespace baton
