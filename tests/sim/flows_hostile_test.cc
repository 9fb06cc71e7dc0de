// Strangers, guessers and too much work: what the engine does at its door, seen from all sides.
#include <algorithm>
#include <functional>

#include "cast.h"

namespace baton::sim {
namespace {

const SocketAddress scanner = {IpAddress::v4(198, 18, 0, 66), 5060};

std::string padding(std::size_t size) {
  return "Subject: " + std::string(size, 'x') + "\r\n";
}

// A message from nowhere, straight into the engine; what is sent back to its source.
class Door : public ::testing::Test {
 protected:
  explicit Door(const engine::Options& options = Door::options()) : engine_(options, model()) {}

  static engine::Options options() {
    engine::Options options;
    options.digest_secret = "a secret that only this simulation ever uses";
    options.listeners = {{Transport::udp, server_address()}, {Transport::tcp, server_address()}};
    return options;
  }
  static trunk::Snapshot model() {
    trunk::Model model = usual_model(Transport::udp, Transport::udp);
    trunk::Trunk secret = model.trunks[2];
    secret.id = "secret";
    secret.domain = "secret.sip.baton.test";
    secret.acl.clear();
    secret.credentials = {{"agent", "right"}};
    model.trunks.push_back(secret);
    return std::make_shared<const trunk::Model>(std::move(model));
  }

  struct Ask {
    std::string method = "OPTIONS";
    std::string host = "198.51.100.1";
    std::string headers = {};
    std::string body = {};
    SocketAddress from = scanner;
    Transport transport = Transport::udp;
    Duration waited{};
    std::string to_tag = {};
  };
  std::string write(const Ask& ask) {
    const std::string n = std::to_string(++count_);
    return ask.method + " sip:+442079460123@" + ask.host + " SIP/2.0\r\nVia: SIP/2.0/UDP " +
           ask.from.to_string() + ";rport;branch=z9hG4bK" + n +
           "\r\nMax-Forwards: 70\r\nFrom: <sip:" + number::own + "@x.example>;tag=f" + n +
           "\r\nTo: <sip:+442079460123@" + ask.host + ">" + ask.to_tag + "\r\nCall-ID: c" + n +
           "\r\nCSeq: 1 " + ask.method + "\r\nContact: <sip:x@" + ask.from.to_string() + ">\r\n" +
           ask.headers + "Content-Length: " + std::to_string(ask.body.size()) + "\r\n\r\n" + ask.body;
  }
  // The statuses of what is sent back at once.
  std::vector<int> ask(const Ask& ask) { return hear(write(ask), ask); }
  std::vector<int> hear(const std::string& bytes, const Ask& ask) {
    engine::Actions actions;
    engine_.step(now_,
                 engine::MessageIn{{ask.transport, server_address(), ask.from, 0}, bytes, now_ - ask.waited},
                 actions);
    std::vector<int> statuses;
    for (const engine::Action& action : actions) {
      if (const auto* log = std::get_if<engine::Log>(&action)) logs_.push_back(log->event);
      const auto* send = std::get_if<engine::Send>(&action);
      if (send == nullptr) continue;
      sent_ = send->bytes;
      if (ask.transport == Transport::udp && longest_) {
        EXPECT_LE(send->bytes.size(), bytes.size()) << send->bytes;
      }
      if (send->bytes.starts_with("SIP/2.0 ")) statuses.push_back(std::stoi(send->bytes.substr(8, 3)));
    }
    return statuses;
  }
  std::size_t logged(const std::string& event) {
    return static_cast<std::size_t>(std::count(logs_.begin(), logs_.end(), event));
  }
  void pass(Duration time) {
    now_ += time;
    engine::Actions actions;
    engine_.step(now_, engine::Tick{}, actions);
  }
  // The answer to the challenge that was sent last.
  static constexpr const char* secret_uri = "sip:+442079460123@secret.sip.baton.test";
  Ask answer(const SocketAddress& from, const char* password) {
    Ask ask{.method = "INVITE", .host = "secret.sip.baton.test", .headers = padding(900), .from = from};
    const std::string name = "WWW-Authenticate: ";
    const std::size_t at = sent_.rfind(name);
    if (at == std::string::npos) return ask;
    const std::size_t begin = at + name.size();
    const auto challenge = sip::Challenge::parse(sent_.substr(begin, sent_.find("\r\n", begin) - begin));
    EXPECT_TRUE(challenge);
    if (!challenge) return ask;
    const std::string value =
        sip::answer_challenge(*challenge, "agent", password, "INVITE", secret_uri, "c", ++nonce_count_);
    ask.headers += "Authorization: " + value + "\r\n";
    return ask;
  }
  Ask login(const SocketAddress& from, const char* password) {
    ask({.method = "INVITE", .host = "secret.sip.baton.test", .headers = padding(900), .from = from});
    return answer(from, password);
  }
  [[nodiscard]] const engine::Counters& counters() const { return engine_.counters(); }

