#include "net/crowd.h"

#include <gtest/gtest.h>

namespace baton::net {
namespace {

TEST(Crowd, CountsEachSourceForItself) {
  const IpAddress a = IpAddress::v4(192, 0, 2, 1), b = IpAddress::v4(192, 0, 2, 2);
  Crowd crowd;
  crowd.came(a);
  crowd.came(a);
  crowd.came(b);
  EXPECT_EQ(crowd.connections_from(a), 2U);
  EXPECT_EQ(crowd.connections_from(b), 1U);
  crowd.went(a);
  crowd.went(a);
  EXPECT_EQ(crowd.connections_from(a), 0U);
}

TEST(Crowd, AnIpv6SourceIsItsNetworkOf64Bits) {
  const IpAddress a = *IpAddress::parse("2001:db8:1:2::1");
  const IpAddress same = *IpAddress::parse("2001:db8:1:2:ffff::9");
  const IpAddress other = *IpAddress::parse("2001:db8:1:3::1");
  Crowd crowd;
  crowd.came(a);
  crowd.came(same);
  EXPECT_EQ(crowd.connections_from(a), 2U);
  EXPECT_EQ(crowd.connections_from(other), 0U);
}

TEST(Crowd, HandshakesAreCountedTogetherAndByTheirSource) {
  const IpAddress a = IpAddress::v4(192, 0, 2, 1), b = IpAddress::v4(192, 0, 2, 2);
  Crowd crowd;
  for (const IpAddress& from : {a, b, b}) {
    crowd.came(from);
    crowd.handshake_began(from);
  }
  EXPECT_EQ(crowd.handshakes(), 3U);
  EXPECT_EQ(crowd.handshakes_from(b), 2U);
  crowd.handshake_ended(b);
  EXPECT_EQ(crowd.handshakes(), 2U);
  EXPECT_EQ(crowd.handshakes_from(b), 1U);
  EXPECT_EQ(crowd.connections_from(b), 2U);
}

}  // namespace
}  // namespace baton::net
