// Where a leg is sent: targets of a name in their order, failover, and those that failed lately last.
#include <algorithm>
#include <memory>

#include "cast.h"

namespace baton::sim {
namespace {

Target at(std::uint8_t last, Transport transport = Transport::udp) {
  return {transport, {IpAddress::v4(203, 0, 113, last), 5060}};
}

// The twin carrier's two gates are what one name leads to.
Play named_gates(std::vector<Target> targets) {
  Play play = usual_play();
  play.transferor.acts.clear();
  play.options.dns_targets = {{"gates.example.net", std::move(targets)}};
  play.options.configure = [](trunk::Model& model) {
    trunk::Carrier& twin = model.carriers.back();
    twin.gateways.resize(1);
    twin.gateways.front().host = "gates.example.net";
    twin.gateways.front().port = 0;
    twin.gateways.front().any_transport = true;
  };
  return play;
}

// ---- The way back to a peer whose connection is gone ----

// A call from the endpoint over TCP, whose Contact is a name.
class WayBack : public ::testing::Test {
 protected:
  explicit WayBack(const std::vector<IpAddress>& found = {IpAddress::v4(203, 0, 113, 100)}) {
    StageOptions options;
    options.dns_delay = 1'900ms;
    options.endpoint_transport = Transport::tcp;
    options.dns = {{"phone.example.net", found}};
    stage = std::make_unique<Stage>(options);
    stage->endpoint.set_contact_host("phone.example.net");
    Script script, other;
    script.role = "caller";
    other.role = "callee";
    caller = &stage->outbound(script, other);
    EXPECT_TRUE(stage->world.run_until([&] { return caller->up(); }));
    callee = Stage::newest(stage->west);
    stage->world.break_connections_of(stage->endpoint);
    stage->world.run_for(1s);
  }
  [[nodiscard]] std::size_t lookups() const {
    const std::string& journal = stage->world.journal();
    std::size_t count = 0;
    for (auto at = journal.find("resolve phone"); at != std::string::npos;
         at = journal.find("resolve phone", at + 1))
      ++count;
    return count;
  }
  void rest() {
    stage->world.run_to_rest();
    EXPECT_TRUE(stage->world.violations().empty()) << stage->world.report();
  }

  std::unique_ptr<Stage> stage;
  Party* caller = nullptr;
  Party* callee = nullptr;
};

TEST_F(WayBack, IsFoundByTheNameInTheContact) {
  stage->west.act(*callee, {.what = What::bye});
  EXPECT_TRUE(stage->world.run_until([&] { return caller->seen.over; }, 5s));
  EXPECT_EQ(caller->seen.over_by, "server");
  EXPECT_EQ(lookups(), 1U);
  rest();
}

TEST_F(WayBack, IsTheConnectionThatThePeerOpensItself) {
  stage->endpoint.act(*caller, {.what = What::options});
  stage->world.run_for(1s);
  stage->west.act(*callee, {.what = What::bye});
  EXPECT_TRUE(stage->world.run_until([&] { return caller->seen.over; }, 5s));
  EXPECT_EQ(lookups(), 0U);
  rest();
}

// The BYE does not overtake the word that it waits for, however long the peer is looked for.
TEST_F(WayBack, IsTakenByTheFinalNotifyBeforeTheBye) {
  Script target;
  target.final_after = 3s;
  stage->east.expect(number::target, target);
  stage->endpoint.act(*caller, {.what = What::refer, .text = Stage::refer_to(number::target)});
  EXPECT_TRUE(stage->world.run_until([&] { return !caller->seen.notifies.empty(); }));
  stage->world.run_for(100ms);
  stage->world.break_connections_of(stage->endpoint);
  EXPECT_TRUE(stage->world.run_until([&] { return caller->seen.over; }, 20s));
  EXPECT_EQ(caller->seen.over_by, "server");
  EXPECT_EQ(caller->seen.notifies.back(), 200);
  stage->world.wind_down();
  EXPECT_TRUE(stage->world.violations().empty()) << stage->world.report();
}

// Its own BYE comes first, and ours is of no use any more.
TEST_F(WayBack, IsNotTakenByAByeThatHasBecomeIdle) {
  stage->west.act(*callee, {.what = What::bye});
  stage->world.run_for(500ms);
  stage->endpoint.act(*caller, {.what = What::bye});
  rest();
  EXPECT_EQ(caller->seen.over_by, "self");
}

class NoWayBack : public WayBack {
 protected:
  NoWayBack() : WayBack({IpAddress::v4(10, 0, 0, 7)}) {}
};

TEST_F(NoWayBack, LeadsToAPrivateAddress) {
  stage->west.act(*callee, {.what = What::bye});
  stage->world.run_for(10s);
  EXPECT_EQ(stage->world.journal().find("10.0.0.7:"), std::string::npos);
  EXPECT_EQ(stage->world.cdrs().size(), 1U);
  stage->world.wind_down();
}

class Targets : public ::testing::Test {
 protected:
  explicit Targets() {
    good_.role = "callee";
    good_.final_after = 100ms;
  }

