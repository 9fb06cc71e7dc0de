#include "engine/gatekeeper.h"

#include <gtest/gtest.h>

namespace baton::engine {
namespace {

IpAddress ip(const std::string& text) {
  return *IpAddress::parse(text);
}

trunk::Model model() {
  trunk::Model model;
  trunk::Carrier carrier;
  carrier.id = "west";
  carrier.sources = {*IpNetwork::parse("192.0.2.0/28"), *IpNetwork::parse("2001:db8:1::/48")};
  trunk::Uri gateway;
  gateway.host = "198.51.100.9";
  carrier.gateways = {gateway};
  model.carriers.push_back(carrier);
  trunk::Trunk out;
  out.id = "office";
  out.acl = {*IpNetwork::parse("203.0.113.0/24")};
  model.trunks.push_back(out);
  trunk::Trunk in;
  in.id = "desk";
  in.primary = trunk::Uri{};
  in.primary->host = "203.0.114.5";
  model.trunks.push_back(in);
  return model;
}

const Time start = from_micros(1'700'000'000'000'000);

class Gate : public ::testing::Test {
 protected:
  Gatekeeper make(GateLimits limits = {}) { return Gatekeeper(limits, model()); }
  const IpAddress stranger = ip("198.18.0.1");
};

TEST_F(Gate, WhoIsConfiguredIsNoStranger) {
  Gatekeeper gate = make();
  for (const char* known : {"192.0.2.1", "192.0.2.15", "2001:db8:1:ffff::1", "198.51.100.9", "203.0.113.77",
                            "203.0.114.5", "::ffff:192.0.2.3"}) {
    EXPECT_FALSE(gate.is_stranger(start, ip(known))) << known;
  }
  for (const char* unknown : {"192.0.2.16", "2001:db8:2::1", "198.51.100.10", "203.0.114.6", "::1"}) {
    EXPECT_TRUE(gate.is_stranger(start, ip(unknown))) << unknown;
  }
  gate.configure(trunk::Model{});
  EXPECT_TRUE(gate.is_stranger(start, ip("192.0.2.1")));
}

TEST_F(Gate, AStrangerHasARate) {
  Gatekeeper gate = make({.stranger_rate = 10});
  unsigned passed = 0;
  for (int i = 0; i < 100; ++i) passed += gate.admit(start, stranger) ? 1U : 0U;
  EXPECT_EQ(passed, 30U);
  EXPECT_TRUE(gate.admit(start, ip("198.18.0.2"))) << "of its own";
  EXPECT_FALSE(gate.admit(start + 99ms, stranger));
  EXPECT_TRUE(gate.admit(start + 100ms, stranger));
  EXPECT_FALSE(gate.admit(start + 100ms, stranger));
  passed = 0;
  for (int i = 0; i < 100; ++i) passed += gate.admit(start + 24h, stranger) ? 1U : 0U;
  EXPECT_EQ(passed, 30U);
}

TEST_F(Gate, WhoOnlyCollectsRefusalsIsSilenced) {
  Gatekeeper gate = make({.refusals_max = 3});
  EXPECT_FALSE(gate.refused(start, stranger));
  EXPECT_FALSE(gate.refused(start + 1s, stranger));
  EXPECT_FALSE(gate.is_silenced(start + 1s, stranger));
  EXPECT_TRUE(gate.refused(start + 2s, stranger));
  EXPECT_TRUE(gate.is_silenced(start + 2s, stranger));
  EXPECT_TRUE(gate.is_silenced(start + 2s + 5min - 1us, stranger));
  EXPECT_FALSE(gate.is_silenced(start + 2s + 5min, stranger));
  EXPECT_FALSE(gate.refused(start + 6min, stranger)) << "it is counted anew";
}

TEST_F(Gate, RefusalsLongAgoDoNotCount) {
  Gatekeeper gate = make({.refusals_max = 3});
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(gate.refused(start + i * 31s, stranger)) << i;
}

TEST_F(Gate, OneHostIsOneSourceInIpv6) {
  Gatekeeper gate = make({.refusals_max = 2});
  gate.refused(start, ip("2001:db8:5:5::1"));
  EXPECT_TRUE(gate.refused(start, ip("2001:db8:5:5:ffff::9")));
  EXPECT_TRUE(gate.is_silenced(start, ip("2001:db8:5:5:1:2:3:4")));
  EXPECT_FALSE(gate.is_silenced(start, ip("2001:db8:5:6::1")));
  EXPECT_EQ(gate.sources(), 1U);
}

TEST_F(Gate, WhoIsWelcomeIsNoStrangerForAnHour) {
  Gatekeeper gate = make({.refusals_max = 1});
  gate.refused(start, stranger);
  gate.welcome(start, stranger);
  EXPECT_FALSE(gate.is_silenced(start, stranger));
  EXPECT_FALSE(gate.is_stranger(start + 59min, stranger));
  EXPECT_TRUE(gate.is_stranger(start + 1h, stranger));
}

TEST_F(Gate, GuessingPasswordsSilences) {
  Gatekeeper gate = make({.failed_logins_max = 3});
  EXPECT_FALSE(gate.login_failed(start, stranger, "office"));
  EXPECT_FALSE(gate.login_failed(start, stranger, "desk"));
  EXPECT_TRUE(gate.login_failed(start, stranger, "office"));
  EXPECT_TRUE(gate.is_silenced(start, stranger));
  // Somebody we deal with may mistype more often, and one that is configured always.
  const IpAddress friendly = ip("198.18.0.9");
  gate.welcome(start, friendly);
  for (int i = 1; i < 30; ++i) EXPECT_FALSE(gate.login_failed(start, friendly, "office")) << i;
  EXPECT_TRUE(gate.login_failed(start, friendly, "office"));
  EXPECT_FALSE(gate.is_stranger(start, friendly)) << "it stays welcome";
  EXPECT_FALSE(gate.may_log_in(start, friendly, "office")) << "but no password of its is tried";
  gate.welcome(start, friendly);
  EXPECT_FALSE(gate.may_log_in(start + 5min - 1us, friendly, "office"));
  EXPECT_TRUE(gate.may_log_in(start + 5min, friendly, "office"));
  for (int i = 1; i < 100; ++i) EXPECT_FALSE(gate.login_failed(start, ip("203.0.113.1"), "office"));
}

TEST_F(Gate, ManySourcesGuessingAtOneTrunkAreSlowedTogether) {
  Gatekeeper gate = make({.failed_logins_per_trunk_max = 10});
  for (int i = 0; i < 10; ++i) {
    const IpAddress source = ip("198.18.1." + std::to_string(i));
    EXPECT_TRUE(gate.may_log_in(start, source, "office"));
    gate.login_failed(start, source, "office");
  }
  EXPECT_FALSE(gate.may_log_in(start, stranger, "office"));
  EXPECT_TRUE(gate.may_log_in(start, stranger, "desk"));
  EXPECT_TRUE(gate.may_log_in(start, ip("203.0.113.1"), "office")) << "who is configured is not slowed";
  EXPECT_TRUE(gate.may_log_in(start + 60s, stranger, "office"));
}

TEST_F(Gate, SourcesAreBoundedTheOldestIsForgotten) {
  Gatekeeper gate = make({.refusals_max = 1, .sources_max = 3});
  for (int i = 1; i <= 3; ++i) gate.refused(start, ip("198.18.0." + std::to_string(i)));
  static_cast<void>(gate.admit(start, ip("198.18.0.1")));  // heard again
  static_cast<void>(gate.admit(start, ip("198.18.0.4")));
  EXPECT_EQ(gate.sources(), 3U);
  EXPECT_TRUE(gate.is_silenced(start, ip("198.18.0.1")));
  EXPECT_FALSE(gate.is_silenced(start, ip("198.18.0.2")));
  EXPECT_TRUE(gate.is_silenced(start, ip("198.18.0.3")));
}

TEST_F(Gate, StrangersPushOutNobodyWhoIsWelcome) {
  Gatekeeper gate = make({.sources_max = 3});
  const auto one = [](int i) { return ip("198.18.0." + std::to_string(i)); };
  gate.welcome(start, one(1));
  gate.welcome(start, one(2));
  for (int i = 10; i < 30; ++i) static_cast<void>(gate.admit(start + 30min, one(i)));
  EXPECT_EQ(gate.sources(), 3U);
  EXPECT_FALSE(gate.is_stranger(start + 30min, one(1)));
  EXPECT_FALSE(gate.is_stranger(start + 30min, one(2)));
  // All are welcome: the first of them goes. Welcomed again is welcomed last.
  gate.welcome(start + 30min, one(3));
  gate.welcome(start + 30min, one(1));
  gate.welcome(start + 30min, one(4));
  EXPECT_EQ(gate.sources(), 3U);
  EXPECT_TRUE(gate.is_stranger(start + 30min, one(2)));
  for (int i : {1, 3, 4}) EXPECT_FALSE(gate.is_stranger(start + 30min, one(i))) << i;
  // A welcome that is over protects no longer, touched since or not.
  static_cast<void>(gate.admit(start + 90min, one(3)));
  for (int i = 10; i < 30; ++i) static_cast<void>(gate.admit(start + 90min, one(i)));
  EXPECT_EQ(gate.sources(), 3U);
}

TEST_F(Gate, WhoProvesItsAddressIsHeardUnlessItGuesses) {
  Gatekeeper gate = make({.refusals_max = 2, .failed_logins_max = 2});
  gate.refused(start, stranger);
  EXPECT_TRUE(gate.refused(start, stranger));
  EXPECT_TRUE(gate.is_silenced(start, stranger));
  EXPECT_FALSE(gate.is_silenced(start, stranger, true));
  EXPECT_TRUE(gate.may_log_in(start, stranger, "office"));
  EXPECT_FALSE(gate.login_failed(start, stranger, "office"));
  EXPECT_TRUE(gate.login_failed(start, stranger, "office"));
  EXPECT_TRUE(gate.is_silenced(start, stranger, true));
  EXPECT_FALSE(gate.may_log_in(start, stranger, "office"));
  EXPECT_FALSE(gate.is_silenced(start + 5min, stranger, true));
  // Nor for ever, when all it collects are refusals.
  const IpAddress other = ip("198.18.0.2");
  for (int i = 0; i < 3; ++i) gate.refused(start, other);
  EXPECT_FALSE(gate.is_silenced(start, other, true));
  gate.refused(start, other);
  EXPECT_TRUE(gate.is_silenced(start, other, true));
}

TEST_F(Gate, SilenceThatRestsOnDatagramsAloneHasGaps) {
  Gatekeeper gate = make({.refusals_max = 2, .failed_logins_max = 2});
  for (int i = 0; i < 10; ++i) gate.refused(start, stranger, false);
  EXPECT_TRUE(gate.is_silenced(start, stranger));
  EXPECT_FALSE(gate.is_silenced(start, stranger, true)) << "nothing proved that it was the source";
  EXPECT_TRUE(gate.hears_anyway(start, stranger));
  EXPECT_FALSE(gate.hears_anyway(start + 999ms, stranger));
  EXPECT_TRUE(gate.hears_anyway(start + 1s, stranger));
  for (int i = 0; i < 2; ++i) gate.login_failed(start + 2s, stranger, "office");
  EXPECT_FALSE(gate.hears_anyway(start + 3s, stranger)) << "it guessed";
}

TEST_F(Gate, ZeroIsNoLimit) {
  Gatekeeper gate =
      make({.stranger_rate = 0, .refusals_max = 0, .failed_logins_max = 0, .failed_logins_per_trunk_max = 0});
  for (int i = 0; i < 1'000; ++i) {
    ASSERT_TRUE(gate.admit(start, stranger));
    ASSERT_FALSE(gate.refused(start, stranger));
    ASSERT_FALSE(gate.login_failed(start, stranger, "office"));
    ASSERT_TRUE(gate.may_log_in(start, stranger, "office"));
  }
  EXPECT_FALSE(gate.is_silenced(start, stranger));
}

// ---- No reflection ----

const std::string challenge_512 =
    "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", algorithm=SHA-512-256\r\n";
const std::string challenge_md5 = "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", algorithm=MD5\r\n";
const std::string needed =
    "SIP/2.0 401 Unauthorized\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n"
    "To: <sip:c@d>;tag=2\r\nCall-ID: 3\r\nCSeq: 1 INVITE\r\n";
const std::string tail = "Content-Length: 0\r\n\r\n";

TEST(FitResponse, WhatFitsIsNotTouched) {
  const std::string whole = needed + challenge_512 + "Server: Baton\r\n" + tail;
  EXPECT_EQ(fit_response(whole, whole.size()), whole);
}

TEST(FitResponse, OptionalHeadersGoFirstThenAllChallengesButTheLast) {
  const std::string whole =
      needed + challenge_512 + challenge_md5 + "warning: 399 h \"why\"\r\nServer: Baton\r\n" + tail;
  EXPECT_EQ(fit_response(whole, whole.size() - 1),
            needed + challenge_512 + challenge_md5 + "warning: 399 h \"why\"\r\n" + tail);
  const std::string both = needed + challenge_512 + challenge_md5 + tail;
  EXPECT_EQ(fit_response(whole, both.size()), both);
  EXPECT_EQ(fit_response(whole, both.size() - 1), needed + challenge_md5 + tail);
  EXPECT_EQ(fit_response(whole, (needed + challenge_md5 + tail).size()), needed + challenge_md5 + tail);
}

TEST(FitResponse, ThenTheLengthOfNoBodyAndThenTheNamesGetShort) {
  const std::string whole = needed + challenge_md5 + tail;
  EXPECT_EQ(fit_response(whole, whole.size() - 1), needed + challenge_md5 + "\r\n");
  const std::string compact =
      "SIP/2.0 401 Unauthorized\r\nv: SIP/2.0/UDP h;branch=z9hG4bK1\r\nf: <sip:a@b>;tag=1\r\n"
      "t: <sip:c@d>;tag=2\r\ni: 3\r\nCSeq: 1 INVITE\r\n";
  EXPECT_EQ(fit_response(whole, (compact + challenge_md5).size() + 2), compact + challenge_md5 + "\r\n");
  EXPECT_EQ(fit_response(whole, (compact + challenge_md5).size() + 1), "");
}

TEST(FitResponse, WhatCanNotBeMadeToFitIsNotSent) {
  EXPECT_EQ(fit_response(needed + challenge_md5 + tail, needed.size()), "");
  EXPECT_EQ(fit_response("no end of headers", 3), "");
  EXPECT_EQ(fit_response("\r\n\r\n", 0), "");
}

}  // namespace
}  // namespace baton::engine
