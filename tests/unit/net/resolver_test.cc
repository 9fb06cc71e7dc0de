#include "net/resolver.h"

#include <gtest/gtest.h>

#include "unit/net/name_server.h"

namespace baton::net {
namespace {

// A port written down leaves nothing but the address to look for.
Lookup host_at(std::string host) {
  return {std::move(host), 5060, Transport::udp};
}

class ResolverTest : public World {
 protected:
  void start(Options options = {}) {
    options.resolver.servers = {server_.address()};
    open(std::move(options));
    listen(Transport::udp);
    listen(Transport::udp, loopback6, {loopback6, 0});
  }
  std::vector<Target> find(const Lookup& lookup) {
    net_->resolve(now_, ++query_, lookup);
    EXPECT_TRUE(turn_until([&] {
      server_.serve();
      return !all<engine::Resolved>().empty() && all<engine::Resolved>().back().query == query_;
    }));
    return all<engine::Resolved>().back().targets;
  }
  std::vector<IpAddress> ask(const std::string& host) { return addresses_of(find(host_at(host))); }
  static std::vector<IpAddress> addresses_of(const std::vector<Target>& targets) {
    std::vector<IpAddress> found;
    for (const Target& target : targets) found.push_back(target.address.ip);
    return found;
  }
  static std::vector<std::string> texts(const std::vector<Target>& targets) {
    std::vector<std::string> found;
    for (const Target& target : targets) found.push_back(target.to_string());
    return found;
  }
  static std::vector<IpAddress> addresses(const std::vector<std::string>& texts) {
    std::vector<IpAddress> found;
    for (const std::string& text : texts) found.push_back(*IpAddress::parse(text));
    return found;
  }

