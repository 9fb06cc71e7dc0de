#include "net/resolver.h"

#include <arpa/nameser.h>
#include <gtest/gtest.h>

#include <map>

#include "unit/net/world.h"

namespace baton::net {
namespace {

// A name server of a few lines: the question is copied, answers are appended (RFC 1035 4.1).
class NameServer {
 public:
  NameServer() : socket_(SOCK_DGRAM) {
    const timeval limit{0, 1'000};
    setsockopt(socket_.fd(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }
  [[nodiscard]] SocketAddress address() const { return socket_.address(); }

  std::map<std::string, std::vector<std::string>> names;  // lower case, without the last dot
  bool mute = false;
  bool garble = false;
  unsigned asked = 0;

  void serve() {
    for (;;) {
      std::string query(512, '\0');
      sockaddr_storage from{};
      socklen_t length = sizeof from;
      const ssize_t n =
          recvfrom(socket_.fd(), query.data(), query.size(), 0, reinterpret_cast<sockaddr*>(&from), &length);
      if (n <= 0) return;
      query.resize(static_cast<std::size_t>(n));
      ++asked;
      if (mute) continue;
      socket_.send_to(KernelAddress::read(from), garble ? std::string("\x01\x02rubbish") : answer(query));
    }
  }

 private:
  static std::string number(unsigned value) {
    return {static_cast<char>(value >> 8U & 255U), static_cast<char>(value & 255U)};
  }

  std::string answer(const std::string& query) const {
    std::string name;
    std::size_t at = 12;
    while (at < query.size() && query[at] != 0) {
      const auto length = static_cast<std::size_t>(query[at]);
      name += (name.empty() ? "" : ".") + query.substr(at + 1, length);
      at += length + 1;
    }
    const bool v6 = query.at(at + 2) == ns_t_aaaa;
    const std::string question = query.substr(12, at + 5 - 12);
    const auto found = names.find(name);
    std::string records;
    unsigned count = 0;
    if (found != names.end()) {
      for (const std::string& text : found->second) {
        const IpAddress ip = *IpAddress::parse(text);
        if (ip.v6 != v6) continue;
        const std::string bytes(ip.bytes.begin(), ip.bytes.begin() + (v6 ? 16 : 4));
        records += number(0xc00c) + number(v6 ? ns_t_aaaa : ns_t_a) + number(1) + number(0) + number(60) +
                   number(static_cast<unsigned>(bytes.size())) + bytes;
        ++count;
      }
    }
    const unsigned flags = found == names.end() ? 0x8183 : 0x8180;
    return query.substr(0, 2) + number(flags) + number(1) + number(count) + number(0) + number(0) + question +
           records;
  }

  Peer socket_;
};

class ResolverTest : public World {
 protected:
  void start(Options options = {}) {
    options.resolver.servers = {server_.address()};
    open(std::move(options));
    listen(Transport::udp);
    listen(Transport::udp, loopback6, {loopback6, 0});
  }
  std::vector<IpAddress> ask(const std::string& host) {
    net_->resolve(now_, ++query_, host);
    EXPECT_TRUE(turn_until([&] {
      server_.serve();
      return !all<engine::Resolved>().empty() && all<engine::Resolved>().back().query == query_;
    }));
    return all<engine::Resolved>().back().addresses;
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
  net_->resolve(now_, 1, "slow.example");
  turn(0);
  pass(4'999ms);
  EXPECT_TRUE(inputs_.empty());
  ASSERT_TRUE(net_->next_deadline(now_));
  EXPECT_LE(*net_->next_deadline(now_), now_ + 1ms);
  pass(1ms);
  ASSERT_EQ(all<engine::Resolved>().size(), 1U);
  EXPECT_TRUE(all<engine::Resolved>().front().addresses.empty());
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
  net_->resolve(now_, ++query_, "lossy.example");
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
  EXPECT_EQ(all<engine::Resolved>().front().addresses, addresses({"192.0.2.1"}));
}

TEST_F(ResolverTest, RubbishFromTheServerIsNoAnswer) {
  start();
  server_.garble = true;
  net_->resolve(now_, 1, "a.example");
  for (int i = 0; i < 10; ++i) {
    turn(5);
    server_.serve();
  }
  pass(5s);
  ASSERT_EQ(all<engine::Resolved>().size(), 1U);
  EXPECT_TRUE(all<engine::Resolved>().front().addresses.empty());
}

TEST_F(ResolverTest, ADeadServerGivesNoAnswerAndNoHang) {
  Options options;
  Peer dead(SOCK_DGRAM);
  options.resolver.servers = {dead.address()};
  dead.close();
  open(options);
  listen(Transport::udp);
  net_->resolve(now_, 1, "a.example");
  ASSERT_TRUE(turn_until_some<engine::Resolved>());
  EXPECT_TRUE(all<engine::Resolved>().front().addresses.empty());
}

TEST_F(ResolverTest, QuestionsUnderWayAreBounded) {
  Options options;
  options.resolver.questions_max = 10;
  start(options);
  server_.mute = true;
  for (std::uint64_t i = 0; i < 15; ++i) net_->resolve(now_, i, "n" + std::to_string(i) + ".example");
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
    net_->resolve(now_, static_cast<std::uint64_t>(i), name);
  }
  ASSERT_TRUE(turn_until([&] {
    server_.serve();
    return all<engine::Resolved>().size() == 100;
  }));
  for (const auto& resolved : all<engine::Resolved>()) {
    EXPECT_EQ(resolved.addresses, addresses({"192.0.2." + std::to_string(resolved.query)}));
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
  net_->resolve(now_, 7, "a.example");
  turn(0);
  pass(5s);
  ASSERT_EQ(all<engine::Resolved>().size(), 2U);
  EXPECT_EQ(all<engine::Resolved>().back().addresses, addresses({"192.0.2.1"}));
  EXPECT_EQ(net_->probe().resolves_stale, 1U);
  now_ += 1h;
  net_->resolve(now_, 8, "a.example");
  turn(0);
  pass(5s);
  ASSERT_EQ(all<engine::Resolved>().size(), 3U);
  EXPECT_TRUE(all<engine::Resolved>().back().addresses.empty());
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
  for (std::uint64_t i = 0; i < 10; ++i) net_->resolve(now_, i, "n" + std::to_string(i) + ".example");
  turn(1);
  net_.reset();
}

}  // namespace
}  // namespace baton::net
