// "Answers to the REFER itself", row by row, and what is reported after the 202 instead.
#include <algorithm>

#include "cast.h"

namespace baton::sim {
namespace {

class Answers : public BothWays {};
INSTANTIATE_TEST_SUITE_P(Calls, Answers, ::testing::Bool(), direction_name);

// A play whose REFER the test sends itself, once the call is up.
Play without_refer(bool inbound) {
  Play play = usual_play(inbound);
  play.transferor.acts.clear();
  return play;
}

void run_until_up(Cast& cast) {
  ASSERT_TRUE(cast.world().run_until([&] { return cast.transferor->up() && cast.transferee->up(); }));
  cast.world().run_for(500ms);
}

void expect_answer(bool inbound, const std::string& refer_to, int status) {
  SCOPED_TRACE(refer_to);
  Cast cast(without_refer(inbound));
  run_until_up(cast);
  cast.refer(refer_to);
  if (status >= 300) {
    cast.expect_refused(status);
  } else {
    cast.expect_transferred();
  }
}

TEST_P(Answers, NoSuchDialogIs481) {
  Cast cast(without_refer(GetParam()));
  run_until_up(cast);
  const std::string tag = std::exchange(cast.transferor->remote_tag, "nobody");
  cast.refer(Stage::refer_to(number::target));
  cast.transferor->remote_tag = tag;
  cast.world().run_for(2s);
  ASSERT_EQ(cast.transferor->seen.refer_answers, std::vector<int>{481});
  EXPECT_EQ(cast.target(), nullptr);
  // The call itself is untouched: the other dialog identifier was nobody's.
  cast.hang_up(*cast.transferee);
  cast.expect_rest();
}

TEST_P(Answers, DialogAlreadyEndingIs481) {
  Cast cast(without_refer(GetParam()));
  run_until_up(cast);
  cast.hang_up(*cast.transferee);
  cast.world().run_for(15ms);  // the BYE to the transferor is on its way, and crosses its REFER
  cast.refer(Stage::refer_to(number::target));
  cast.expect_rest();
  EXPECT_EQ(cast.transferor->seen.refer_answers, std::vector<int>{481});
  EXPECT_EQ(cast.target(), nullptr);
}

TEST(Answer, EarlyDialogIs491WithRetryAfter) {
  Play play = usual_play();
  play.transferor.acts = {Stage::refer(number::target, 100ms, When::ringing)};
  Cast cast(play);
  ASSERT_TRUE(cast.run_until_refer_answered());
  EXPECT_EQ(cast.transferor->seen.refer_answers, std::vector<int>{491});
  EXPECT_FALSE(cast.transferor->seen.refer_retry_after.front().empty());
  cast.expect_refused(491);
}

TEST(Answer, EarlyDialogOfACallerIs491Too) {
  Play play = usual_play(false);
  play.transferor.acts = {Stage::refer(number::target, 100ms, When::ringing)};
  Cast cast(play);
  cast.expect_refused(491);
  EXPECT_FALSE(cast.transferor->seen.refer_retry_after.front().empty());
}

// The callee has answered, and the caller's answer waits for its PRACK (RFC 3262 3).
TEST_P(Answers, CallWhoseAnswerWaitsIs491) {
  Play play = usual_play(GetParam());
  Script& caller = GetParam() ? play.transferee : play.transferor;
  Script& callee = GetParam() ? play.transferor : play.transferee;
  caller.requires_100rel = true;
  caller.pracks = false;
  callee.early_media = true;
  callee.acts = {Stage::refer(number::target)};
  play.options.configure = [](trunk::Model& model) { model.carriers[0].trusted_to_transfer = true; };
  Cast cast(play);
  Party& referrer = GetParam() ? *cast.transferor : *cast.transferee;
  EXPECT_TRUE(cast.world().run_until([&] { return !referrer.seen.refer_answers.empty(); }));
  EXPECT_EQ(referrer.seen.refer_answers, std::vector<int>{491});
  cast.expect_rest();
}

TEST(Answer, ReferThatOvertookTheAckIsHeldForIt) {
  Play play = usual_play(false);
  play.transferor.ack_after = 200ms;
  play.transferor.acts = {Stage::refer(number::target, 20ms, When::answered)};
  Cast cast(play);
  cast.world().run_until([&] { return cast.transferor->state == Party::State::answered; });
  cast.world().run_for(150ms);
  EXPECT_TRUE(cast.transferor->seen.refer_answers.empty()) << "answered before the ACK";
  cast.expect_transferred();
  EXPECT_EQ(cast.transferor->seen.refer_answers, std::vector<int>{202});
}

TEST(Answer, ReferHeldForAnAckThatNeverComesIsAnswered) {
  Play play = usual_play(false);
  play.transferor.ack_after = 24h;
  play.transferor.acts = {Stage::refer(number::target, 20ms, When::answered)};
  Cast cast(play);
  cast.world().run_until([&] { return !cast.transferor->seen.refer_answers.empty(); });
  ASSERT_EQ(cast.transferor->seen.refer_answers, std::vector<int>{491});
  EXPECT_EQ(cast.target(), nullptr);
  // Without an ACK the call can not live: the server ends it after 64*T1 (RFC 3261 13.3.1.4).
  EXPECT_TRUE(cast.world().run_until([&] { return cast.transferee->seen.over; }, 60s));
  EXPECT_EQ(cast.transferee->seen.over_by, "server");
}

TEST(Answer, CarrierMayNotTransfer) {
  Play play = without_refer(true);
  play.transferee.acts = {Stage::refer(number::target)};
  Cast cast(play);
  cast.world().run_until([&] { return !cast.transferee->seen.refer_answers.empty(); });
  EXPECT_EQ(cast.transferee->seen.refer_answers, std::vector<int>{403});
  EXPECT_EQ(cast.target(), nullptr);
  cast.hang_up(*cast.transferor);
  cast.expect_rest();
  ASSERT_EQ(cast.world().transfers().size(), 1U);
  EXPECT_EQ(cast.world().transfers().front().outcome, "refused");
}

TEST(Answer, TrustedCarrierMayTransfer) {
  Play play = without_refer(true);
  play.transferee.acts = {Stage::refer(number::target)};
  play.options.configure = [](trunk::Model& model) { model.carriers[0].trusted_to_transfer = true; };
  Cast cast(play);
  // The roles are turned round: the carrier's side transfers the endpoint.
  std::swap(cast.transferee, cast.transferor);
  EXPECT_TRUE(cast.run_until_final_notify());
  cast.world().run_for(2s);
  EXPECT_EQ(cast.transferor->seen.notifies.back(), 200);
  ASSERT_NE(cast.target(), nullptr);
  EXPECT_TRUE(cast.world().oracles().talk(*cast.transferee, *cast.target()));
  cast.hang_up(*cast.target());
  cast.expect_rest();
}

TEST_P(Answers, TransfersDisabledIs403) {
  Play play = usual_play(GetParam());
  play.options.configure = [](trunk::Model& model) {
    for (trunk::Trunk& trunk : model.trunks) trunk.transfer.enabled = false;
  };
  Cast(play).expect_refused(403);
}

TEST(Answer, ReferInADialogWithoutCredentialsIsChallenged) {
  Play play = usual_play(false);
  play.transferor.username = "agent";
  play.transferor.password = "correct horse";
  play.options.configure = [](trunk::Model& model) {
    model.trunks[2].credentials = {{"agent", "correct horse"}};
  };
  Cast cast(play);
  ASSERT_TRUE(cast.world().run_until([&] { return !cast.transferor->seen.notifies.empty(); }));
  cast.expect_transferred();
  EXPECT_EQ(cast.transferor->seen.refer_answers, std::vector<int>{202});
}

TEST(Answer, WrongCredentialsMakeNoCall) {
  Play play = usual_play(false);
  play.transferor.username = "agent";
  play.transferor.password = "wrong";
  play.options.configure = [](trunk::Model& model) {
    model.trunks[2].acl.clear();
    model.trunks[2].credentials = {{"agent", "correct horse"}};
  };
  Cast cast(play);
  cast.expect_rest();
  EXPECT_TRUE(cast.transferor->seen.final_status == 401 || cast.transferor->seen.final_status == 407 ||
              cast.transferor->seen.final_status == 403);
  EXPECT_TRUE(cast.stage.west.parties().empty());
}

TEST_P(Answers, UnknownRequireIs420) {
  Play play = without_refer(GetParam());
  Cast cast(play);
  run_until_up(cast);
  cast.refer(Stage::refer_to(number::target), {{"Require", "time-travel"}});
  ASSERT_TRUE(cast.run_until_refer_answered());
  EXPECT_NE(cast.world().journal().find("Unsupported: time-travel"), std::string::npos);
  cast.expect_refused(420);
}

TEST_P(Answers, BadReferToIs400) {
  const std::string number = number::target;
  const std::string host = inbound_domain;
  const std::vector<std::string> bad = {
      "",  // none at all
      "<sip:" + number + "@" + host + ">, <sip:" + number + "@" + host + ">",
      "<sip:",
      "<https://" + host + "/" + number + ">",
      "<mailto:" + number + "@" + host + ">",
      "<sip:" + number + "@" + host + ";method=BYE>",
      "<sip:" + number + "@" + host + ";method=REFER>",
      "<sip:" + host + ">",
      "<sip:442079460123@" + host + ">",       // no plus
      "<sip:+44207@" + host + ">",             // too short
      "<sip:+1234567890123456@" + host + ">",  // too long
      "<sip:alice@" + host + ">",
      "<sip:+44abc79460123@" + host + ">",
      "<tel:02079460123>",
  };
  for (const std::string& refer_to : bad) expect_answer(GetParam(), refer_to, 400);
}

TEST_P(Answers, EveryGoodWayToWriteTheNumberIsAccepted) {
  const std::string host = GetParam() ? inbound_domain : outbound_domain;
  const std::vector<std::string> good = {
      "sip:+442079460123@" + host,
      "<sip:+442079460123@" + host + ">",
      "\"The Sales Desk\" <sip:+442079460123@" + host + ";user=phone>",
      "<sip:%2B442079460123@" + host + ">",
      "<sip:+442079460123@" + host + ";method=INVITE>",
      "<SIP:+442079460123@IN1.SIP.BATON.TEST>",
      "<sips:+442079460123@" + host + ">",
      "<tel:+442079460123>",
      "<tel:+44-207-946.0123>",
      "<tel:+44(207)9460123>",
      "<sip:+442079460123@" + host + "?User-to-User=00AB%3Bencoding%3Dhex>",
      "<sip:+442079460123@" + std::string(outbound_domain) + ">",  // any trunk of the account
  };
  for (const std::string& refer_to : good) expect_answer(GetParam(), refer_to, 202);
}

TEST_P(Answers, ForeignHostIs403) {
  for (const std::string host :
       {"example.com", "sip.baton.test", "other.sip.baton.test", "198.51.100.1", "8.8.8.8"}) {
    expect_answer(GetParam(), Stage::refer_to(number::target, host), 403);
  }
}

TEST_P(Answers, DomainOfAnotherAccountIs403) {
  Play play = usual_play(GetParam());
  play.transferor.acts = {
      {When::established, 500ms, What::refer, Stage::refer_to(number::target, "theirs.sip.baton.test")}};
  play.options.configure = [](trunk::Model& model) {
    trunk::Account account = model.accounts.front();
    account.id = "them";
    model.accounts.push_back(account);
    trunk::Trunk trunk = model.trunks[2];
    trunk.id = "theirs";
    trunk.account_id = "them";
    trunk.domain = "theirs.sip.baton.test";
    trunk.acl.clear();
    model.trunks.push_back(trunk);
  };
  Cast(play).expect_refused(403);
}

TEST_P(Answers, PrivateHostIs403) {
  for (const std::string host :
       {"10.0.0.1", "172.16.3.4", "192.168.1.1", "127.0.0.1", "169.254.1.1", "100.64.0.1", "224.0.0.1",
        "0.0.0.0", "[::1]", "[fe80::1]", "[fc00::1]", "[ff02::1]", "[::ffff:10.0.0.1]", "[::]", "3232235777",
        "0x7f.1", "0177.0.0.1", "127.1"}) {
    expect_answer(GetParam(), Stage::refer_to(number::target, host), 403);
  }
}

Play foreign_host(bool inbound, std::vector<IpAddress> addresses) {
  Play play = usual_play(inbound);
  play.transferor.acts = {
      {When::established, 500ms, What::refer, Stage::refer_to(number::target, "pbx.example.net")}};
  play.options.configure = [](trunk::Model& model) {
    for (trunk::Trunk& trunk : model.trunks) trunk.transfer.allowed_hosts = {"pbx.example.net"};
  };
  play.options.dns = {{"pbx.example.net", std::move(addresses)}};
  return play;
}

TEST_P(Answers, AllowedHostWithAPrivateAddressIs403) {
  Cast(foreign_host(GetParam(), {IpAddress::v4(192, 168, 0, 7)})).expect_refused(403);
}

TEST_P(Answers, AllowedHostWithOnePrivateAddressAmongPublicOnesIs403) {
  Cast(foreign_host(GetParam(), {IpAddress::v4(203, 0, 113, 20), IpAddress::v4(10, 0, 0, 1)}))
      .expect_refused(403);
}

TEST_P(Answers, AllowedHostWithoutAddressIsRefused) {
  Cast cast(foreign_host(GetParam(), {}));
  ASSERT_TRUE(cast.run_until_refer_answered());
  EXPECT_GE(cast.transferor->seen.refer_answers.back(), 400);
  EXPECT_EQ(cast.target(), nullptr);
  cast.hang_up(*cast.transferor);
  cast.expect_rest();
}

TEST_P(Answers, AllowedHostIsCalledThere) {
  Cast cast(foreign_host(GetParam(), {IpAddress::v4(203, 0, 113, 20)}));
  EXPECT_TRUE(cast.run_until_final_notify());
  cast.world().run_for(2s);
  EXPECT_EQ(cast.transferor->seen.refer_answers, std::vector<int>{202});
  ASSERT_NE(cast.target(), nullptr);
  EXPECT_TRUE(cast.world().oracles().talk(*cast.transferee, *cast.target()));
  cast.hang_up(*cast.transferee);
  cast.expect_rest();
}

TEST_P(Answers, BarredCountryIs403) {
  expect_answer(GetParam(), Stage::refer_to(number::barred_target), 403);
}

TEST_P(Answers, BarredPrefixIs403) {
  Play play = usual_play(GetParam());
  play.options.configure = [](trunk::Model& model) { model.accounts[0].geo.blocked_prefixes = {"+4420"}; };
  Cast(play).expect_refused(403);
}

TEST_P(Answers, OverTheDepthIs403) {
  Play play = usual_play(GetParam());
  play.target.final_status = 486;
  play.transferor.acts = {Stage::refer(number::target), Stage::refer(number::target, 10s),
                          Stage::refer(number::target, 20s)};
  play.options.configure = [](trunk::Model& model) {
    for (trunk::Trunk& trunk : model.trunks) trunk.transfer.depth_max = 2;
  };
  Cast cast(play);
  ASSERT_TRUE(cast.run_until_refer_answered(3));
  EXPECT_EQ(cast.transferor->seen.refer_answers, (std::vector<int>{202, 202, 403}));
  EXPECT_TRUE(cast.world().oracles().talk(*cast.transferee, *cast.transferor));
  cast.hang_up(*cast.transferor);
  cast.expect_rest();
  ASSERT_EQ(cast.world().transfers().size(), 3U);
  EXPECT_EQ(cast.world().transfers()[0].depth, 1U);
  EXPECT_EQ(cast.world().transfers()[1].depth, 2U);
  EXPECT_EQ(cast.world().transfers()[2].outcome, "refused");
}

TEST_P(Answers, AcceptedWith200WhereTheTrunkSaysSo) {
  Play play = usual_play(GetParam());
  play.options.configure = [](trunk::Model& model) {
    for (trunk::Trunk& trunk : model.trunks) trunk.transfer.accept_code = 200;
  };
  Cast cast(play);
  cast.expect_transferred();
  EXPECT_EQ(cast.transferor->seen.refer_answers, std::vector<int>{200});
}

TEST_P(Answers, EmptyBalanceIsReportedByNotify402) {
  Play play = usual_play(GetParam());
  // Enough for what the first leg costs, not for a second one. Calls to the endpoint cost nothing.
  const std::int64_t balance = GetParam() ? 500'000 : 1'500'000;
  play.options.configure = [balance](trunk::Model& model) {
    model.accounts[0].balance_micros = balance;
    for (trunk::Carrier& carrier : model.carriers) carrier.rate_per_minute_micros = 1'000'000;
  };
  Cast(play).expect_as_before(402);
}

TEST_P(Answers, CallsPerSecondAreReportedByNotify503) {
  Play play = usual_play(GetParam());
  play.transferor.acts = {Stage::refer(number::target, 10ms)};
  play.transferee.final_after = play.transferor.final_after =
      100ms;  // all within one second of the first leg
  play.options.configure = [](trunk::Model& model) {
    for (trunk::Trunk& trunk : model.trunks) trunk.cps_max = 1;
  };
  Cast(play).expect_as_before(503);
}

// The account's limit makes it wait for its turn, like a call.
TEST_P(Answers, BeyondTheAccountsCallsPerSecondTheTransferWaitsForItsTurn) {
  Play play = usual_play(GetParam());
  play.transferor.acts = {Stage::refer(number::target, 10ms)};
  play.transferee.final_after = play.transferor.final_after = 100ms;
  play.options.configure = [](trunk::Model& model) { model.accounts[0].cps_max = 1; };
  Cast cast(play);
  cast.expect_transferred();
  const auto& steps = cast.world().transfers().front().steps;
  EXPECT_TRUE(
      std::any_of(steps.begin(), steps.end(), [](const auto& step) { return step.what == "queued"; }));
}

TEST_P(Answers, WhereNobodyMayWaitTheTransferIsRefused) {
  Play play = usual_play(GetParam());
  play.transferor.acts = {Stage::refer(number::target, 10ms)};
  play.transferee.final_after = play.transferor.final_after = 100ms;
  play.options.configure = [](trunk::Model& model) {
    model.accounts[0].cps_max = 1;
    model.accounts[0].cps_wait = {};
  };
  Cast(play).expect_as_before(503);
}

TEST_P(Answers, TransferThatIsGivenUpBeforeItsTurnCallsNobody) {
  Play play = usual_play(GetParam());
  play.transferor.acts = {Stage::refer(number::target, 10ms)};
  play.transferee.final_after = play.transferor.final_after = 100ms;
  play.transferor.acts.push_back({When::refer_answered, 200ms, What::bye});
  play.options.configure = [](trunk::Model& model) { model.accounts[0].cps_max = 1; };
  Cast cast(play);
  EXPECT_TRUE(cast.world().run_until([&] { return cast.transferee->seen.over; }));
  cast.expect_rest();
  EXPECT_EQ(cast.target(), nullptr);
  EXPECT_EQ(cast.world().transfers().front().outcome, "abandoned");
}

TEST_P(Answers, ConcurrencyIsReportedByNotify503) {
  Play play = usual_play(GetParam());
  play.options.configure = [](trunk::Model& model) { model.accounts[0].concurrent_max = 1; };
  Cast(play).expect_as_before(503);
}

TEST_P(Answers, NoRouteIsReportedByNotify404) {
  Play play = usual_play(GetParam());
  play.transferor.acts = {Stage::refer(number::routeless_target)};
  Cast(play).expect_as_before(404);
}

TEST_P(Answers, NoCarrierReachableIsReportedByNotify503) {
  Play play = usual_play(GetParam());
  Cast cast(play);
  cast.stage.east.set_reachable(false);
  cast.expect_as_before(503);
}

TEST_P(Answers, CarrierThatSaysNothingIsReportedByNotify) {
  Play play = usual_play(GetParam());
  play.target.silent = true;
  Cast cast(play);
  EXPECT_TRUE(cast.run_until_final_notify());
  EXPECT_TRUE(cast.transferor->seen.notifies.back() == 503 || cast.transferor->seen.notifies.back() == 408);
  cast.expect_as_before(cast.transferor->seen.notifies.back());
}

}  // namespace
}  // namespace baton::sim
