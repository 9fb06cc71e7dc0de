#include "net/locate.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace baton::net {
namespace {

using Texts = std::vector<std::string>;

class Zone : public Facts {
 public:
  const Records* look(RecordType type, const std::string& name) override {
    const std::string key = (type == RecordType::naptr ? "NAPTR "
                             : type == RecordType::srv ? "SRV "
                                                       : "A ") +
                            name;
    asked.insert(key);
    if (unknown.count(key) != 0) return nullptr;
    return &all[key];
  }
  void naptr(const std::string& name, std::vector<Naptr> records) {
    all["NAPTR " + name].naptr = std::move(records);
  }
  void srv(const std::string& name, std::vector<Srv> records) { all["SRV " + name].srv = std::move(records); }
  void a(const std::string& name, const Texts& ips) {
    for (const auto& ip : ips) all["A " + name].addresses.push_back(*IpAddress::parse(ip));
  }

  std::map<std::string, Records> all;
  std::set<std::string> unknown, asked;
};

class Locate : public ::testing::Test {
 protected:
  Locate() {
    for (const Transport transport : {Transport::udp, Transport::tcp, Transport::tls})
      reach.add(transport, false);
  }
  Texts find(const Lookup& lookup) {
    zone.asked.clear();
    const auto targets = locate(lookup, reach, zone, rng);
    if (!targets) return {"pending"};
    Texts texts;
    for (const Target& target : *targets) texts.push_back(target.to_string());
    return texts;
  }
  Zone zone;
  Reach reach;
  Rng rng{1};
};

TEST_F(Locate, ALiteralAsksNobody) {
  EXPECT_EQ(find({"192.0.2.1"}), (Texts{"udp 192.0.2.1:5060"}));
  EXPECT_EQ(find({"192.0.2.1", 5080}), (Texts{"udp 192.0.2.1:5080"}));
  EXPECT_EQ(find({"192.0.2.1", 0, Transport::tcp}), (Texts{"tcp 192.0.2.1:5060"}));
  EXPECT_EQ(find({"192.0.2.1", 0, Transport::tls}), (Texts{"tls 192.0.2.1:5061"}));
  EXPECT_EQ(find({"[2001:db8::1]", 0, std::nullopt, true}), (Texts{"tls [2001:db8::1]:5061"}));
  EXPECT_TRUE(zone.asked.empty());
}

TEST_F(Locate, APortLeavesOnlyTheAddress) {
  zone.a("h.example", {"192.0.2.1", "192.0.2.2"});
  zone.srv("_sip._udp.h.example", {{0, 0, 5070, "other.example"}});
  EXPECT_EQ(find({"h.example", 5080}), (Texts{"udp 192.0.2.1:5080", "udp 192.0.2.2:5080"}));
  EXPECT_EQ(zone.asked, (std::set<std::string>{"A h.example"}));
  EXPECT_EQ(find({"h.example", 5080, Transport::tcp}).front(), "tcp 192.0.2.1:5080");
  EXPECT_EQ(find({"h.example", 5080, std::nullopt, true}).front(), "tls 192.0.2.1:5080");
}

TEST_F(Locate, ATransportLeavesOneSrvName) {
  zone.a("h.example", {"192.0.2.1"});
  EXPECT_EQ(find({"h.example", 0, Transport::tcp}), (Texts{"tcp 192.0.2.1:5060"}));
  EXPECT_EQ(zone.asked, (std::set<std::string>{"A h.example", "SRV _sip._tcp.h.example"}));
  zone.srv("_sip._tcp.h.example", {{0, 0, 5070, "h.example"}});
  EXPECT_EQ(find({"h.example", 0, Transport::tcp}), (Texts{"tcp 192.0.2.1:5070"}));
  zone.srv("_sips._tcp.h.example", {{0, 0, 5071, "h.example"}});
  EXPECT_EQ(find({"h.example", 0, Transport::tls}), (Texts{"tls 192.0.2.1:5071"}));
  EXPECT_EQ(find({"h.example", 0, Transport::tcp, true}), (Texts{"tls 192.0.2.1:5071"})) << "sips is TLS";
}

// The example of RFC 3263 4.1.
TEST_F(Locate, NaptrByOrderThenPreference) {
  zone.naptr("example.com", {{100, 50, "s", "SIP+D2U", "_sip._udp.example.com"},
                             {50, 50, "s", "SIPS+D2T", "_sips._tcp.example.com"},
                             {90, 60, "s", "SIP+D2T", "_sip._tcp.example.com"},
                             {90, 40, "s", "SIP+D2T", "first._sip._tcp.example.com"}});
  zone.srv("_sips._tcp.example.com", {{0, 1, 5061, "server1.example.com"}});
  zone.srv("first._sip._tcp.example.com", {{0, 1, 5064, "server1.example.com"}});
  zone.srv("_sip._tcp.example.com", {{0, 1, 5060, "server1.example.com"}});
  zone.srv("_sip._udp.example.com", {{0, 1, 5062, "server1.example.com"}});
  zone.a("server1.example.com", {"192.0.2.1"});
  EXPECT_EQ(find({"example.com"}),
            (Texts{"tls 192.0.2.1:5061", "tcp 192.0.2.1:5064", "tcp 192.0.2.1:5060", "udp 192.0.2.1:5062"}));
  EXPECT_EQ(find({"example.com", 0, std::nullopt, true}), (Texts{"tls 192.0.2.1:5061"}))
      << "sips discards the rest";
  reach = {};
  reach.add(Transport::udp, false);
  EXPECT_EQ(find({"example.com"}), (Texts{"udp 192.0.2.1:5062"})) << "only what there is a socket for";
}

TEST_F(Locate, NaptrThatCanNotBeUsedIsNone) {
  zone.naptr("h.example", {{1, 1, "u", "SIP+D2U", "rewritten.example"},
                           {2, 1, "", "SIP+D2U", "followed.example"},
                           {3, 1, "s", "SIP+D2S", "_sip._sctp.h.example"},
                           {4, 1, "s", "E2U+SIP", "_sip._udp.h.example"},
                           {5, 1, "s", "SIP+D2U", ""}});
  zone.a("h.example", {"192.0.2.1"});
  EXPECT_EQ(find({"h.example"}), (Texts{"udp 192.0.2.1:5060"}));
  EXPECT_EQ(zone.asked.count("SRV rewritten.example"), 0U);
}

TEST_F(Locate, WithoutNaptrTheTransportsWithSrvAreServed) {
  zone.srv("_sip._tcp.h.example", {{0, 0, 5070, "s.example"}});
  zone.srv("_sips._tcp.h.example", {{0, 0, 5071, "s.example"}});
  zone.a("s.example", {"192.0.2.1"});
  zone.a("h.example", {"192.0.2.9"});
  EXPECT_EQ(find({"h.example"}), (Texts{"tcp 192.0.2.1:5070", "tls 192.0.2.1:5071"}));
}

TEST_F(Locate, WithoutAnyRecordTheDefaults) {
  zone.a("h.example", {"192.0.2.9"});
  EXPECT_EQ(find({"h.example"}), (Texts{"udp 192.0.2.9:5060"}));
  EXPECT_EQ(find({"h.example", 0, std::nullopt, true}), (Texts{"tls 192.0.2.9:5061"}));
  EXPECT_EQ(find({"nobody.example"}), Texts{});
}

// RFC 2782: a target of "." says that the service is not there, and that is not "no record".
TEST_F(Locate, AServiceThatIsDeniedIsNotLookedForElsewhere) {
  zone.srv("_sip._udp.h.example", {{0, 0, 0, ""}});
  zone.a("h.example", {"192.0.2.9"});
  EXPECT_EQ(find({"h.example", 0, Transport::udp}), Texts{});
  EXPECT_EQ(find({"h.example"}), Texts{});
  zone.srv("_sip._tcp.h.example", {{0, 0, 5070, "h.example"}});
  EXPECT_EQ(find({"h.example"}), (Texts{"tcp 192.0.2.9:5070"}));
}

TEST_F(Locate, WhatIsMissingIsAskedForTogether) {
  zone.unknown = {"NAPTR h.example"};
  EXPECT_EQ(find({"h.example"}), (Texts{"pending"}));
  EXPECT_EQ(zone.asked.size(), 1U);
  zone.unknown = {"SRV _sip._udp.h.example", "SRV _sips._tcp.h.example"};
  EXPECT_EQ(find({"h.example"}), (Texts{"pending"}));
  EXPECT_EQ(zone.asked.size(), 4U);
  zone.srv("_sip._udp.h.example", {{0, 0, 1, "a.example"}, {1, 0, 2, "b.example"}});
  zone.unknown = {"A a.example", "A b.example"};
  EXPECT_EQ(find({"h.example"}), (Texts{"pending"}));
  EXPECT_EQ(zone.asked.count("A b.example"), 1U);
}

TEST_F(Locate, FamiliesWithoutSocketAndRepeatsAreLeftOut) {
  zone.srv("_sip._udp.h.example", {{0, 0, 5060, "a.example"}, {1, 0, 5060, "b.example"}});
  zone.a("a.example", {"192.0.2.1", "2001:db8::1"});
  zone.a("b.example", {"192.0.2.1", "192.0.2.2"});
  EXPECT_EQ(find({"h.example", 0, Transport::udp}), (Texts{"udp 192.0.2.1:5060", "udp 192.0.2.2:5060"}));
}

TEST_F(Locate, Bounds) {
  std::vector<Naptr> naptr;
  for (std::uint16_t i = 0; i < 100; ++i) {
    const std::string name = "n" + std::to_string(i) + ".example";
    naptr.push_back({i, 0, "s", "SIP+D2U", name});
    for (std::uint16_t k = 0; k < 100; ++k) {
      const std::string host = "h" + std::to_string(k) + "." + name;
      zone.all["SRV " + name].srv.push_back({k, 0, 5060, host});
      zone.a(host, {"10." + std::to_string(i) + ".0." + std::to_string(k)});
    }
  }
  zone.naptr("h.example", naptr);
  EXPECT_EQ(find({"h.example"}).size(), targets_max);
  EXPECT_LE(zone.asked.size(), 1 + naptr_used_max + naptr_used_max * srv_used_max);
}

TEST(OrderByWeight, PrioritiesStandInOrder) {
  Rng rng(7);
  for (int i = 0; i < 50; ++i) {
    std::vector<Srv> records = {{2, 50, 1, "c"}, {1, 1, 1, "a"}, {2, 1, 1, "d"}, {1, 9, 1, "b"}};
    order_by_weight(records, rng);
    EXPECT_EQ(records[0].priority + records[1].priority, 2);
    EXPECT_EQ(records[2].priority + records[3].priority, 4);
  }
}

TEST(OrderByWeight, SharesFollowTheWeights) {
  Rng rng(7);
  std::map<std::string, unsigned> first;
  for (int i = 0; i < 10'000; ++i) {
    std::vector<Srv> records = {{1, 60, 1, "a"}, {1, 30, 1, "b"}, {1, 10, 1, "c"}, {1, 0, 1, "zero"}};
    order_by_weight(records, rng);
    ++first[records[0].host];
    EXPECT_EQ(
        std::set<std::string>({records[0].host, records[1].host, records[2].host, records[3].host}).size(),
        4U);
  }
  EXPECT_NEAR(first["a"], 5'940, 250);
  EXPECT_NEAR(first["b"], 2'970, 250);
  EXPECT_NEAR(first["c"], 990, 150);
  EXPECT_GT(first["zero"], 0U);
  EXPECT_LT(first["zero"], 250U);
}

TEST(OrderByWeight, TheSameSeedDrawsTheSame) {
  const auto draw = [](std::uint64_t seed) {
    Rng rng(seed);
    std::string order;
    for (int i = 0; i < 20; ++i) {
      std::vector<Srv> records = {{1, 0, 1, "a"}, {1, 0, 1, "b"}, {1, 5, 1, "c"}, {1, 5, 1, "d"}};
      order_by_weight(records, rng);
      for (const Srv& one : records) order += one.host;
    }
    return order;
  };
  EXPECT_EQ(draw(3), draw(3));
  EXPECT_NE(draw(3), draw(4));
}

}  // namespace
}  // namespace baton::net