  void begin(const Play& play) {
    stage_ = std::make_unique<Stage>(play.options);
    stage_->first_gate.expect("", good_);
    stage_->second_gate.expect("", good_);
  }
  World& world() { return stage_->world; }

  // The endpoint calls a number on the twin carrier, talks, hangs up. Which gate answered: 1, 2; 0: none.
  int call() {
    const std::size_t first = answered(stage_->first_gate), second = answered(stage_->second_gate);
    Script caller;
    caller.role = "caller";
    Party& party = stage_->endpoint.call(
        caller, number::own, "sip:" + std::string(number::failover_target) + "@" + outbound_domain);
    const bool settled = world().run_until([&] { return party.up() || party.seen.over; });
    EXPECT_TRUE(settled);
    took_ = world().now();
    const int gate = answered(stage_->first_gate) > first     ? 1
                     : answered(stage_->second_gate) > second ? 2
                                                              : 0;
    if (party.up()) {
      Party& other = *Stage::newest(gate == 1 ? stage_->first_gate : stage_->second_gate);
      EXPECT_TRUE(world().oracles().talk(party, other));
      stage_->endpoint.act(party, {.what = What::bye});
      world().run_until([&] { return other.seen.over; });
    }
    last_status_ = party.seen.final_status;
    return gate;
  }
  std::size_t logged(const std::string& event) {
    return static_cast<std::size_t>(
        std::count_if(world().logs().begin(), world().logs().end(),
                      [&](const engine::Log& log) { return log.event == event; }));
  }
  static std::size_t answered(Peer& peer) {
    return static_cast<std::size_t>(std::count_if(peer.parties().begin(), peer.parties().end(),
                                                  [](const Party& party) { return party.seen.answered; }));
  }
  void rest() {
    world().run_to_rest();
    EXPECT_TRUE(world().violations().empty()) << world().report();
  }

