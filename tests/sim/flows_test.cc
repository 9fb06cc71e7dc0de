// "Tried every time": what systems in the field got wrong, where it needs no real socket. And plain calls,
// and the simulator's own promise that a seed is a run.
#include "cast.h"

namespace baton::sim {
namespace {

class Tried : public BothWays {};
INSTANTIATE_TEST_SUITE_P(Calls, Tried, ::testing::Bool(), direction_name);

class PlainCall : public BothWays {};
INSTANTIATE_TEST_SUITE_P(Calls, PlainCall, ::testing::Bool(), direction_name);

Play plain(bool inbound) {
  Play play = usual_play(inbound);
  play.transferor.acts.clear();
  return play;
}

const call::Cdr& only_cdr(Cast& cast) {
  EXPECT_EQ(cast.world().cdrs().size(), 1U);
  static const call::Cdr none;
  return cast.world().cdrs().empty() ? none : cast.world().cdrs().front();
}

// ---- Plain calls ----

TEST_P(PlainCall, AnsweredAndEndedByEitherSide) {
  for (const bool by_transferee : {true, false}) {
    Cast cast(plain(GetParam()));
    ASSERT_TRUE(cast.world().run_until([&] { return cast.transferor->up() && cast.transferee->up(); }));
    cast.world().run_for(3s);
    EXPECT_TRUE(cast.world().oracles().talk(*cast.transferee, *cast.transferor));
    cast.world().oracles().check_media_agrees();
    cast.hang_up(by_transferee ? *cast.transferee : *cast.transferor);
    cast.expect_rest();
    EXPECT_EQ((by_transferee ? cast.transferor : cast.transferee)->seen.over_by, "server");
    EXPECT_EQ(only_cdr(cast).hangup_source,
              by_transferee ? call::HangupSource::carrier : call::HangupSource::customer);
    EXPECT_EQ(only_cdr(cast).sip_status, 200);
    EXPECT_EQ(only_cdr(cast).direction, GetParam() ? "inbound" : "outbound");
    EXPECT_EQ(only_cdr(cast).to_number, GetParam() ? number::own : number::callee);
  }
}

TEST_P(PlainCall, RefusalReachesTheCaller) {
  for (const int status : {404, 480, 486, 603}) {
    Play play = plain(GetParam());
    (GetParam() ? play.transferor : play.transferee).final_status = status;
    Cast cast(play);
    cast.expect_rest();
    Party& caller = GetParam() ? *cast.transferee : *cast.transferor;
    EXPECT_EQ(caller.seen.final_status, status);
    EXPECT_FALSE(only_cdr(cast).answered_at.has_value());
    EXPECT_EQ(only_cdr(cast).sip_status, status);
  }
}

TEST_P(PlainCall, CancelledByTheCaller) {
  Play play = plain(GetParam());
  Script& caller = GetParam() ? play.transferee : play.transferor;
  Script& callee = GetParam() ? play.transferor : play.transferee;
  callee.final_after = 20s;
  caller.acts = {{When::ringing, 1s, What::cancel}};
  Cast cast(play);
  cast.expect_rest();
  Party& caller_party = GetParam() ? *cast.transferee : *cast.transferor;
  Party& callee_party = GetParam() ? *cast.transferor : *cast.transferee;
  EXPECT_EQ(caller_party.seen.final_status, 487);
  EXPECT_EQ(callee_party.seen.over_by, "cancel");
  EXPECT_FALSE(only_cdr(cast).answered_at.has_value());
}

TEST_P(PlainCall, AnswerCrossesTheCallersCancel) {
  Play play = plain(GetParam());
  Script& caller = GetParam() ? play.transferee : play.transferor;
  Script& callee = GetParam() ? play.transferor : play.transferee;
  callee.final_after = 20s;
  callee.answers_though_cancelled = true;
  caller.acts = {{When::ringing, 1s, What::cancel}};
  Cast cast(play);
  cast.expect_rest();
  Party& callee_party = GetParam() ? *cast.transferor : *cast.transferee;
  EXPECT_EQ(callee_party.seen.over_by, "server");
}

TEST_P(PlainCall, OfferlessInvite) {
  Play play = plain(GetParam());
  (GetParam() ? play.transferee : play.transferor).offerless = true;
  Cast cast(play);
  ASSERT_TRUE(cast.world().run_until([&] { return cast.transferor->up() && cast.transferee->up(); }));
  cast.world().run_for(2s);
  EXPECT_TRUE(cast.world().oracles().talk(*cast.transferee, *cast.transferor));
  cast.world().oracles().check_media_agrees();
  cast.hang_up(*cast.transferee);
  cast.expect_rest();
}

TEST_P(PlainCall, WithoutACommonCodecEachHasItsOwn) {
  Play play = plain(GetParam());
  play.transferee.codecs = {sdp::Codec::pcmu};
  play.transferor.codecs = {sdp::Codec::pcma};
  Cast cast(play);
  ASSERT_TRUE(cast.world().run_until([&] { return cast.transferor->up() && cast.transferee->up(); }));
  cast.world().run_for(1s);
  EXPECT_TRUE(cast.world().oracles().talk(*cast.transferee, *cast.transferor));
  cast.world().oracles().check_media_agrees();
  cast.hang_up(*cast.transferor);
  cast.expect_rest();
}

TEST(PlainCalls, UnknownNumberAndUnknownSourceAreRefused) {
  Stage stage({});
  Script script;
  script.role = "caller";
  Party& unknown = stage.west.call(script, number::caller, "sip:+14155559999@198.51.100.1:5060");
  Party& foreign = stage.second_endpoint.call(script, number::own,
                                              "sip:" + std::string(number::callee) + "@" + outbound_domain);
  stage.world.run_to_rest();
  EXPECT_GE(unknown.seen.final_status, 400);
  EXPECT_GE(foreign.seen.final_status, 400);
  EXPECT_TRUE(stage.endpoint.parties().empty());
  EXPECT_TRUE(stage.west.parties().size() == 1U) << "a stranger's call went out";
  EXPECT_TRUE(stage.world.violations().empty()) << stage.world.report();
}

TEST(PlainCalls, FallbackIsCalledWhenThePrimaryIsGone) {
  Play play = plain(true);
  play.options.configure = [](trunk::Model& model) { model.trunks[0].fallback = model.trunks[1].primary; };
  Stage stage(play.options);
  stage.endpoint.set_reachable(false);
  stage.second_endpoint.expect(number::own, play.transferor);
  Party& caller = stage.inbound(play.transferee, play.transferor);
  ASSERT_TRUE(stage.world.run_until([&] { return caller.up(); }));
  stage.world.run_for(2s);
  ASSERT_NE(Stage::newest(stage.second_endpoint), nullptr);
  EXPECT_TRUE(stage.world.oracles().talk(caller, *Stage::newest(stage.second_endpoint)));
  stage.world.wind_down();
  EXPECT_TRUE(stage.world.violations().empty()) << stage.world.report();
  EXPECT_EQ(stage.world.cdrs().size(), 1U);
}

TEST(PlainCalls, OutboundToANumberOfOursStaysInTheHouse) {
  Stage stage({});
  Script caller, colleague;
  caller.role = "caller";
  colleague.role = "colleague";
  stage.second_endpoint.expect(number::own_second, colleague);
  Party& party = stage.endpoint.call(caller, number::own,
                                     "sip:" + std::string(number::own_second) + "@" + outbound_domain);
  ASSERT_TRUE(stage.world.run_until([&] { return party.up(); }));
  stage.world.run_for(2s);
  ASSERT_NE(Stage::newest(stage.second_endpoint), nullptr);
  EXPECT_TRUE(stage.world.oracles().talk(party, *Stage::newest(stage.second_endpoint)));
  EXPECT_TRUE(stage.west.parties().empty() && stage.east.parties().empty());
  stage.world.wind_down();
  EXPECT_TRUE(stage.world.violations().empty()) << stage.world.report();
}

TEST(PlainCalls, OutboundWithCredentials) {
  Play play = plain(false);
  play.transferor.username = "agent";
  play.transferor.password = "correct horse";
  play.options.configure = [](trunk::Model& model) {
    model.trunks[2].acl.clear();
    model.trunks[2].credentials = {{"agent", "correct horse"}};
  };
  Cast cast(play);
  ASSERT_TRUE(cast.world().run_until([&] { return cast.transferor->up(); }));
  cast.refer(Stage::refer_to(number::target));
  cast.expect_transferred();
}

// ---- Lost, doubled and early messages ----

TEST_P(Tried, ReferRetransmittedBecauseIts202WasLostIsOneTransfer) {
  Cast cast(play());
  // Find the 202's number on the wire in a first run, then lose it in a second.
  cast.run_until_refer_answered();
  cast.world().run_to_rest(1us);
  const std::string& journal = cast.world().journal();
  const auto at = journal.rfind("#", journal.find("SIP/2.0 202"));
  Play second = play();
  second.options.faults = {{static_cast<unsigned>(std::stoul(journal.substr(at + 1))), Fault::Kind::drop}};
  Cast again(second);
  again.expect_transferred();
  EXPECT_EQ(again.transferor->seen.refer_answers, std::vector<int>{202});
  EXPECT_EQ(again.stage.east.parties().size(), 1U);
}

TEST_P(Tried, TransfereeOnHoldIsTakenOffHold) {
  Play script = play();
  script.transferor.acts = {{When::established, 500ms, What::hold}, Stage::refer(number::target, 3s)};
  Cast cast(script);
  ASSERT_TRUE(cast.world().run_until([&] { return !cast.transferor->seen.refer_answers.empty(); }));
  cast.expect_transferred();
}

TEST_P(Tried, FailedTransferOfACallOnHoldLeavesItOnHold) {
  Play script = play();
  script.transferor.acts = {{When::established, 500ms, What::hold},
                            Stage::refer(number::target, 3s),
                            {When::established, 20s, What::resume}};
  script.target.final_status = 486;
  Cast cast(script);
  ASSERT_TRUE(cast.run_until_final_notify());
  cast.world().run_for(3s);
  EXPECT_EQ(cast.world().oracles().hears(*cast.transferee), "transferor");
  cast.world().run_for(20s);
  EXPECT_TRUE(cast.world().oracles().talk(*cast.transferee, *cast.transferor));
  cast.world().oracles().check_media_agrees();
  cast.hang_up(*cast.transferor);
  cast.expect_rest();
}

TEST_P(Tried, TransfereeThatHoldsItselfIsTransferred) {
  Play script = play();
  script.transferee.acts = {{When::established, 200ms, What::hold}, {When::established, 20s, What::resume}};
  script.transferor.acts = {Stage::refer(number::target, 3s)};
  Cast cast(script);
  ASSERT_TRUE(cast.world().run_until([&] { return cast.transferor->seen.over; }));
  cast.world().run_for(25s);
  EXPECT_TRUE(cast.world().oracles().talk(*cast.transferee, *cast.target()));
  cast.hang_up(*cast.transferee);
  cast.expect_rest();
}

TEST_P(Tried, OfferlessReinviteFromEitherSideBeforeDuringAndAfter) {
  for (const Duration when : {400ms, 1200ms, 8000ms}) {
    for (const bool by_transferee : {true, false}) {
      Play script = play();
      script.target.final_after = 2s;
      (by_transferee ? script.transferee : script.transferor)
          .acts.push_back({When::established, when, What::offerless});
      Cast cast(script);
      ASSERT_TRUE(cast.world().run_until([&] { return cast.transferor->seen.over; }));
      cast.world().run_for(10s);
      EXPECT_TRUE(cast.world().oracles().talk(*cast.transferee, *cast.target()));
      cast.world().oracles().check_media_agrees();
      cast.hang_up(*cast.transferee);
      cast.expect_rest();
    }
  }
}

TEST_P(Tried, ReinviteRefusedWith491IsTriedAgain) {
  Play script = play();
  script.transferor.acts = {{When::established, 500ms, What::hold}, Stage::refer(number::target, 3s)};
  script.transferee.reinvite_status = 491;  // should the server re-INVITE it
  Cast(script).expect_transferred();
}

TEST_P(Tried, ReinvitesFromBothSidesAtOnce) {
  Play script = play();
  script.transferee.acts = {{When::established, 300ms, What::reinvite}};
  script.transferor.acts.push_back({When::established, 300ms, What::reinvite});
  Cast(script).expect_transferred();
}

TEST_P(Tried, InfoAndOptionsInTheCallAreAnswered) {
  Play script = play();
  script.transferee.acts = {{When::established, 200ms, What::info},
                            {When::established, 250ms, What::options}};
  script.transferor.acts.push_back({When::established, 300ms, What::options});
  Cast(script).expect_transferred();
}

TEST_P(Tried, EveryPairOfLawCodecs) {
  const std::vector<std::vector<sdp::Codec>> sets = {
      {sdp::Codec::pcmu}, {sdp::Codec::pcma}, {sdp::Codec::pcma, sdp::Codec::pcmu}};
  for (const auto& transferee : sets) {
    for (const auto& target : sets) {
      Play script = play();
      script.transferee.codecs = transferee;
      script.target.codecs = target;
      Cast(script).expect_transferred();
    }
  }
}

TEST_P(Tried, TargetChallengesTheInvite) {
  for (const int status : {401, 407}) {
    Play script = play();
    script.target.challenge = status;
    script.target.password = "gate secret";
    script.options.configure = [](trunk::Model& model) {
      model.carriers[1].gateways[0].auth_username = "baton";
      model.carriers[1].gateways[0].auth_password = "gate secret";
    };
    Cast(script).expect_transferred();
  }
}

TEST_P(Tried, TargetChallengesAndWeHaveNoCredentials) {
  Play script = play();
  script.target.challenge = 407;
  script.target.password = "gate secret";
  Cast cast(script);
  EXPECT_TRUE(cast.run_until_final_notify());
  EXPECT_GE(cast.transferor->seen.notifies.back(), 400);
  cast.world().run_for(2s);
  EXPECT_TRUE(cast.world().oracles().talk(*cast.transferee, *cast.transferor));
  cast.hang_up(*cast.transferee);
  cast.expect_rest();
}

TEST_P(Tried, NumberOfOursIsDeliveredToItsOwnTrunk) {
  Play script = play();
  script.transferor.acts = {Stage::refer(number::own_second)};
  Script other;
  other.role = "colleague";
  Cast cast(script);
  cast.stage.second_endpoint.expect(number::own_second, other);
  EXPECT_TRUE(cast.run_until_final_notify());
  cast.world().run_for(3s);
  EXPECT_EQ(cast.transferor->seen.notifies.back(), 200);
  EXPECT_EQ(cast.world().oracles().hears(*cast.transferee), "colleague");
  EXPECT_TRUE(cast.stage.east.parties().empty() && cast.stage.first_gate.parties().empty());
  cast.hang_up(*cast.transferee);
  cast.expect_rest();
  EXPECT_EQ(cast.world().cdrs().back().to_number, number::own_second);
}

// ---- What the target sees ----

TEST(Target, SeesTheCallerOfAnInboundCall) {
  Cast cast(usual_play(true));
  cast.world().run_until([&] { return cast.target() != nullptr; });
  EXPECT_EQ(cast.target()->invite->from().uri.user, number::caller);
  cast.expect_transferred();
  EXPECT_EQ(cast.world().transfers().front().caller_id, number::caller);
}

TEST(Target, SeesTheAccountsNumberOfAnOutboundCall) {
  Cast cast(usual_play(false));
  cast.world().run_until([&] { return cast.target() != nullptr; });
  EXPECT_EQ(cast.target()->invite->from().uri.user, number::own);
  cast.expect_transferred();
}

TEST(Target, AnonymousCallerStaysAnonymous) {
  Play play = usual_play(true);
  play.transferee.invite_headers = {{"Privacy", "id"}};
  Cast cast(play);
  cast.world().run_until([&] { return cast.target() != nullptr; });
  const sip::Message& invite = *cast.target()->invite;
  EXPECT_EQ(invite.from().uri.to_string(), "sip:anonymous@anonymous.invalid");
  EXPECT_TRUE(invite.header(sip::HeaderId::p_asserted_identity).empty() ||
              !invite.header(sip::HeaderId::privacy).empty());
  cast.expect_transferred();
}

TEST_P(Tried, HeadersForTheTargetAreCopiedOthersAreNot) {
  Play script = play();
  script.transferor.acts[0].text = "<sip:" + std::string(number::target) + "@" + inbound_domain +
                                   "?User-to-User=00AB%3Bencoding%3Dhex&X-Ticket=42&Subject=secret>";
  script.transferor.acts[0].headers = {
      {"Referred-By", "<sip:agent@example.com>"}, {"X-Reason", "sales"}, {"Priority", "urgent"}};
  Cast cast(script);
  ASSERT_TRUE(cast.world().run_until([&] { return cast.target() != nullptr; }));
  const sip::Message& invite = *cast.target()->invite;
  EXPECT_EQ(invite.header("User-to-User"), "00AB;encoding=hex");
  EXPECT_EQ(invite.header("X-Ticket"), "42");
  EXPECT_EQ(invite.header("X-Reason"), "sales");
  EXPECT_TRUE(invite.header("Subject").empty());
  EXPECT_TRUE(invite.header("Priority").empty());
  EXPECT_NE(invite.header(sip::HeaderId::referred_by).find("sip:agent@example.com"), std::string::npos);
  EXPECT_LT(invite.max_forwards().value_or(255), 70);
  EXPECT_EQ(invite.request_uri().find('?'), std::string::npos);
  cast.expect_transferred();
  EXPECT_NE(cast.world().transfers().front().referred_by.find("agent@example.com"), std::string::npos);
}

// ---- Connections ----

TEST_P(Tried, OverTcpOnAllSides) {
  Play script = play();
  script.options.endpoint_transport = Transport::tcp;
  script.options.target_transport = Transport::tcp;
  Cast(script).expect_transferred();
}

TEST_P(Tried, TransferorsConnectionDiesBetweenReferAnd200) {
  Play script = play();
  script.options.endpoint_transport = Transport::tcp;
  script.target.final_after = 5s;
  script.transferor.acts.push_back({When::ringing_notified, 1s, What::lose_connection});
  Cast cast(script);
  ASSERT_TRUE(cast.world().run_until([&] { return cast.transferor->seen.over; }));
  cast.world().run_for(3s);
  ASSERT_NE(cast.target(), nullptr);
  EXPECT_TRUE(cast.world().oracles().talk(*cast.transferee, *cast.target()));
  EXPECT_EQ(cast.transferor->seen.notifies.back(), 200) << "the listening address still takes a connection";
  cast.hang_up(*cast.transferee);
  cast.expect_rest();
}

TEST_P(Tried, TargetsConnectionDiesWhileItRings) {
  Play script = play();
  script.options.target_transport = Transport::tcp;
  script.target.final_after = 5s;
  script.target.acts = {{When::ringing, 1s, What::lose_connection}};
  Cast cast(script);
  EXPECT_TRUE(cast.run_until_final_notify());
  cast.world().run_for(3s);
  cast.world().wind_down();
  EXPECT_TRUE(cast.world().violations().empty()) << cast.world().report();
}

TEST_P(Tried, TransferorVanishes) {
  Play script = play();
  script.transferor.acts.push_back({When::ringing_notified, 500ms, What::vanish});
  Cast cast(script);
  ASSERT_TRUE(cast.world().run_until([&] { return cast.target() != nullptr && cast.target()->up(); }));
  cast.world().run_for(60s);
  EXPECT_TRUE(cast.world().oracles().talk(*cast.transferee, *cast.target()));
  cast.hang_up(*cast.transferee);
  cast.world().run_for(40s);
  EXPECT_TRUE(cast.world().engine().census().empty());
  cast.world().wind_down();
  EXPECT_TRUE(cast.world().violations().empty()) << cast.world().report();
  EXPECT_EQ(cast.world().transfers().front().outcome, "transferred");
}

TEST_P(PlainCall, SilenceOfAPartyEndsTheCall) {
  Cast cast(plain(GetParam()));
  ASSERT_TRUE(cast.world().run_until([&] { return cast.transferor->up() && cast.transferee->up(); }));
  cast.world().run_for(3s);
  const auto endpoint = cast.world().oracles().leg_of(*cast.transferor)->endpoint;
  ASSERT_TRUE(endpoint.has_value());
  cast.world().oracles().silent(*endpoint);
  cast.world().feed(engine::MediaDone{media::Silent{*endpoint}});
  cast.expect_rest();
  EXPECT_EQ(cast.transferee->seen.over_by, "server");
  EXPECT_EQ(cast.transferor->seen.over_by, "server");
  EXPECT_EQ(only_cdr(cast).hangup_source, call::HangupSource::baton);
}

TEST_P(PlainCall, NewConfigurationLeavesCallsInProgressAlone) {
  Cast cast(plain(GetParam()));
  ASSERT_TRUE(cast.world().run_until([&] { return cast.transferor->up() && cast.transferee->up(); }));
  // Number, trunks and the carrier of this call are gone from one moment to the next.
  auto model = std::make_shared<trunk::Model>(usual_model(Transport::udp, Transport::udp));
  model->numbers.clear();
  model->trunks.clear();
  model->carriers.clear();
  cast.world().feed(engine::ModelChanged{model});
  cast.world().run_for(2s);
  EXPECT_TRUE(cast.world().oracles().talk(*cast.transferee, *cast.transferor));
  cast.hang_up(*cast.transferee);
  cast.expect_rest();
  EXPECT_EQ(cast.world().cdrs().size(), 1U);
}

TEST_P(Tried, SlowMediaPlane) {
  Play script = play();
  script.options.media_delay = 300ms;
  Cast(script).expect_transferred();
}

TEST_P(Tried, NoPortLeftForTheTarget) {
  Cast cast(play());
  ASSERT_TRUE(cast.world().run_until([&] { return cast.transferor->up() && cast.transferee->up(); }));
  cast.world().media().refuse_next(1);
  EXPECT_TRUE(cast.run_until_final_notify());
  cast.expect_as_before(cast.transferor->seen.notifies.back());
  EXPECT_EQ(cast.world().transfers().front().refused_by, "baton");
}

// ---- The simulator itself ----

std::string journal_of(std::uint64_t seed) {
  Play play = usual_play();
  play.options.seed = seed;
  play.options.link = {.loss_permille = 100, .duplicate_permille = 50, .delay = 5ms, .jitter = 60ms};
  Cast cast(play);
  cast.world().run_for(20s);
  cast.world().wind_down();
  return cast.world().journal();
}

TEST(Simulator, SameSeedSameBytes) {
  const std::string one = journal_of(7);
  EXPECT_GT(one.size(), 10'000U);
  EXPECT_TRUE(one == journal_of(7));
  EXPECT_FALSE(one == journal_of(8));
}

}  // namespace
}  // namespace baton::sim
