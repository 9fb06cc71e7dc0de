#include "sip/framer.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "unit/sip/sample.h"

namespace baton::sip {
namespace {

using test::replaced;
using test::request;

TEST(Framer, CutsAtEveryByte) {
  const std::string first = request("INVITE", {}, "one\r\n\r\ntwo");
  const std::string second = replaced(request("BYE", "X: y\r\n"), "Content-Length", "l");
  const std::string stream = "\r\n\r\n" + first + "\r\n" + second + "\r\n\r\n";
  for (std::size_t step = 1; step <= stream.size(); ++step) {
    StreamFramer framer;
    std::vector<std::string> found;
    unsigned pings = 0;
    for (std::size_t at = 0; at < stream.size(); at += step) {
      ASSERT_TRUE(framer.feed(std::string_view(stream).substr(at, step)));
      std::string message;
      while (framer.next(message)) found.push_back(message);
      pings += framer.take_pings();
    }
    ASSERT_EQ(found.size(), 2U) << step;
    EXPECT_EQ(found[0], first);
    EXPECT_EQ(found[1], second);
    EXPECT_EQ(pings, 2U) << step;
    EXPECT_LE(framer.buffered(), 4U);
  }
}

TEST(Framer, PingsArePairs) {
  StreamFramer framer;
  ASSERT_TRUE(framer.feed("\r\n\r\n\r\n\r\n\r"));
  EXPECT_EQ(framer.take_pings(), 2U);
  EXPECT_EQ(framer.take_pings(), 0U);
  ASSERT_TRUE(framer.feed("\n"));
  EXPECT_EQ(framer.take_pings(), 0U);
  ASSERT_TRUE(framer.feed("\r\n"));
  EXPECT_EQ(framer.take_pings(), 1U);
  // A pong, then a message: no ping.
  ASSERT_TRUE(framer.feed("\r\n" + request() + "\r\n"));
  EXPECT_EQ(framer.take_pings(), 0U);
}

TEST(Framer, ContentLengthIsNeeded) {
  for (const char* line :
       {"", "Content-Length: x\r\n", "Content-Length: -1\r\n", "Content-Length: 0\r\nl: 0\r\n",
        "Content-Length: 99999999999\r\n", "Content-Length:\r\n"}) {
    StreamFramer framer;
    const auto done = framer.feed(replaced(request(), "Content-Length: 0\r\n", line));
    ASSERT_FALSE(done) << line;
    EXPECT_EQ(done.error().status, 400);
    // Out of step for good.
    EXPECT_FALSE(framer.feed(request()));
    std::string message;
    EXPECT_FALSE(framer.next(message));
  }
}

TEST(Framer, WhatCameBeforeTheFaultIsGood) {
  StreamFramer framer;
  EXPECT_FALSE(framer.feed(request() + "x\r\n\r\n"));
  std::string message;
  EXPECT_TRUE(framer.next(message));
  EXPECT_EQ(message, request());
  EXPECT_FALSE(framer.next(message));
}

TEST(Framer, FoldedLength) {
  StreamFramer framer;
  ASSERT_TRUE(framer.feed(replaced(request("INVITE", {}, "abc"), "Content-Length: 3", "l :\r\n  3")));
  std::string message;
  EXPECT_TRUE(framer.next(message));
}

TEST(Framer, Bounds) {
  StreamFramer endless;
  Result<void, ParseError> done;
  std::size_t fed = 0;
  const std::string line = "X: " + std::string(1000, 'x') + "\r\n";
  while (done && fed < 10 * limits::message_bytes_max) {
    done = endless.feed(line);
    fed += line.size();
  }
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().status, 513);
  EXPECT_LE(fed, limits::message_bytes_max + 2 * line.size());

  StreamFramer large;
  const auto refused =
      large.feed(replaced(request(), "Length: 0", "Length: " + std::to_string(limits::message_bytes_max)));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().status, 513);
}

TEST(Framer, KeepsLittle) {
  StreamFramer framer;
  std::string message;
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(framer.feed(request() + "\r\n"));
    ASSERT_TRUE(framer.next(message));
    ASSERT_FALSE(framer.next(message));
    EXPECT_LE(framer.buffered(), 2U);
  }
}

}  // namespace
}  // namespace baton::sip
