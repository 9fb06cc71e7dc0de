#include "sip/multipart.h"

#include <gtest/gtest.h>

#include "base/limits.h"

namespace baton::sip {
namespace {

const std::string two =
    "preamble\r\n--b1\r\nContent-Type: application/SDP\r\n\r\nv=0\r\ns=-\r\n\r\n"
    "--b1\r\nContent-Type: application/isup;version=x\r\nContent-Disposition: signal;handling=Optional\r\n"
    "Content-Transfer-Encoding: base64\r\n\r\nAAAA\r\n--b1--\r\nepilogue --b1\r\n";

TEST(Multipart, PartsAreWhatStandsBetweenTheDelimiters) {
  const auto parts = split_multipart(two, "b1");
  ASSERT_EQ(parts.size(), 2U);
  EXPECT_EQ(parts[0].type, "application/sdp");
  EXPECT_EQ(parts[0].body, "v=0\r\ns=-\r\n");
  EXPECT_FALSE(parts[0].encoded);
  EXPECT_EQ(parts[0].handling, "");
  EXPECT_EQ(parts[1].type, "application/isup");
  EXPECT_EQ(parts[1].disposition, "signal");
  EXPECT_EQ(parts[1].handling, "optional");
  EXPECT_TRUE(parts[1].encoded);
  EXPECT_EQ(parts[1].body, "AAAA");
}

TEST(Multipart, WhatIsLooseIsStillRead) {
  const auto bare = split_multipart("--b\n\nhello\n--b--\n", "b");
  ASSERT_EQ(bare.size(), 1U);
  EXPECT_EQ(bare[0].type, "text/plain");
  EXPECT_EQ(bare[0].body, "hello");
  const auto open = split_multipart("--b\r\nc: application/sdp\r\n\r\nv=0\r\n", "b");
  ASSERT_EQ(open.size(), 1U) << "never closed";
  EXPECT_EQ(open[0].type, "application/sdp");
  EXPECT_EQ(open[0].body, "v=0\r\n");
  ASSERT_EQ(split_multipart("--b  \r\n\r\nx\r\n--b--", "b").size(), 1U);
}

TEST(Multipart, NothingIsMadeUp) {
  EXPECT_TRUE(split_multipart("", "b").empty());
  EXPECT_TRUE(split_multipart(two, "").empty());
  EXPECT_TRUE(split_multipart(two, "b").empty()) << "b1 is another boundary";
  EXPECT_TRUE(split_multipart(two, std::string(71, 'b')).empty());
  EXPECT_TRUE(split_multipart("no delimiter at all", "b").empty());
  EXPECT_TRUE(split_multipart("--b--\r\n", "b").empty());
  std::string many;
  for (int i = 0; i < 1'000; ++i) many += "--b\r\n\r\nx\r\n";
  EXPECT_EQ(split_multipart(many, "b").size(), limits::body_parts_max);
}

}  // namespace
}  // namespace baton::sip
