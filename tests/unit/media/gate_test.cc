#include "media/relay/gate.h"

#include <gtest/gtest.h>

namespace baton::media {
namespace {

using Verdict = Gate::Verdict;

SocketAddress at(const char* text) {
  return *SocketAddress::parse(text);
}

TEST(Gate, NobodyBeforeAnAddressIsKnown) {
  Gate gate;
  EXPECT_EQ(gate.judge(at("192.0.2.1:4000"), true), Verdict::refused);
  EXPECT_FALSE(gate.target());
}

TEST(Gate, PublicAddressIsStrict) {
  Gate gate;
  static_cast<void>(gate.expect(at("198.51.100.1:4000"), std::nullopt));
  EXPECT_EQ(gate.judge(at("198.51.100.1:4002"), true), Verdict::refused);
  EXPECT_EQ(gate.judge(at("203.0.113.9:4000"), true), Verdict::refused);
  EXPECT_EQ(gate.judge(at("198.51.100.1:4000"), true), Verdict::known);
  EXPECT_EQ(gate.target(), at("198.51.100.1:4000"));
}

TEST(Gate, LoopbackIsStrict) {
  for (const char* address : {"127.0.0.1:4000", "[::1]:4000"}) {
    Gate gate;
    static_cast<void>(gate.expect(at(address), std::nullopt));
    EXPECT_EQ(gate.judge(at("127.0.0.1:5000"), true), Verdict::refused);
    EXPECT_EQ(gate.judge(at(address), true), Verdict::known);
  }
}

TEST(Gate, PrivateAddressLatchesOnce) {
  Gate gate;
  static_cast<void>(gate.expect(at("10.0.0.5:4000"), std::nullopt));
  EXPECT_EQ(gate.target(), at("10.0.0.5:4000"));
  EXPECT_EQ(gate.judge(at("198.51.100.1:7000"), false), Verdict::refused);
  EXPECT_EQ(gate.judge(at("198.51.100.1:7000"), true), Verdict::latched);
  EXPECT_EQ(gate.judge(at("198.51.100.1:7000"), true), Verdict::known);
  EXPECT_EQ(gate.judge(at("198.51.100.1:7001"), true), Verdict::refused);
  EXPECT_EQ(gate.judge(at("203.0.113.9:7000"), true), Verdict::refused);
  EXPECT_EQ(gate.target(), at("198.51.100.1:7000"));
}

TEST(Gate, LatchOnlyWhereSignallingComesFrom) {
  Gate gate;
  static_cast<void>(gate.expect(at("10.0.0.5:4000"), IpAddress::v4(198, 51, 100, 1)));
  EXPECT_EQ(gate.judge(at("203.0.113.9:7000"), true), Verdict::refused);
  EXPECT_EQ(gate.judge(at("198.51.100.1:7000"), true), Verdict::latched);
}

TEST(Gate, PrivateAddressThatAnswersIsStrict) {
  Gate gate;
  static_cast<void>(gate.expect(at("10.0.0.5:4000"), std::nullopt));
  EXPECT_EQ(gate.judge(at("10.0.0.5:4000"), true), Verdict::known);
  EXPECT_EQ(gate.judge(at("198.51.100.1:7000"), true), Verdict::refused);
}

TEST(Gate, TheAdvertisedAddressWinsOverALatch) {
  Gate gate;
  static_cast<void>(gate.expect(at("10.0.0.5:4000"), std::nullopt));
  EXPECT_EQ(gate.judge(at("10.0.0.66:7000"), true), Verdict::latched);
  EXPECT_EQ(gate.judge(at("10.0.0.5:4000"), true), Verdict::latched);
  EXPECT_EQ(gate.target(), at("10.0.0.5:4000"));
  EXPECT_EQ(gate.judge(at("10.0.0.66:7000"), true), Verdict::refused);
}

TEST(Gate, SameAddressAgainKeepsTheLatch) {
  Gate gate;
  static_cast<void>(gate.expect(at("10.0.0.5:4000"), std::nullopt));
  EXPECT_EQ(gate.judge(at("198.51.100.1:7000"), true), Verdict::latched);
  static_cast<void>(gate.expect(at("10.0.0.5:4000"), std::nullopt));
  EXPECT_EQ(gate.judge(at("198.51.100.1:7000"), true), Verdict::known);
  static_cast<void>(gate.expect(at("0.0.0.0:4000"), std::nullopt));
  EXPECT_EQ(gate.judge(at("198.51.100.1:7000"), true), Verdict::known);
  EXPECT_EQ(gate.judge(at("198.51.100.1:9999"), true), Verdict::refused);
  static_cast<void>(gate.expect(at("10.0.0.5:4006"), std::nullopt));
  EXPECT_EQ(gate.target(), at("10.0.0.5:4006"));
  EXPECT_EQ(gate.judge(at("198.51.100.1:7006"), true), Verdict::latched);
}

TEST(Gate, UnspecifiedAddressIsLatchedOntoAndNeverSentTo) {
  Gate gate;
  static_cast<void>(gate.expect(at("0.0.0.0:4000"), std::nullopt));
  EXPECT_FALSE(gate.target());
  EXPECT_EQ(gate.judge(at("198.51.100.1:7000"), true), Verdict::latched);
  EXPECT_EQ(gate.target(), at("198.51.100.1:7000"));
}

}  // namespace
}  // namespace baton::media