  NameServer server_;
  std::uint64_t query_ = 0;
};

TEST_F(ResolverTest, AddressesInTheServersOrderIpv4First) {
  start();
  server_.names["sip.carrier.example"] = {"2001:db8::2", "192.0.2.9", "192.0.2.1", "2001:db8::1"};
  EXPECT_EQ(ask("sip.carrier.example"), addresses({"192.0.2.9", "192.0.2.1", "2001:db8::2", "2001:db8::1"}));
}

TEST_F(ResolverTest, ANameWithOneKindOfAddressIsEnough) {
  start();
  server_.names["four.example"] = {"192.0.2.1"};
  server_.names["six.example"] = {"2001:db8::1"};
  server_.names["none.example"] = {};
  EXPECT_EQ(ask("four.example"), addresses({"192.0.2.1"}));
  EXPECT_EQ(ask("six.example"), addresses({"2001:db8::1"}));
  EXPECT_TRUE(ask("none.example").empty());
}

TEST_F(ResolverTest, AddressesThatNoSocketReachesAreLeftOut) {
  Options options;
  options.resolver.servers = {server_.address()};
  open(options);
  listen(Transport::udp);
  server_.names["both.example"] = {"2001:db8::1", "192.0.2.1"};
  EXPECT_EQ(ask("both.example"), addresses({"192.0.2.1"}));
}

TEST_F(ResolverTest, AnUnknownNameHasNone) {
  start();
  EXPECT_TRUE(ask("unknown.example").empty());
  EXPECT_EQ(net_->probe().resolves_failed, 1U);
}

TEST_F(ResolverTest, ALiteralIsItsOwnAnswer) {
  start();
  EXPECT_EQ(ask("192.0.2.1"), addresses({"192.0.2.1"}));
  EXPECT_EQ(ask("[2001:db8::1]"), addresses({"2001:db8::1"}));
  EXPECT_EQ(server_.asked, 0U);
}

TEST_F(ResolverTest, WhatIsNoHostNameIsNotAskedFor) {
  start();
  for (const std::string& host : {std::string(), std::string("a b"), std::string("a\0b", 3),
                                  std::string("a/b"), std::string("ä.example"), std::string(300, 'a')}) {
    EXPECT_TRUE(ask(host).empty()) << host;
  }
  EXPECT_TRUE(ask(std::string(64, 'a') + ".example").empty());
  EXPECT_TRUE(ask("a..example").empty());
  EXPECT_EQ(server_.asked, 0U);
}

TEST_F(ResolverTest, AServerThatIsSilentIsNotWaitedForLongerThanFiveSeconds) {
  start();
  server_.mute = true;
  net_->resolve(now_, 1, host_at("slow.example"));
  turn(0);
  pass(4'999ms);
  EXPECT_TRUE(inputs_.empty());
  ASSERT_TRUE(net_->next_deadline(now_));
  EXPECT_LE(*net_->next_deadline(now_), now_ + 1ms);
  pass(1ms);
  ASSERT_EQ(all<engine::Resolved>().size(), 1U);
  EXPECT_TRUE(all<engine::Resolved>().front().targets.empty());
  EXPECT_EQ(net_->probe().resolves_timed_out, 1U);
  // The late answer is not a second one.
  server_.mute = false;
  server_.names["slow.example"] = {"192.0.2.1"};
  server_.names["next.example"] = {"192.0.2.2"};
  query_ = 1;
  EXPECT_EQ(ask("next.example"), addresses({"192.0.2.2"}));
  EXPECT_EQ(all<engine::Resolved>().size(), 2U);
}

TEST_F(ResolverTest, ALostQueryIsAskedAgain) {
  start();
  server_.names["lossy.example"] = {"192.0.2.1"};
  server_.mute = true;
  net_->resolve(now_, ++query_, host_at("lossy.example"));
  for (int i = 0; i < 5; ++i) {
    turn(5);
    server_.serve();
  }
  EXPECT_GT(server_.asked, 0U);
  server_.mute = false;
  EXPECT_TRUE(turn_until([&] {
    server_.serve();
    return !all<engine::Resolved>().empty();
  }));
  EXPECT_EQ(addresses_of(all<engine::Resolved>().front().targets), addresses({"192.0.2.1"}));
}

TEST_F(ResolverTest, RubbishFromTheServerIsNoAnswer) {
  start();
  server_.garble = true;
  net_->resolve(now_, 1, host_at("a.example"));
  for (int i = 0; i < 10; ++i) {
    turn(5);
    server_.serve();
  }
  pass(5s);
  ASSERT_EQ(all<engine::Resolved>().size(), 1U);
  EXPECT_TRUE(all<engine::Resolved>().front().targets.empty());
}

TEST_F(ResolverTest, ADeadServerGivesNoAnswerAndNoHang) {
  Options options;
  Peer dead(SOCK_DGRAM);
  options.resolver.servers = {dead.address()};
  dead.close();
  open(options);
  listen(Transport::udp);
  net_->resolve(now_, 1, host_at("a.example"));
  ASSERT_TRUE(turn_until_some<engine::Resolved>());
  EXPECT_TRUE(all<engine::Resolved>().front().targets.empty());
}

TEST_F(ResolverTest, QuestionsUnderWayAreBounded) {
  Options options;
  options.resolver.questions_max = 10;
  start(options);
  server_.mute = true;
  for (std::uint64_t i = 0; i < 15; ++i)
    net_->resolve(now_, i, host_at("n" + std::to_string(i) + ".example"));
  turn(0);
  EXPECT_EQ(all<engine::Resolved>().size(), 5U);
  EXPECT_EQ(net_->probe().resolves_refused, 5U);
  pass(5s);
  EXPECT_EQ(all<engine::Resolved>().size(), 15U);
}

TEST_F(ResolverTest, ManyAtOnceEachGetItsOwnAnswer) {
  start();
  for (int i = 0; i < 100; ++i) {
    const std::string name = "n" + std::to_string(i) + ".example";
    server_.names[name] = {"192.0.2." + std::to_string(i)};
    net_->resolve(now_, static_cast<std::uint64_t>(i), host_at(name));
  }
  ASSERT_TRUE(turn_until([&] {
    server_.serve();
    return all<engine::Resolved>().size() == 100;
  }));
  for (const auto& resolved : all<engine::Resolved>()) {
    EXPECT_EQ(addresses_of(resolved.targets), addresses({"192.0.2." + std::to_string(resolved.query)}));
  }
}

TEST_F(ResolverTest, AnAnswerIsKeptForItsTimeToLive) {
  start();
  server_.names["a.example"] = {"192.0.2.1"};
  EXPECT_EQ(ask("a.example"), addresses({"192.0.2.1"}));
  const unsigned asked = server_.asked;
  server_.names["a.example"] = {"192.0.2.2"};
  now_ += 59s;
  EXPECT_EQ(ask("A.Example"), addresses({"192.0.2.1"}));
  EXPECT_EQ(server_.asked, asked);
  now_ += 1s;
  EXPECT_EQ(ask("a.example"), addresses({"192.0.2.2"}));
}

TEST_F(ResolverTest, AnOldAnswerServesWhileTheServerIsSilent) {
  start();
  server_.names["a.example"] = {"192.0.2.1"};
  EXPECT_EQ(ask("a.example"), addresses({"192.0.2.1"}));
  server_.mute = true;
  now_ += 10min;
  net_->resolve(now_, 7, host_at("a.example"));
  turn(0);
  pass(5s);
  ASSERT_EQ(all<engine::Resolved>().size(), 2U);
  EXPECT_EQ(addresses_of(all<engine::Resolved>().back().targets), addresses({"192.0.2.1"}));
  EXPECT_EQ(net_->probe().resolves_stale, 1U);
  now_ += 1h;
  net_->resolve(now_, 8, host_at("a.example"));
  turn(0);
  pass(5s);
  ASSERT_EQ(all<engine::Resolved>().size(), 3U);
  EXPECT_TRUE(all<engine::Resolved>().back().targets.empty());
}

TEST_F(ResolverTest, ANameThatIsGoneIsGoneEvenIfItWasKnown) {
  start();
  server_.names["a.example"] = {"192.0.2.1"};
  EXPECT_EQ(ask("a.example"), addresses({"192.0.2.1"}));
  server_.names.clear();
  now_ += 2min;
  EXPECT_TRUE(ask("a.example").empty());
}

TEST_F(ResolverTest, WhatIsRememberedIsBounded) {
  Options options;
  options.resolver.known_max = 3;
  start(options);
  for (int i = 0; i < 5; ++i) {
    const std::string name = "n" + std::to_string(i) + ".example";
    server_.names[name] = {"192.0.2.1"};
    ask(name);
    now_ += 1s;
  }
  ask("n4.example");
  ask("n2.example");
  EXPECT_EQ(net_->probe().resolves_known, 2U);
  ask("n1.example");
  EXPECT_EQ(net_->probe().resolves_known, 2U);
}

TEST_F(ResolverTest, AnAnswerIsBounded) {
  start();
  for (int i = 0; i < 25; ++i) server_.names["many.example"].push_back("192.0.2." + std::to_string(i));
  EXPECT_EQ(ask("many.example").size(), 16U);
}

TEST_F(ResolverTest, ItCanGoAwayWithQuestionsUnderWay) {
  start();
  server_.mute = true;
  for (std::uint64_t i = 0; i < 10; ++i)
    net_->resolve(now_, i, host_at("n" + std::to_string(i) + ".example"));
  turn(1);
  net_.reset();
}

// ---- RFC 3263 over real sockets; the rules themselves are in locate_test.cc ----

using Texts = std::vector<std::string>;

TEST_F(ResolverTest, NaptrLeadsToSrvLeadsToAddresses) {
  Options options;
  options.resolver.servers = {server_.address()};
  open(options);
  listen(Transport::udp);
  listen(Transport::tcp);
  server_.naptr["carrier.example"] = {{20, 0, "s", "SIP+D2U", "_sip._udp.carrier.example"},
                                      {10, 0, "S", "sip+d2t", "_SIP._tcp.Carrier.example"},
                                      {5, 0, "s", "SIPS+D2T", "_sips._tcp.carrier.example"}};
  server_.srv["_sip._tcp.carrier.example"] = {{2, 0, 5062, "b.carrier.example"},
                                              {1, 0, 5061, "a.carrier.example"}};
  server_.srv["_sip._udp.carrier.example"] = {{1, 0, 5060, "a.carrier.example"}};
  server_.names["a.carrier.example"] = {"192.0.2.1", "192.0.2.2"};
  server_.names["b.carrier.example"] = {"192.0.2.3", "2001:db8::3"};
  EXPECT_EQ(texts(find({"Carrier.Example"})),
            (Texts{"tcp 192.0.2.1:5061", "tcp 192.0.2.2:5061", "tcp 192.0.2.3:5062", "udp 192.0.2.1:5060",
                   "udp 192.0.2.2:5060"}));
  EXPECT_EQ(server_.asked_for["SRV _sips._tcp.carrier.example"], 0U);
  // All of it is known now.
  const unsigned asked = server_.asked;
  EXPECT_EQ(find({"carrier.example"}).size(), 5U);
  EXPECT_EQ(server_.asked, asked);
  EXPECT_EQ(net_->probe().resolves_known, 1U);
}

TEST_F(ResolverTest, RecordsAreKeptForTheirTimeToLive) {
  start();
  server_.ttl = 120;
  server_.srv["_sip._udp.carrier.example"] = {{1, 0, 5070, "a.carrier.example"}};
  server_.names["a.carrier.example"] = {"192.0.2.1"};
  const Lookup lookup{"carrier.example", 0, Transport::udp};
  EXPECT_EQ(texts(find(lookup)), (Texts{"udp 192.0.2.1:5070"}));
  server_.srv["_sip._udp.carrier.example"] = {{1, 0, 5080, "a.carrier.example"}};
  now_ += 119s;
  EXPECT_EQ(texts(find(lookup)), (Texts{"udp 192.0.2.1:5070"}));
  now_ += 1s;
  EXPECT_EQ(texts(find(lookup)), (Texts{"udp 192.0.2.1:5080"}));
}

TEST_F(ResolverTest, ThatThereIsNoneIsKeptForAMoment) {
  start();
  server_.names["plain.example"] = {"192.0.2.1"};
  EXPECT_EQ(texts(find({"plain.example"})), (Texts{"udp 192.0.2.1:5060"}));
  EXPECT_EQ(server_.asked_for["NAPTR plain.example"], 1U);
  EXPECT_EQ(server_.asked_for["SRV _sip._udp.plain.example"], 1U);
  now_ += 4s;
  EXPECT_EQ(texts(find({"plain.example"})), (Texts{"udp 192.0.2.1:5060"}));
  EXPECT_EQ(server_.asked_for["SRV _sip._udp.plain.example"], 1U);
  server_.srv["_sip._udp.plain.example"] = {{1, 0, 5070, "plain.example"}};
  now_ += 2s;
  EXPECT_EQ(texts(find({"plain.example"})), (Texts{"udp 192.0.2.1:5070"}));
  EXPECT_EQ(server_.asked_for["ADDRESS plain.example"], 2U) << "A and AAAA, once";
}

TEST_F(ResolverTest, AServerThatKnowsOnlyAddressesMakesNobodyWaitLong) {
  start();
  server_.mute_records = true;
  server_.names["plain.example"] = {"192.0.2.1"};
  net_->resolve(now_, 1, {"plain.example"});
  const Time asked_at = now_;
  for (int i = 0; i < 40 && all<engine::Resolved>().empty(); ++i) {
    server_.serve();
    turn(5);
    pass(100ms);
  }
  ASSERT_EQ(all<engine::Resolved>().size(), 1U);
  EXPECT_EQ(texts(all<engine::Resolved>().front().targets), (Texts{"udp 192.0.2.1:5060"}));
  EXPECT_LE(now_ - asked_at, 4s);
}

TEST_F(ResolverTest, QuestionsAboutOneNameAreAskedOnce) {
  start();
  server_.names["busy.example"] = {"192.0.2.1"};
  for (std::uint64_t i = 1; i <= 50; ++i) net_->resolve(now_, i, {"busy.example"});
  ASSERT_TRUE(turn_until([&] {
    server_.serve();
    return all<engine::Resolved>().size() == 50;
  }));
  EXPECT_EQ(server_.asked_for["NAPTR busy.example"], 1U);
  EXPECT_EQ(server_.asked_for["ADDRESS busy.example"], 2U);
}

TEST_F(ResolverTest, ARefusalIsNoAnswerAndIsNotRepeatedAtOnce) {
  start();
  server_.refuse = true;
  EXPECT_TRUE(find(host_at("a.example")).empty());
  const unsigned asked = server_.asked;
  EXPECT_TRUE(find(host_at("a.example")).empty());
  EXPECT_EQ(server_.asked, asked);
  server_.refuse = false;
  server_.names["a.example"] = {"192.0.2.1"};
  now_ += 1s;
  EXPECT_EQ(ask("a.example"), addresses({"192.0.2.1"}));
}

TEST_F(ResolverTest, ManyRecordsAreBounded) {
  start();
  for (unsigned i = 0; i < 25; ++i) {
    const std::string host = "h" + std::to_string(i) + ".many.example";
    server_.srv["_sip._udp.many.example"].push_back({i, 0, 5060, host});
    server_.names[host] = {"192.0.2." + std::to_string(i)};
  }
  // More than a datagram without EDNS holds.
  const auto found = find({"many.example", 0, Transport::udp});
  EXPECT_EQ(found.size(), targets_max);
}

TEST_F(ResolverTest, EqualWeightsShareTheCalls) {
  start();
  server_.srv["_sip._udp.pair.example"] = {{1, 10, 5060, "a.pair.example"}, {1, 10, 5060, "b.pair.example"}};
  server_.names["a.pair.example"] = {"192.0.2.1"};
  server_.names["b.pair.example"] = {"192.0.2.2"};
  unsigned first = 0;
  for (int i = 0; i < 200; ++i) {
    const auto found = find({"pair.example", 0, Transport::udp});
    ASSERT_EQ(found.size(), 2U);
    first += found.front().address.ip == *IpAddress::parse("192.0.2.1") ? 1U : 0U;
  }
  EXPECT_GT(first, 60U);
  EXPECT_LT(first, 140U);
}

}  // namespace
}  // namespace baton::net