  engine::Engine engine_;
  Time now_ = from_micros(1'767'225'600'000'000);
  unsigned count_ = 0;
  std::uint32_t nonce_count_ = 0;
  bool longest_ = true;  // check that nothing longer than the request goes back
  std::string sent_;
  std::vector<std::string> logs_;
};

class SmallDoor : public Door {
 protected:
  SmallDoor()
      : Door([] {
          engine::Options few = options();
          few.transactions_max = 16;
          return few;
        }()) {}
};

TEST_F(SmallDoor, InventedTagsAreNoWayToTheTransactionsKeptForCalls) {
  longest_ = false;
  for (const char* method : {"BYE", "INVITE", "CANCEL", "REFER"}) {
    for (unsigned i = 0; i < 10; ++i) {
      const SocketAddress from = {IpAddress::v4(198, 18, 5, static_cast<std::uint8_t>(count_)), 5060};
      const auto answers = ask({.method = method, .headers = padding(300), .from = from, .to_tag = ";tag=x"});
      EXPECT_EQ(answers, std::vector<int>{481}) << method << i;
    }
  }
  EXPECT_EQ(engine_.census().transactions, 14U);
}

TEST_F(Door, AScannerFallsSilentAndIsHeardAgainLater) {
  for (const char* method : {"REGISTER", "INVITE"}) {
    const SocketAddress from = {IpAddress::v4(198, 18, 1, static_cast<std::uint8_t>(method[0])), 5060};
    const Ask one{.method = method, .headers = padding(300), .from = from};
    for (int i = 0; i < 20; ++i) {
      EXPECT_EQ(ask(one).size(), 1U) << method << i;
      pass(1s);
    }
    EXPECT_TRUE(ask(one).empty());
    pass(200s);
    EXPECT_TRUE(ask(one).empty());
    pass(101s);
    EXPECT_EQ(ask(one).size(), 1U);
  }
  EXPECT_EQ(logged("source.silenced"), 2U);
  EXPECT_EQ(counters().sources_silenced, 2U);
  EXPECT_EQ(counters().silenced_ignored, 4U);
}

TEST_F(Door, MalformedRequestsCountToo) {
  const std::string bad =
      "INVITE sip:x SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n" +
      padding(400) + "To: <sip:c@d>\r\nCall-ID: 1\r\nCSeq: 9999999999 INVITE\r\n\r\n";
  int answers = 0;
  for (int i = 0; i < 30; ++i, pass(1s)) answers += static_cast<int>(hear(bad, {}).size());
  EXPECT_EQ(answers, 20);
}

TEST_F(Door, AStrangerBeyondItsRateIsNotLookedAt) {
  unsigned answers = 0;
  for (int i = 0; i < 1'000; ++i) answers += static_cast<unsigned>(ask({.headers = padding(300)}).size());
  EXPECT_EQ(answers, 60U);
  EXPECT_EQ(counters().strangers_limited, 940U);
  // A configured source is not held back, and not silenced.
  const SocketAddress carrier = {IpAddress::v4(203, 0, 113, 10), 5060};
  longest_ = false;
  answers = 0;
  for (int i = 0; i < 1'000; ++i) answers += static_cast<unsigned>(ask({.from = carrier}).size());
  EXPECT_EQ(answers, 1'000U);
}

TEST_F(Door, NothingLongerThanTheRequestGoesToAnUnprovenUdpSource) {
  // The challenge has three algorithms where there is room, and fewer where there is not.
  std::size_t least = 99, most = 0, none = 0;
  for (std::size_t size = 0; size < 700; size += 20) {
    const SocketAddress from = {IpAddress::v4(198, 18, 2, static_cast<std::uint8_t>(size / 20)), 5060};
    sent_.clear();
    ask({.method = "INVITE", .host = "secret.sip.baton.test", .headers = padding(size), .from = from});
    if (sent_.empty()) {
      ++none;
      continue;
    }
    std::size_t challenges = 0;
    for (std::size_t at = 0; (at = sent_.find("WWW-Authenticate:", at)) != std::string::npos; ++at)
      ++challenges;
    EXPECT_GE(challenges, 1U) << sent_;
    least = std::min(least, challenges);
    most = std::max(most, challenges);
  }
  EXPECT_EQ(least, 1U);
  EXPECT_EQ(most, 3U);
  EXPECT_LT(none, 20U);
  EXPECT_EQ(counters().answers_withheld, none);
  EXPECT_GT(counters().answers_cut, 0U);
}

TEST_F(Door, OverAStreamTheAnswerIsWhole) {
  ask({.method = "INVITE", .host = "secret.sip.baton.test", .transport = Transport::tcp});
  EXPECT_NE(sent_.find("SHA-512-256"), std::string::npos);
  EXPECT_EQ(counters().answers_cut, 0U);
}

TEST_F(Door, GuessedPasswordsSilenceTheirSource) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(ask(login(scanner, "wrong")), std::vector<int>{401}) << i;
  const Ask last = answer(scanner, "wrong");
  EXPECT_TRUE(ask(last).empty());
  EXPECT_EQ(counters().logins_failed, 5U);
  EXPECT_EQ(logged("auth.failed"), 5U);
  EXPECT_EQ(logged("source.silenced"), 1U);
  // Many sources together: from the fifty-first wrong password on none is tried.
  for (unsigned i = 0; i < 45; ++i) {
    const SocketAddress other = {IpAddress::v4(198, 18, 3, static_cast<std::uint8_t>(i)), 5060};
    EXPECT_EQ(ask(login(other, "wrong")), std::vector<int>{401});
  }
  const SocketAddress late = {IpAddress::v4(198, 18, 4, 1), 5060};
  EXPECT_EQ(ask(login(late, "wrong")), std::vector<int>{503});
  EXPECT_NE(sent_.find("Retry-After: 10"), std::string::npos);
  EXPECT_EQ(counters().logins_throttled, 1U);
  EXPECT_EQ(counters().logins_failed, 50U);
  pass(60s);
  EXPECT_EQ(ask(login({IpAddress::v4(198, 18, 4, 2), 5060}, "wrong")), std::vector<int>{401});
}

TEST_F(Door, ForgedLoginsCountAgainstNobody) {
  const SocketAddress victim = {IpAddress::v4(198, 18, 5, 1), 5060};
  ask({.method = "INVITE", .host = "secret.sip.baton.test", .headers = padding(900)});
  const std::string challenge = sent_;  // the scanner's
  for (const char* password : {"wrong", "right"}) {
    for (int i = 0; i < 60; ++i, pass(100ms)) {
      sent_ = challenge;
      EXPECT_EQ(ask(answer(victim, password)), std::vector<int>{401});
      EXPECT_NE(sent_.find("stale=TRUE"), std::string::npos) << sent_;
    }
  }
  EXPECT_EQ(counters().logins_failed, 0U);
  EXPECT_EQ(counters().sources_silenced, 0U);
  ask(login(victim, "right"));
  EXPECT_EQ(counters().calls_started, 1U) << sent_;
}

TEST_F(Door, APeersOwnBurstDoesNotSilenceIt) {
  for (int i = 0; i < 60; ++i, pass(200ms)) {
    const Ask call{.method = "INVITE", .host = "secret.sip.baton.test", .headers = padding(900)};
    EXPECT_EQ(ask(call), std::vector<int>{401}) << i;
    EXPECT_EQ(ask({.headers = padding(300)}), std::vector<int>{200}) << i;
  }
  EXPECT_EQ(counters().sources_silenced, 0U);
}

TEST_F(Door, InItsSilenceASourceMayStillAnswerAChallenge) {
  ask({.method = "INVITE", .host = "secret.sip.baton.test", .headers = padding(900)});
  const std::string challenge = sent_;
  for (int i = 0; i < 20; ++i, pass(1s)) ask({.method = "REGISTER", .headers = padding(300)});
  EXPECT_EQ(counters().sources_silenced, 1U);
  EXPECT_TRUE(ask({.method = "REGISTER", .headers = padding(300)}).empty());
  sent_ = challenge;
  EXPECT_EQ(ask(answer(scanner, "wrong")), std::vector<int>{401});
  EXPECT_EQ(counters().logins_failed, 1U);
  sent_ = challenge;
  ask(answer(scanner, "right"));
  EXPECT_EQ(counters().calls_started, 1U) << sent_;
}

// Somebody writes a peer's address on what is refused, again and again, before that peer has ever called.
TEST_F(Door, APeerWhoseAddressIsForgedCanStillLogIn) {
  const SocketAddress victim = {IpAddress::v4(198, 18, 6, 1), 5060};
  const Ask forged{.method = "REGISTER", .headers = padding(300), .from = victim};
  const Ask call{
      .method = "INVITE", .host = "secret.sip.baton.test", .headers = padding(900), .from = victim};
  for (int i = 0; i < 60; ++i, pass(500ms)) ask(forged);
  EXPECT_GE(counters().sources_silenced, 1U);
  EXPECT_TRUE(ask(forged).empty());
  EXPECT_EQ(ask(call), std::vector<int>{401});
  const std::string challenge = sent_;
  EXPECT_TRUE(ask(call).empty()) << "once a second";
  EXPECT_TRUE(ask({.method = "INVITE", .headers = padding(300), .from = victim}).empty()) << "no trunk";
  for (int i = 0; i < 60; ++i, pass(500ms)) ask(forged);
  sent_ = challenge;
  ask(answer(victim, "right"));
  EXPECT_EQ(counters().calls_started, 1U) << sent_;
  // It belongs here now.
  for (int i = 0; i < 60; ++i, pass(500ms)) EXPECT_EQ(ask(forged).size(), 1U);
}

TEST_F(Door, OverAStreamNobodyCanWriteAnothersAddress) {
  const Ask call{.method = "INVITE",
                 .host = "secret.sip.baton.test",
                 .headers = padding(900),
                 .transport = Transport::tcp};
  for (int i = 0; i < 20; ++i, pass(1s))
    ask({.method = "REGISTER", .headers = padding(300), .transport = Transport::tcp});
  EXPECT_TRUE(ask(call).empty());
}

// Of all connections those stay, when strangers take every place, on which somebody has been heard who is
// configured, logged in or in a call.
TEST_F(Door, TheDriverIsToldOnceWhichConnectionsToKeep) {
  const SocketAddress carrier = {IpAddress::v4(203, 0, 113, 10), 40'000};
  const auto kept = [&](FlowId flow, const Ask& ask) {
    engine::Actions actions;
    engine_.step(now_,
                 engine::MessageIn{{Transport::tcp, server_address(), ask.from, flow}, write(ask), now_},
                 actions);
    std::vector<FlowId> flows;
    for (const engine::Action& action : actions) {
      if (const auto* send = std::get_if<engine::Send>(&action)) sent_ = send->bytes;
      if (const auto* keep = std::get_if<engine::KeepFlow>(&action)) flows.push_back(keep->flow);
    }
    return flows;
  };
  EXPECT_TRUE(kept(7, {.transport = Transport::tcp}).empty());
  EXPECT_EQ(kept(8, {.from = carrier}), std::vector<FlowId>{8});
  EXPECT_TRUE(kept(8, {.from = carrier}).empty());
  const Ask call{.method = "INVITE", .host = "secret.sip.baton.test", .headers = padding(900)};
  EXPECT_TRUE(kept(9, call).empty()) << "not logged in yet";
  EXPECT_EQ(kept(9, answer(scanner, "right")), std::vector<FlowId>{9});
  engine::Actions actions;
  engine_.step(now_, engine::FlowClosed{8}, actions);
  EXPECT_EQ(kept(8, {.from = carrier}), std::vector<FlowId>{8}) << "another one of that number";
}

TEST_F(Door, ResponsesAndAcksAreNotHeldBack) {
  for (int i = 0; i < 60; ++i) ask({.headers = padding(300)});
  EXPECT_EQ(counters().strangers_limited, 0U);
  ask({.method = "ACK"});
  hear(
      "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 198.51.100.1;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\n"
      "To: <sip:c@d>;tag=2\r\nCall-ID: 1\r\nCSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n",
      {});
  EXPECT_EQ(counters().strangers_limited, 0U);
  EXPECT_EQ(counters().malformed_dropped, 0U);
  ask({.method = "BYE"});
  EXPECT_EQ(counters().strangers_limited, 1U);
}

TEST_F(Door, WhenMessagesWaitTooLongNewCallsAreTurnedAwayAndNothingElse) {
  longest_ = false;
  const SocketAddress carrier = {IpAddress::v4(203, 0, 113, 10), 5060};
  const Ask ping{.from = carrier, .waited = 300ms};
  const Ask call{.method = "INVITE", .host = "203.0.113.1", .from = carrier, .waited = 300ms};
  for (int i = 0; i < 11; ++i, now_ += 10ms) EXPECT_EQ(ask(ping), std::vector<int>{200});
  EXPECT_EQ(logged("overload.begins"), 1U);
  const std::string invite = write(call);
  EXPECT_EQ(hear(invite, call), std::vector<int>{503});
  EXPECT_NE(sent_.find("Retry-After: 5"), std::string::npos);
  EXPECT_EQ(engine_.census().transactions, 11U) << "the pings'; the INVITE has none";
  const std::string first = sent_;
  hear(invite, call);
  EXPECT_EQ(sent_, first) << "a repeat is told the same";
  EXPECT_EQ(counters().overload_refused, 2U);
  EXPECT_EQ(ask(ping), std::vector<int>{200});
  Ask bye = ping;
  bye.method = "BYE";
  bye.to_tag = ";tag=whatever";
  EXPECT_EQ(ask(bye), std::vector<int>{481});
  // Strangers are not worth an answer now.
  EXPECT_TRUE(ask({.method = "INVITE", .headers = padding(300), .waited = 300ms}).empty());
  // Calm for a second ends it.
  Ask calm = ping;
  calm.waited = 20ms;
  for (int i = 0; i < 120; ++i, now_ += 10ms) ask(calm);
  EXPECT_EQ(logged("overload.ends"), 1U);
  EXPECT_NE(ask({.method = "INVITE", .host = "203.0.113.1", .from = carrier}), std::vector<int>{503});
}

// ---- With calls: all three parties stay what they are while strangers knock ----

TEST(HostileWorld, ATransferGoesThroughWhileTheDoorIsUnderFire) {
  Cast cast(usual_play());
  World& world = cast.world();
  Peer& attacker = world.add_peer("attacker", {IpAddress::v4(198, 18, 0, 9), 5060}, Transport::udp);
  attacker.set_stranger();
  unsigned left = 400;
  std::function<void()> knock = [&] {
    if (left == 0) return;
    --left;
    Script scan;
    scan.role = "scanner";
    attacker.call(scan, "100", "sip:00441234567890@" + server_address().to_string());
    world.after(5ms, knock);
  };
  world.after(1ms, knock);
  cast.expect_transferred();
  EXPECT_GT(world.engine().counters().silenced_ignored + world.engine().counters().strangers_limited, 300U);
}

}  // namespace
}  // namespace baton::sim