  Script good_;
  std::unique_ptr<Stage> stage_;
  Time took_{};
  int last_status_ = 0;
};

TEST_F(Targets, TheFirstOfTheListIsCalled) {
  begin(named_gates({at(31), at(30)}));
  EXPECT_EQ(call(), 2);
  EXPECT_TRUE(stage_->first_gate.parties().empty());
  EXPECT_EQ(logged("target.blocked"), 0U);
  rest();
}

TEST_F(Targets, ADeadFirstTargetCostsOneCallTheWaitAndNoOtherOne) {
  Play play = named_gates({at(30), at(31)});
  configure_also(play, [](trunk::Model& model) { model.carriers.back().sip.failover_after = 0s; });
  begin(play);
  Script silent;
  silent.silent = true;
  stage_->first_gate.expect("", silent);
  const Time began = world().now();
  EXPECT_EQ(call(), 2);
  EXPECT_GE(took_ - began, 32s) << "Timer B";
  EXPECT_EQ(logged("target.blocked"), 1U);
  // A branch and a Call-ID of its own: the second gate's INVITE is no copy of the first's.
  EXPECT_NE(stage_->first_gate.parties().back().call_id, stage_->second_gate.parties().back().call_id);

  stage_->first_gate.expect("", good_);
  const Time again = world().now();
  EXPECT_EQ(call(), 2) << "the one that failed is tried last";
  EXPECT_LT(took_ - again, 2s);
  // The while is over: the order is the name's again.
  world().run_for(31s);
  EXPECT_EQ(call(), 1);
  EXPECT_EQ(logged("target.back"), 1U);
  rest();
}

// RFC 3263 4.3, and nobody waits 32 s for it where somebody else can be asked.
TEST_F(Targets, OneThatSaysNothingIsLeftForTheNextAfterFiveSeconds) {
  begin(named_gates({at(30), at(31)}));
  Script silent;
  silent.silent = true;
  stage_->first_gate.expect("", silent);
  const Time began = world().now();
  EXPECT_EQ(call(), 2);
  EXPECT_GE(took_ - began, 5s);
  EXPECT_LT(took_ - began, 7s);
  EXPECT_EQ(logged("target.blocked"), 1U);
  rest();
}

TEST_F(Targets, TheLastOneHasAllTheTimeThereIs) {
  begin(named_gates({at(30)}));
  Script slow = good_;
  slow.trying = false;
  slow.ring_after.reset();
  slow.final_after = 20s;
  stage_->first_gate.expect("", slow);
  EXPECT_EQ(call(), 1);
  rest();
}

TEST_F(Targets, OneThatSpeaksUpLateIsCancelledOrEnded) {
  for (const bool rings : {true, false}) {
    begin(named_gates({at(30), at(31)}));
    Script late = good_;
    late.trying = false;
    late.ring_after = rings ? std::optional<Duration>(8s) : std::nullopt;
    late.final_after = rings ? 12s : 8s;
    stage_->first_gate.expect("", late);
    good_.acts = {{When::established, 20s, What::bye}};
    stage_->second_gate.expect("", good_);
    Script caller;
    caller.role = "caller";
    Party& party = stage_->endpoint.call(
        caller, number::own, "sip:" + std::string(number::failover_target) + "@" + outbound_domain);
    world().run_for(15s);
    ASSERT_EQ(stage_->second_gate.parties().size(), 1U);
    EXPECT_TRUE(world().oracles().talk(party, stage_->second_gate.parties().back()));
    EXPECT_EQ(stage_->first_gate.parties().back().seen.over_by, rings ? "cancel" : "server");
    rest();
    EXPECT_EQ(world().cdrs().size(), 1U);
  }
}

TEST_F(Targets, ARefusedConnectionIsNoTarget) {
  begin(named_gates({at(30), at(31)}));
  stage_->first_gate.set_reachable(false);
  EXPECT_EQ(call(), 2);
  stage_->first_gate.set_reachable(true);
  EXPECT_EQ(call(), 2);
  rest();
}

TEST_F(Targets, WhenAllFailedLatelyAllAreTried) {
  begin(named_gates({at(30), at(31)}));
  stage_->first_gate.set_reachable(false);
  stage_->second_gate.set_reachable(false);
  EXPECT_EQ(call(), 0);
  EXPECT_EQ(last_status_, 503);
  EXPECT_EQ(logged("target.blocked"), 2U);
  stage_->second_gate.set_reachable(true);
  EXPECT_EQ(call(), 2);
  rest();
}

TEST_F(Targets, RetryAfterIsKept) {
  begin(named_gates({at(30), at(31)}));
  Script busy = good_;
  busy.ring_after.reset();
  busy.final_status = 503;
  busy.retry_after = "120 (in the middle of maintenance)";
  stage_->first_gate.expect("", busy);
  EXPECT_EQ(call(), 2);
  EXPECT_EQ(logged("target.blocked"), 1U);
  stage_->first_gate.expect("", good_);
  EXPECT_EQ(call(), 2);
  world().run_for(100s);
  EXPECT_EQ(call(), 2);
  world().run_for(21s);
  EXPECT_EQ(call(), 1);
  rest();
}

TEST_F(Targets, A503WithoutRetryAfterConcernsThatCallOnly) {
  begin(named_gates({at(30), at(31)}));
  Script busy = good_;
  busy.ring_after.reset();
  busy.final_status = 503;
  busy.retry_after.clear();
  stage_->first_gate.expect("", busy);
  EXPECT_EQ(call(), 2);
  stage_->first_gate.expect("", good_);
  EXPECT_EQ(call(), 1);
  rest();
}

TEST_F(Targets, AnotherFailureIsTheHostsWordNotTheTargets) {
  begin(named_gates({at(30), at(31)}));
  Script refusing = good_;
  refusing.final_status = 500;
  stage_->first_gate.expect("", refusing);
  EXPECT_EQ(call(), 0);
  EXPECT_TRUE(stage_->second_gate.parties().empty());
  rest();
}

TEST_F(Targets, ATargetThatWasGivenUpBeforeTheTimeoutIsKnownAllTheSame) {
  begin(named_gates({at(30), at(31)}));
  Script silent;
  silent.silent = true;
  stage_->first_gate.expect("", silent);
  Script impatient;
  impatient.role = "caller";
  impatient.acts = {{When::started, 5s, What::cancel}};
  Party& party = stage_->endpoint.call(impatient, number::own,
                                       "sip:" + std::string(number::failover_target) + "@" + outbound_domain);
  world().run_until([&] { return party.seen.over; });
  world().run_for(40s);
  EXPECT_EQ(logged("target.blocked"), 1U);
  stage_->first_gate.expect("", good_);
  world().run_for(1s);
  EXPECT_EQ(call(), 2);
  rest();
}

// Routes too: a literal gateway that failed gives way to the next gateway.
TEST_F(Targets, AGatewayThatFailedGivesWayToTheNext) {
  Play play = usual_play();
  play.transferor.acts.clear();
  begin(play);
  stage_->first_gate.set_reachable(false);
  EXPECT_EQ(call(), 2);
  stage_->first_gate.set_reachable(true);
  EXPECT_EQ(call(), 2);
  world().run_for(31s);
  EXPECT_EQ(call(), 1);
  rest();
}

// RFC 3263 may lead to several transports; the targets that are called are the ones that were checked.
TEST(TargetsOfAReferTo, APrivateOneAmongThemIsRefused) {
  Play play = usual_play();
  play.transferor.acts = {
      {When::established, 500ms, What::refer, Stage::refer_to(number::target, "pbx.example.net")}};
  play.options.configure = [](trunk::Model& model) {
    for (trunk::Trunk& trunk : model.trunks) trunk.transfer.allowed_hosts = {"pbx.example.net"};
  };
  play.options.dns_targets = {
      {"pbx.example.net", {at(20), {Transport::tcp, {IpAddress::v4(10, 0, 0, 9), 5070}}}}};
  Cast(play).expect_refused(403);
}

TEST(TargetsOfAReferTo, TheFirstThatAnswersIsTheTarget) {
  Play play = usual_play();
  play.transferor.acts = {
      {When::established, 500ms, What::refer, Stage::refer_to(number::target, "pbx.example.net")}};
  play.options.configure = [](trunk::Model& model) {
    for (trunk::Trunk& trunk : model.trunks) trunk.transfer.allowed_hosts = {"pbx.example.net"};
  };
  play.options.dns_targets = {{"pbx.example.net", {at(77), at(20, Transport::tcp), at(20)}}};
  Cast cast(play);
  EXPECT_TRUE(cast.run_until_final_notify());
  cast.world().run_for(2s);
  ASSERT_NE(cast.target(), nullptr);
  EXPECT_TRUE(cast.world().oracles().talk(*cast.transferee, *cast.target()));
  cast.hang_up(*cast.transferee);
  cast.expect_rest();
}

// ---- RFC 3261 18.1.1: an INVITE too long for UDP ----

Play long_refer(bool written) {
  Play play = usual_play();
  play.transferor.acts = {{When::established,
                           500ms,
                           What::refer,
                           Stage::refer_to(number::target),
                           {{"X-Long", std::string(1'000, 'x')}}}};
  play.options.configure = [written](trunk::Model& model) {
    for (trunk::Carrier& carrier : model.carriers) {
      for (trunk::Uri& gateway : carrier.gateways) gateway.any_transport = !written;
    }
  };
  return play;
}

TEST(LongInvite, GoesByTcpWhereTheTargetTakesIt) {
  Play play = long_refer(false);
  play.options.target_transport = Transport::tcp;
  play.options.configure = [configure = play.options.configure](trunk::Model& model) {
    configure(model);
    for (trunk::Carrier& carrier : model.carriers) {
      for (trunk::Uri& gateway : carrier.gateways) gateway.transport = Transport::udp;
    }
  };
  Cast(play).expect_transferred();
}

TEST(LongInvite, GoesByUdpWhereTheTargetTakesNoConnection) {
  Cast cast(long_refer(false));
  cast.expect_transferred();
  EXPECT_NE(cast.world().journal().find("nobody at 203.0.113.20:5060"), std::string::npos);
}

TEST(LongInvite, GoesByUdpWhereThatIsWritten) {
  Cast cast(long_refer(true));
  cast.expect_transferred();
  EXPECT_EQ(cast.world().journal().find("nobody at 203.0.113.20:5060"), std::string::npos);
}

}  // namespace
}  // namespace baton::sim
