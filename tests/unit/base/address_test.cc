#include "base/address.h"

#include <gtest/gtest.h>

#include <string>

namespace baton {
namespace {

IpAddress ip(std::string_view text) {
  const auto parsed = IpAddress::parse(text);
  EXPECT_TRUE(parsed.has_value()) << text;
  return parsed.value_or(IpAddress{});
}

TEST(IpAddress, ParsesStrictDottedQuads) {
  EXPECT_EQ(ip("192.0.2.1"), IpAddress::v4(192, 0, 2, 1));
  EXPECT_EQ(ip("0.0.0.0"), IpAddress::v4(0, 0, 0, 0));
  for (const char* bad :
       {"", "1", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.4 ", " 1.2.3.4", "01.2.3.4", "0x1.2.3.4",
        "2130706433", "1.2.3.-4", "1.2.3.", "[1.2.3.4]", "1.2.3.4/8", "host"}) {
    EXPECT_FALSE(IpAddress::parse(bad).has_value()) << bad;
  }
}

TEST(IpAddress, ParsesIpv6WithAndWithoutBrackets) {
  EXPECT_EQ(ip("[2001:db8::1]"), ip("2001:DB8:0::1"));
  EXPECT_TRUE(ip("::1").v6);
  EXPECT_TRUE(ip("::ffff:192.0.2.1").v6);
  for (const char* bad :
       {"[::1", "::1]", "[]", ":::", "1::2::3", "fe80::1%eth0", "2001:db8::12345", "[::1]:5060"}) {
    EXPECT_FALSE(IpAddress::parse(bad).has_value()) << bad;
  }
}

TEST(IpAddress, RefusesAnEmbeddedNulAndEndlessText) {
  EXPECT_FALSE(IpAddress::parse(std::string_view("1.2.3.4\0.5", 10)).has_value());
  EXPECT_FALSE(IpAddress::parse(std::string(5000, '1')).has_value());
  EXPECT_FALSE(IpAddress::parse("[" + std::string(5000, ':') + "]").has_value());
}

TEST(IpAddress, WritesWhatItReads) {
  for (const char* text : {"192.0.2.1", "255.255.255.255", "2001:db8::1", "::", "::ffff:192.0.2.1"}) {
    EXPECT_EQ(ip(text).to_string(), text);
  }
  EXPECT_EQ(ip("2001:db8::1").to_uri_host(), "[2001:db8::1]");
  EXPECT_EQ(ip("192.0.2.1").to_uri_host(), "192.0.2.1");
}

TEST(IpAddress, MappedIpv4IsNotThatIpv4) {
  EXPECT_NE(ip("::ffff:192.0.2.1"), ip("192.0.2.1"));
}

TEST(IpAddress, Unspecified) {
  EXPECT_TRUE(ip("0.0.0.0").is_unspecified());
  EXPECT_TRUE(ip("::").is_unspecified());
  EXPECT_FALSE(ip("::1").is_unspecified());
  EXPECT_FALSE(ip("0.0.0.1").is_unspecified());
}

TEST(IpAddress, PublicIpv4) {
  for (const char* text :
       {"8.8.8.8", "1.1.1.1", "172.15.0.1", "172.32.0.1", "100.63.255.255", "100.128.0.0", "192.167.1.1",
        "198.17.0.1", "198.20.0.1", "223.255.255.255", "169.253.1.1", "11.0.0.1"}) {
    EXPECT_TRUE(ip(text).is_public()) << text;
  }
}

TEST(IpAddress, NotPublicIpv4) {
  for (const char* text :
       {"0.0.0.0", "0.1.2.3", "10.0.0.1", "127.0.0.1", "127.255.255.254", "100.64.0.1", "100.127.255.255",
        "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.168.0.1", "192.0.0.1", "198.18.0.1",
        "198.19.255.255", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255"}) {
    EXPECT_FALSE(ip(text).is_public()) << text;
  }
}

TEST(IpAddress, PublicIpv6) {
  for (const char* text : {"2606:4700::1111", "2a00:1450::1", "2002:808:808::1", "64:ff9b::8.8.8.8"}) {
    EXPECT_TRUE(ip(text).is_public()) << text;
  }
}

TEST(IpAddress, NotPublicIpv6) {
  for (const char* text : {"::",
                           "::1",
                           "::2",
                           "::8.8.8.8",
                           "::ffff:10.0.0.1",
                           "::ffff:8.8.8.8",
                           "::ffff:0:10.0.0.1",
                           "fe80::1",
                           "febf::1",
                           "fec0::1",
                           "fc00::1",
                           "fdff::1",
                           "ff02::1",
                           "100::1",
                           "2002:a00:1::1",
                           "2002:7f00:1::1",
                           "2001:0:1::1",
                           "64:ff9b::10.0.0.1",
                           "64:ff9b::127.0.0.1",
                           "64:ff9b:1::8.8.8.8",
                           "4000::1",
                           "e000::1"}) {
    EXPECT_FALSE(ip(text).is_public()) << text;
  }
}

TEST(SocketAddress, NeedsAPort) {
  EXPECT_EQ(SocketAddress::parse("192.0.2.1:5060"), (SocketAddress{IpAddress::v4(192, 0, 2, 1), 5060}));
  EXPECT_EQ(SocketAddress::parse("[2001:db8::1]:5061")->to_string(), "[2001:db8::1]:5061");
  for (const char* bad : {"192.0.2.1", "192.0.2.1:", "192.0.2.1:65536", "192.0.2.1:-1", "192.0.2.1:+1",
                          "192.0.2.1:5060x", "2001:db8::1:5060", "[2001:db8::1]", "[192.0.2.1]:5060",
                          "host:5060", ":5060", "192.0.2.1:99999999999999999999"}) {
    EXPECT_FALSE(SocketAddress::parse(bad).has_value()) << bad;
  }
}

TEST(IpNetwork, ContainsByPrefix) {
  const auto network = IpNetwork::parse("192.0.2.128/25");
  ASSERT_TRUE(network.has_value());
  EXPECT_TRUE(network->contains(ip("192.0.2.128")));
  EXPECT_TRUE(network->contains(ip("192.0.2.255")));
  EXPECT_FALSE(network->contains(ip("192.0.2.127")));
  EXPECT_FALSE(network->contains(ip("::ffff:192.0.2.200")));
}

TEST(IpNetwork, HostBitsOfTheBaseDoNotMatter) {
  EXPECT_TRUE(IpNetwork::parse("10.1.2.3/8")->contains(ip("10.255.0.1")));
  EXPECT_TRUE(IpNetwork::parse("2001:db8::ffff/47")->contains(ip("2001:db8:1::1")));
  EXPECT_FALSE(IpNetwork::parse("2001:db8::/47")->contains(ip("2001:db8:2::1")));
}

TEST(IpNetwork, EdgesOfThePrefix) {
  EXPECT_TRUE(IpNetwork::parse("0.0.0.0/0")->contains(ip("203.0.113.9")));
  EXPECT_FALSE(IpNetwork::parse("0.0.0.0/0")->contains(ip("::1")));
  EXPECT_TRUE(IpNetwork::parse("::/0")->contains(ip("2001:db8::1")));
  EXPECT_TRUE(IpNetwork::parse("192.0.2.1")->contains(ip("192.0.2.1")));
  EXPECT_FALSE(IpNetwork::parse("192.0.2.1")->contains(ip("192.0.2.2")));
  EXPECT_TRUE(IpNetwork::parse("2001:db8::1")->contains(ip("2001:db8::1")));
  EXPECT_FALSE(IpNetwork::parse("2001:db8::1/128")->contains(ip("2001:db8::2")));
}

TEST(IpNetwork, RefusesWhatIsNoPrefix) {
  for (const char* bad :
       {"", "/8", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.0/-1", "10.0.0.0/8/8", "10.0.0.0/a"}) {
    EXPECT_FALSE(IpNetwork::parse(bad).has_value()) << bad;
  }
}

TEST(Transport, Names) {
  for (const Transport transport : {Transport::udp, Transport::tcp, Transport::tls}) {
    EXPECT_EQ(parse_transport(to_string(transport)), transport);
    EXPECT_EQ(parse_transport(to_via_token(transport)), transport);
  }
  EXPECT_FALSE(parse_transport("sctp").has_value());
  EXPECT_FALSE(parse_transport("").has_value());
}

}  // namespace
}  // namespace baton
