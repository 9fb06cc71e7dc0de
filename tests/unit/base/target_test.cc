#include "base/target.h"

#include <gtest/gtest.h>

namespace baton {
namespace {

TEST(Target, LiteralsLeadWhereTheySay) {
  EXPECT_EQ(literal_target({"192.0.2.1"})->to_string(), "udp 192.0.2.1:5060");
  EXPECT_EQ(literal_target({"[2001:db8::1]", 5070, Transport::tcp})->to_string(), "tcp [2001:db8::1]:5070");
  EXPECT_EQ(literal_target({"192.0.2.1", 0, Transport::tls})->to_string(), "tls 192.0.2.1:5061");
  EXPECT_EQ(literal_target({"192.0.2.1", 0, Transport::udp, true})->to_string(), "tls 192.0.2.1:5061");
  EXPECT_FALSE(literal_target({"sip.example.com"}));
  EXPECT_FALSE(literal_target({"127.1"}));
}

}  // namespace
}  // namespace baton
