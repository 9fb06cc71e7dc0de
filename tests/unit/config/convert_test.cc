#include "config/convert.h"

#include <gtest/gtest.h>

#include "config/number_plan.h"

namespace baton::config {
namespace {

TEST(Convert, Durations) {
  EXPECT_EQ(to_duration("500ms").value(), 500ms);
  EXPECT_EQ(to_duration("60s").value(), 60s);
  EXPECT_EQ(to_duration("2m").value(), 2min);
  EXPECT_EQ(to_duration("24h").value(), 24h);
  EXPECT_EQ(to_duration("0s").value(), 0s);
  EXPECT_EQ(to_duration("999999999h").value(), Duration(999'999'999h));
  for (const char* bad :
       {"", "s", "60", "-1s", "+1s", "1.5s", "1 s", "1S", "1d", "1000000000s", "60s ", "0x1s"}) {
    EXPECT_FALSE(to_duration(bad)) << bad;
  }
}

TEST(Convert, DurationsAreWrittenBack) {
  EXPECT_EQ(write_duration(500ms), "500ms");
  EXPECT_EQ(write_duration(90s), "90s");
  EXPECT_EQ(write_duration(120s), "2m");
  EXPECT_EQ(write_duration(24h), "24h");
  EXPECT_EQ(write_duration(0s), "0s");
}

TEST(Convert, Money) {
  EXPECT_EQ(to_micros_of_money("0").value(), 0);
  EXPECT_EQ(to_micros_of_money("12").value(), 12'000'000);
  EXPECT_EQ(to_micros_of_money("12.5").value(), 12'500'000);
  EXPECT_EQ(to_micros_of_money("0.000001").value(), 1);
  EXPECT_EQ(to_micros_of_money("999999999.999999").value(), 999'999'999'999'999);
  for (const char* bad :
       {"", ".", "1.", ".5", "-1", "+1", "1,5", "1e3", "0.0000001", "1000000000", "1.2.3", " 1"}) {
    EXPECT_FALSE(to_micros_of_money(bad)) << bad;
  }
}

TEST(Convert, Networks) {
  EXPECT_EQ(to_network("10.0.0.0/8").value().prefix_length, 8);
  EXPECT_EQ(to_network("10.0.0.1").value().prefix_length, 32);
  EXPECT_EQ(to_network("2001:db8::/32").value().prefix_length, 32);
  EXPECT_EQ(to_network("2001:db8::1").value().prefix_length, 128);
  for (const char* bad :
       {"", "10.0.0.0/", "10.0.0.0/33", "10.0.0/8", "0.0.0.0/0", "::/0", "2001:db8::1/64", "host/8"}) {
    EXPECT_FALSE(to_network(bad)) << bad;
  }
  EXPECT_NE(to_network("2001:db8::1/64").error().remedy.find("\"2001:db8::/64\""), std::string::npos);
  EXPECT_NE(to_network("10.1.2.3/15").error().remedy.find("\"10.0.0.0/15\""), std::string::npos);
}

TEST(Convert, HostNames) {
  EXPECT_EQ(to_host_name("SIP.Example.com").value(), "sip.example.com");
  EXPECT_EQ(to_host_name("localhost").value(), "localhost");
  EXPECT_TRUE(to_host_name("3com.example"));
  for (const std::string& bad :
       {std::string(""), std::string("."), std::string("a."), std::string(".a"), std::string("a..b"),
        std::string("-a"), std::string("a-"), std::string("a_b"), std::string("a b"), std::string("10.0.0.1"),
        std::string("127.1"), std::string("0x7f000001"), std::string("[::1]"), std::string("::1"),
        std::string("a:5060"), std::string(64, 'a'), std::string("a\0b", 3),
        std::string("b\xc3\xbc.example")}) {
    EXPECT_FALSE(to_host_name(bad)) << bad;
  }
}

TEST(Convert, TransferHosts) {
  EXPECT_TRUE(to_transfer_host("pbx.example.com"));
  EXPECT_TRUE(to_transfer_host("8.8.8.8"));
  EXPECT_TRUE(to_transfer_host("[2600::1]"));
  for (const char* bad :
       {"10.0.0.1", "127.0.0.1", "[::ffff:10.0.0.1]", "::1", "169.254.169.254", "0.0.0.0", "127.1"}) {
    EXPECT_FALSE(to_transfer_host(bad)) << bad;
  }
}

TEST(Convert, Uris) {
  const trunk::Uri full = to_endpoint_uri("sip:pbx@10.0.0.1:5070;transport=tcp").value();
  EXPECT_EQ(full, (trunk::Uri{"pbx", "10.0.0.1", 5070, Transport::tcp, "", ""}));
  EXPECT_EQ(to_gateway_uri("sip:gw.example.com;transport=udp")->lookup().transport, Transport::udp);
  EXPECT_FALSE(to_gateway_uri("sip:gw.example.com")->lookup().transport) << "RFC 3263 4.1 finds it";
  EXPECT_EQ(to_gateway_uri("sip:[2001:db8::1]").value().host, "[2001:db8::1]");
  EXPECT_EQ(to_gateway_uri("SIP:Gw.Example.com").value().host, "gw.example.com");
  EXPECT_EQ(to_gateway_uri("sip:gw.example.com;transport=tls").value().transport, Transport::tls);
  EXPECT_FALSE(to_gateway_uri("sip:gw.example.com;transport=tls").value().sips);
  for (const char* sips : {"sips:gw.example.com", "sips:gw.example.com;transport=tcp"}) {
    EXPECT_EQ(to_gateway_uri(sips).value().transport, Transport::tls) << sips;
    EXPECT_TRUE(to_gateway_uri(sips).value().sips) << sips;
  }
  for (const char* bad :
       {"", "sip:", "10.0.0.1", "sips:gw;transport=udp", "sip:10.0.0.1:0", "sip:10.0.0.1:65536", "sip:a?b=c",
        "tel:+14155550100", "sip:127.1", "sip:gw;maddr=10.0.0.1", "sip:gw;transport=sctp", "sip:[::]"}) {
    EXPECT_FALSE(to_endpoint_uri(bad)) << bad;
  }
}

TEST(Convert, Prefixes) {
  EXPECT_TRUE(to_prefix("+1"));
  EXPECT_TRUE(to_prefix("+123456789012345"));
  for (const char* bad : {"", "+", "1", "+1234567890123456", "+1a", "++1", "+ 1"})
    EXPECT_FALSE(to_prefix(bad)) << bad;
}

TEST(NumberPlan, CountryOfNumber) {
  const auto plan = number_plan();
  EXPECT_EQ(plan->country_of("+14155550100"), "US");
  EXPECT_EQ(plan->country_of("+16135550100"), "CA");
  EXPECT_EQ(plan->country_of("+18765550100"), "JM");
  EXPECT_EQ(plan->country_of("+442079460100"), "GB");
  EXPECT_EQ(plan->country_of("+447624123456"), "IM");
  EXPECT_EQ(plan->country_of("+493012345678"), "DE");
  EXPECT_EQ(plan->country_of("+77012345678"), "KZ");
  EXPECT_EQ(plan->country_of("+390612345678"), "IT");
}

TEST(NumberPlan, UnassignedAreaCodeCountsAsTheMainCountry) {
  EXPECT_EQ(number_plan()->country_of("+15555550100"), "US");
}

TEST(NumberPlan, NumbersOfNoCountry) {
  const auto plan = number_plan();
  EXPECT_EQ(plan->country_of("+80012345678"), "");   // freephone of the world
  EXPECT_EQ(plan->country_of("+881612345678"), "");  // satellites
  EXPECT_EQ(plan->country_of("+9991234567"), "");
  EXPECT_EQ(plan->country_of("+0123456789"), "");
  for (const char* bad : {"", "+", "14155550100", "hello", "+1", "+1415555010012345678901234567890"}) {
    EXPECT_NO_FATAL_FAILURE(static_cast<void>(plan->country_of(bad)));
  }
}

TEST(NumberPlan, AnswersStayTheSameWhateverWasAskedBefore) {
  const auto plan = number_plan();
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 3000; ++i) {
      ASSERT_EQ(plan->country_of("+1415555" + std::to_string(1000 + i)), "US");
      ASSERT_EQ(plan->country_of("+44207946" + std::to_string(1000 + i)), "GB");
    }
  }
}

TEST(NumberPlan, KnowsCountries) {
  EXPECT_TRUE(number_plan()->knows_country("US"));
  for (const char* bad : {"UK", "us", "USA", "001", "", "ZZ"})
    EXPECT_FALSE(number_plan()->knows_country(bad)) << bad;
}

}  // namespace
}  // namespace baton::config
