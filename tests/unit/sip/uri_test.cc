#include "sip/uri.h"

#include <gtest/gtest.h>

#include "base/limits.h"

namespace baton::sip {
namespace {

Uri parsed(std::string_view text) {
  auto uri = Uri::parse(text);
  EXPECT_TRUE(uri) << text << ": " << (uri ? "" : uri.error().reason);
  return uri ? *uri : Uri{};
}

TEST(Uri, TakesApartAllItsParts) {
  const Uri uri = parsed("SIPS:Alice:se%40cret@Atlanta.COM:5061;Transport=TCP;lr?Subject=a%20b&X-Id=%3C1%3E");
  EXPECT_EQ(uri.scheme, Scheme::sips);
  EXPECT_EQ(uri.scheme_text, "sips");
  EXPECT_EQ(uri.user, "Alice");
  EXPECT_EQ(uri.password, "se@cret");
  EXPECT_EQ(uri.host, "atlanta.com");
  EXPECT_EQ(uri.port, 5061);
  EXPECT_EQ(uri.transport(), Transport::tcp);
  ASSERT_NE(uri.parameter("lr"), nullptr);
  EXPECT_EQ(uri.parameter("lr")->value, "");
  ASSERT_EQ(uri.headers.size(), 2U);
  EXPECT_EQ(uri.headers[0].value, "a b");
  EXPECT_EQ(uri.headers[1].value, "<1>");
  EXPECT_EQ(uri.to_string(),
            "sips:Alice:se%40cret@atlanta.com:5061;transport=TCP;lr?Subject=a%20b&X-Id=%3C1%3E");
  EXPECT_EQ(uri.to_string(false), "sips:Alice:se%40cret@atlanta.com:5061;transport=TCP;lr");
}

TEST(Uri, WritesWhatItReads) {
  for (const std::string_view text :
       {"sip:example.com", "sip:a@192.0.2.1:5080", "sip:a@[2001:db8::1]:5080;transport=udp",
        "sip:+15550001111@trunk.example.com;user=phone", "sip:a;b=c@example.com", "sip:a%3Ab:c@example.com",
        "sip:%2B1@example.com;maddr=[::1]", "tel:+1-555-(000).1111", "tel:863-1234;phone-context=+1-914-555",
        "tel:*21#", "urn:service:sos", "http://example.com/a?b=c#d", "sip:a@b;x=%3B%22"}) {
    const Uri uri = parsed(text);
    const Uri again = parsed(uri.to_string());
    EXPECT_TRUE(uri.equivalent(again)) << text;
    EXPECT_EQ(uri.to_string(), again.to_string());
  }
  EXPECT_EQ(parsed("sip:%2B1555@example.com").to_string(), "sip:+1555@example.com");
  EXPECT_EQ(parsed("sip:#31#123@example.com").to_string(), "sip:%2331%23123@example.com");
}

TEST(Uri, Refuses) {
  for (const std::string_view text : {"",
                                      "sip",
                                      "sip:",
                                      ":a@b",
                                      "sip:@example.com",
                                      "sip::pw@example.com",
                                      "sip:a@",
                                      "sip:a@b:",
                                      "sip:a@b:0",
                                      "sip:a@b:65536",
                                      "sip:a@b:5060x",
                                      "sip:a@b c",
                                      "sip:a b@c",
                                      "sip:a@b%",
                                      "sip:a%4@b",
                                      "sip:a%zz@b",
                                      "sip:a@[::1",
                                      "sip:a@::1",
                                      "sip:a@[1.2.3.4]",
                                      "sip:a@b;x=\"y\"",
                                      "sip:a@b?x",
                                      "sip:a@b?=y",
                                      "sip:a@b;=y",
                                      "sip:a@.b",
                                      "sip:a@b..c",
                                      "sip:a@b>",
                                      "tel:",
                                      "tel:abcxyz",
                                      "tel:+",
                                      "tel:+12a",
                                      "tel:1+2",
                                      "tel:--",
                                      "1x:y",
                                      "x:",
                                      "x:a b",
                                      "x:%zz",
                                      "sip:a@b\r\n",
                                      "sip:a@b@c"}) {
    const auto uri = Uri::parse(text);
    ASSERT_FALSE(uri) << text;
    EXPECT_EQ(uri.error().status, 400) << text;
  }
}

TEST(Uri, HostsThatAreNumbersMustBeAddresses) {
  for (const std::string_view host : {"2130706433", "0x7f000001", "127.1", "0177.0.0.1.5", "1.2.3.4.5",
                                      "256.1.1.1", "a.0x7f", "1.2.3.04."}) {
    EXPECT_FALSE(Uri::parse("sip:a@" + std::string(host))) << host;
  }
  for (const std::string_view host :
       {"3com.example", "1.2.3.4", "a1", "9f8e7d6c5b4a", "my_host", "example.com."}) {
    EXPECT_TRUE(Uri::parse("sip:a@" + std::string(host))) << host;
  }
}

TEST(Uri, Bounds) {
  const auto too_long = Uri::parse("sip:" + std::string(limits::uri_bytes_max, 'a'));
  ASSERT_FALSE(too_long);
  EXPECT_EQ(too_long.error().status, 414);
  std::string many = "sip:a@b";
  for (std::size_t i = 0; i <= limits::uri_parameters_max; ++i) many += ";p" + std::to_string(i);
  EXPECT_FALSE(Uri::parse(many));
}

TEST(Uri, OfDoubledParametersTheFirstCounts) {
  const Uri uri = parsed("sip:a@b;transport=tcp;Transport=udp;lr;lr");
  EXPECT_EQ(uri.transport(), Transport::tcp);
  EXPECT_EQ(uri.to_string(), "sip:a@b;transport=tcp;lr");
  EXPECT_TRUE(uri.equivalent(uri));
}

TEST(Uri, ReplacesInAReferTo) {
  const Uri uri = parsed("sip:a@b?Replaces=12345%40192.0.2.3%3Bto-tag%3D1%3Bfrom-tag%3D2&X-A=1");
  EXPECT_EQ(uri.headers[0].value, "12345@192.0.2.3;to-tag=1;from-tag=2");
  // Many phones leave the escapes out.
  const Uri bare = parsed("sip:a@b?Replaces=12345@192.0.2.3;to-tag=1;from-tag=2&X-A=1");
  EXPECT_EQ(bare.headers[0].value, uri.headers[0].value);
  EXPECT_EQ(bare.to_string(), uri.to_string());
}

TEST(Uri, InjectionIsEscapedAgain) {
  const Uri uri = parsed("sip:a%0d%0aX%3ay@b;p=%0d%0a?h=%0d%0a");
  EXPECT_EQ(uri.user, "a\r\nX:y");
  EXPECT_EQ(uri.to_string(), "sip:a%0D%0AX%3Ay@b;p=%0D%0A?h=%0D%0A");
}

// The examples of RFC 3261 19.1.4.
TEST(Uri, Equivalence) {
  const auto same = [](std::string_view a, std::string_view b) {
    const bool there = parsed(a).equivalent(parsed(b));
    EXPECT_EQ(there, parsed(b).equivalent(parsed(a)));
    return there;
  };
  EXPECT_TRUE(same("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"));
  EXPECT_TRUE(same("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"));
  EXPECT_TRUE(same("sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on"));
  EXPECT_TRUE(
      same("sip:biloxi.com;transport=tcp;method=REGISTER", "sip:biloxi.com;method=REGISTER;transport=tcp"));
  EXPECT_FALSE(same("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"));
  EXPECT_FALSE(same("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"));
  EXPECT_FALSE(same("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"));
  EXPECT_FALSE(same("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"));
  EXPECT_FALSE(same("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"));
  EXPECT_FALSE(same("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"));
  EXPECT_FALSE(same("sip:a@b", "sips:a@b"));
  EXPECT_TRUE(same("sip:a@[2001:db8::1]", "sip:a@[2001:DB8:0::1]"));
  EXPECT_TRUE(same("tel:+1-555-0100000", "tel:+1(555)010.0000"));
  EXPECT_FALSE(same("tel:5550100;phone-context=a.com", "tel:5550100"));
}

TEST(Uri, PercentDecode) {
  EXPECT_EQ(percent_decode("a%2Bb%"), "a+b%");
  EXPECT_EQ(percent_decode("%4"), "%4");
  EXPECT_EQ(percent_decode("%41%4x%42"), "A%4xB");
  EXPECT_EQ(percent_decode("%00"), std::string(1, '\0'));
}

TEST(Uri, E164) {
  EXPECT_EQ(to_e164("+15550001111"), "+15550001111");
  EXPECT_EQ(to_e164("+1-(555).000-1111"), "+15550001111");
  EXPECT_EQ(to_e164("+1234567"), "+1234567");
  EXPECT_EQ(to_e164("+123456789012345"), "+123456789012345");
  for (const std::string_view text : {"", "+", "15550001111", "+123456", "+1234567890123456", "+1555000111a",
                                      "+1 555 000 1111", "++15550001111", "+1555;x=1", "-+15550001111"}) {
    EXPECT_FALSE(to_e164(text)) << text;
  }
}

}  // namespace
}  // namespace baton::sip
