// "Outcomes", row by row.
#include "cast.h"

namespace baton::sim {
namespace {

using Heard = std::vector<std::string>;

class Outcomes : public BothWays {};
INSTANTIATE_TEST_SUITE_P(Calls, Outcomes, ::testing::Bool(), direction_name);

bool run_until_target_rings(Cast& cast) {
  return cast.world().run_until(
      [&] { return cast.target() != nullptr && cast.target()->state == Party::State::ringing; });
}

// What the transferee hears, change by change, until the test's virtual time is over.
Heard listen(Cast& cast, Duration span) {
  Heard heard;
  const Time end = cast.world().now() + span;
  while (cast.world().now() < end && cast.world().step()) {
    if (cast.transferee == nullptr || !cast.transferee->up()) continue;
    const std::string now = cast.world().oracles().hears(*cast.transferee);
    if (heard.empty() || heard.back() != now) heard.push_back(now);
  }
  return heard;
}

TEST_P(Outcomes, TargetAnswers) {
  Cast cast(play());
  EXPECT_EQ(listen(cast, 10s), (Heard{"transferor", "ring-back GB", "target"}));
  cast.expect_transferred();
  EXPECT_EQ(cast.transferor->seen.notifies, (std::vector<int>{100, 180, 200}));
  EXPECT_EQ(cast.transferor->seen.refer_answers, std::vector<int>{202});
}

TEST_P(Outcomes, TargetAnswersWithoutRinging) {
  Play script = play();
  script.target.ring_after.reset();
  script.target.final_after = 50ms;
  Cast cast(script);
  EXPECT_EQ(listen(cast, 10s), (Heard{"transferor", "target"}));
  cast.expect_transferred();
}

TEST_P(Outcomes, TargetSendsEarlyMedia) {
  Play script = play();
  script.target.early_media = true;
  script.target.final_after = 5s;
  Cast cast(script);
  ASSERT_TRUE(run_until_target_rings(cast));
  cast.world().run_for(2s);
  EXPECT_EQ(cast.world().oracles().hears(*cast.transferee), "target");
  cast.expect_transferred();
  EXPECT_EQ(cast.transferor->seen.notifies, (std::vector<int>{100, 183, 200}));
}

class TargetFails : public ::testing::TestWithParam<std::tuple<bool, int>> {};
INSTANTIATE_TEST_SUITE_P(Calls, TargetFails,
                         ::testing::Combine(::testing::Bool(), ::testing::Values(403, 404, 480, 484, 486, 488,
                                                                                 500, 503, 600, 603)));

TEST_P(TargetFails, CallIsAsBefore) {
  const auto [inbound, status] = GetParam();
  Play play = usual_play(inbound);
  play.target.final_status = status;
  Cast cast(play);
  EXPECT_EQ(listen(cast, 10s), (Heard{"transferor", "ring-back GB", "transferor"}));
  cast.expect_as_before(status);
  EXPECT_EQ(cast.world().transfers().front().refused_by == "baton", false);
}

TEST_P(Outcomes, EarlyMediaThatEndsInBusyGivesTheTransferorBack) {
  Play script = play();
  script.target.early_media = true;
  script.target.final_after = 3s;
  script.target.final_status = 486;
  Cast cast(script);
  EXPECT_EQ(listen(cast, 10s), (Heard{"transferor", "target", "transferor"}));
  cast.expect_as_before(486);
}

TEST_P(Outcomes, TargetRingsOutIs408AndCancel) {
  Play script = play();
  script.target.final_after.reset();
  Cast cast(script);
  ASSERT_TRUE(run_until_target_rings(cast));
  const Time rang = cast.world().now();
  EXPECT_TRUE(cast.run_until_final_notify());
  EXPECT_GE(cast.world().now() - rang, 58s);
  EXPECT_LE(cast.world().now() - rang, 62s);
  cast.expect_as_before(408);
  EXPECT_EQ(cast.target()->seen.over_by, "cancel");
}

TEST_P(Outcomes, RingTimeoutIsTheTrunks) {
  Play script = play();
  script.target.final_after.reset();
  script.options.configure = [](trunk::Model& model) {
    for (trunk::Trunk& trunk : model.trunks) trunk.transfer.ring_timeout = 7s;
  };
  Cast cast(script);
  ASSERT_TRUE(run_until_target_rings(cast));
  const Time rang = cast.world().now();
  EXPECT_TRUE(cast.run_until_final_notify());
  EXPECT_LE(cast.world().now() - rang, 8s);
  cast.expect_as_before(408);
}

TEST_P(Outcomes, RedirectionOfTheTargetIsNeverFollowed) {
  Play script = play();
  script.target.final_status = 302;
  script.target.redirect_to = "<sip:+442079460456@203.0.113.20:5060>";
  script.options.configure = {};
  Cast cast(script);
  EXPECT_TRUE(cast.run_until_final_notify());
  EXPECT_EQ(cast.stage.east.parties().size(), 1U) << "the redirection was followed";
  EXPECT_GE(cast.transferor->seen.notifies.back(), 400) << "a 3xx is nothing a transferor can act on";
  cast.expect_as_before(cast.transferor->seen.notifies.back());
}

TEST_P(Outcomes, NextGatewayIsTriedWhenTheFirstRefuses) {
  Play script = play();
  script.transferor.acts = {Stage::refer(number::failover_target)};
  Script busy_gate, good_gate;
  busy_gate.role = "first gate";
  busy_gate.ring_after.reset();
  busy_gate.final_after = 20ms;
  busy_gate.final_status = 503;
  good_gate.role = "target";
  Cast cast(script);
  cast.stage.first_gate.expect("", busy_gate);
  cast.stage.second_gate.expect("", good_gate);
  EXPECT_TRUE(cast.run_until_final_notify());
  cast.world().run_for(3s);
  EXPECT_EQ(cast.transferor->seen.notifies.back(), 200);
  ASSERT_NE(Stage::newest(cast.stage.second_gate), nullptr);
  EXPECT_TRUE(cast.world().oracles().talk(*cast.transferee, *Stage::newest(cast.stage.second_gate)));
  cast.hang_up(*cast.transferee);
  cast.expect_rest();
  ASSERT_EQ(cast.world().transfers().size(), 1U);
  EXPECT_EQ(cast.world().transfers().front().carrier_id, "twin");
  EXPECT_EQ(cast.world().cdrs().size(), 2U);
}

TEST_P(Outcomes, NextGatewayIsTriedWhenTheFirstIsGone) {
  Play script = play();
  script.transferor.acts = {Stage::refer(number::failover_target)};
  Script good_gate;
  good_gate.role = "target";
  Cast cast(script);
  cast.stage.first_gate.set_reachable(false);
  cast.stage.second_gate.expect("", good_gate);
  EXPECT_TRUE(cast.run_until_final_notify());
  cast.world().run_for(3s);
  EXPECT_EQ(cast.transferor->seen.notifies.back(), 200);
  cast.hang_up(*cast.transferee);
  cast.expect_rest();
}

TEST_P(Outcomes, BusyIsTheTargetsWordAndNoReasonToTryTheNextGateway) {
  Play script = play();
  script.transferor.acts = {Stage::refer(number::failover_target)};
  Script busy;
  busy.role = "target";
  busy.final_status = 486;
  Cast cast(script);
  cast.stage.first_gate.expect("", busy);
  cast.stage.second_gate.expect("", busy);
  cast.expect_as_before(486);
  EXPECT_EQ(cast.stage.first_gate.parties().size() + cast.stage.second_gate.parties().size(), 1U);
}

// ---- Somebody leaves before the answer ----

TEST_P(Outcomes, EarlyByeOfTheTransferorEndsTheCall) {
  Play script = play();
  script.target.final_after = 10s;
  script.transferor.acts.push_back({When::ringing_notified, 500ms, What::bye});
  Cast cast(script);
  ASSERT_TRUE(cast.world().run_until([&] { return cast.transferee->seen.over; }));
  EXPECT_EQ(cast.transferee->seen.over_by, "server");
  EXPECT_FALSE(cast.transferee->seen.bye_reason.empty()) << "the transferee is not told why";
  cast.expect_rest();
  EXPECT_EQ(cast.target()->seen.over_by, "cancel");
  EXPECT_FALSE(cast.target()->seen.answered);
  ASSERT_EQ(cast.world().cdrs().size(), 1U);
  EXPECT_EQ(cast.world().cdrs().front().hangup_source, call::HangupSource::customer);
  ASSERT_EQ(cast.world().transfers().size(), 1U);
  EXPECT_EQ(cast.world().transfers().front().outcome, "abandoned");
  EXPECT_EQ(cast.world().transfers().front().refused_by, "transferor");
}

TEST_P(Outcomes, EarlyByeRightAfterThe202EndsTheCall) {
  Play script = play();
  script.transferor.acts.push_back({When::refer_answered, {}, What::bye});
  Cast cast(script);
  ASSERT_TRUE(cast.world().run_until([&] { return cast.transferee->seen.over; }));
  EXPECT_EQ(cast.transferee->seen.over_by, "server");
  cast.expect_rest();
  EXPECT_TRUE(cast.target() == nullptr || !cast.target()->seen.answered);
}

TEST_P(Outcomes, TransfereeHangsUpDuringRing) {
  Play script = play();
  script.target.final_after = 30s;
  Cast cast(script);
  ASSERT_TRUE(run_until_target_rings(cast));
  cast.world().run_for(1s);
  cast.hang_up(*cast.transferee);
  cast.expect_rest();
  EXPECT_EQ(cast.transferor->seen.notifies.back(), 487);
  EXPECT_EQ(cast.transferor->seen.over_by, "server");
  EXPECT_EQ(cast.target()->seen.over_by, "cancel");
  ASSERT_EQ(cast.world().cdrs().size(), 1U);
  EXPECT_EQ(cast.world().cdrs().front().hangup_source, call::HangupSource::carrier);
  ASSERT_EQ(cast.world().transfers().size(), 1U);
  EXPECT_EQ(cast.world().transfers().front().outcome, "abandoned");
  EXPECT_EQ(cast.world().transfers().front().refused_by, "transferee");
  EXPECT_EQ(cast.world().transfers().front().final_status, 487);
}

TEST_P(Outcomes, TransfereeHangsUpBeforeTheTargetRings) {
  Play script = play();
  script.target.ring_after = 5s;
  script.target.final_after = 10s;
  script.transferee.acts = {{When::established, 2s, What::bye}};
  Cast cast(script);
  cast.expect_rest();
  EXPECT_EQ(cast.transferor->seen.notifies.back(), 487);
  EXPECT_EQ(cast.transferor->seen.over_by, "server");
}

TEST_P(Outcomes, AnswerThatCrossesTheCancelIsAcknowledgedAndEnded) {
  Play script = play();
  script.target.final_after = 30s;
  script.target.answers_though_cancelled = true;
  Cast cast(script);
  ASSERT_TRUE(run_until_target_rings(cast));
  cast.world().run_for(1s);
  cast.hang_up(*cast.transferee);
  cast.expect_rest();
  EXPECT_TRUE(cast.target()->seen.answered);
  EXPECT_EQ(cast.target()->seen.over_by, "server");
  EXPECT_EQ(cast.transferor->seen.notifies.back(), 487);
}

TEST_P(Outcomes, AnswerThatCrossesTheCancelOfARingTimeoutLeavesTheCallAsBefore) {
  Play script = play();
  script.target.final_after.reset();
  script.target.answers_though_cancelled = true;
  Cast cast(script);
  EXPECT_TRUE(cast.run_until_final_notify());
  cast.expect_as_before(408);
  EXPECT_EQ(cast.target()->seen.over_by, "server");
}

// ---- Two REFERs ----

TEST_P(Outcomes, SecondReferReplacesTheFirst) {
  Play script = play();
  script.target.final_after = 30s;
  Script other = script.target;
  other.role = "other target";
  other.final_after = 2s;
  script.transferor.acts.push_back(Stage::refer(number::other_target, 5s));
  Cast cast(script);
  cast.stage.east.expect(number::other_target, other);
  ASSERT_TRUE(cast.world().run_until([&] { return cast.transferor->seen.over; }));
  cast.world().run_for(2s);
  ASSERT_EQ(cast.stage.east.parties().size(), 2U);
  Party& first = cast.stage.east.parties()[0];
  Party& second = cast.stage.east.parties()[1];
  EXPECT_EQ(first.seen.over_by, "cancel");
  EXPECT_TRUE(second.up());
  EXPECT_TRUE(cast.world().oracles().talk(*cast.transferee, second));
  EXPECT_EQ(cast.transferor->seen.refer_answers, (std::vector<int>{202, 202}));
  const auto& notifies = cast.transferor->seen.notifies;
  EXPECT_EQ(std::count(notifies.begin(), notifies.end(), 487), 1);
  EXPECT_EQ(notifies.back(), 200);
  EXPECT_NE(cast.transferor->seen.notify_events.back().find("id="), std::string::npos);
  cast.hang_up(second);
  cast.expect_rest();
  ASSERT_EQ(cast.world().transfers().size(), 2U);
  EXPECT_EQ(cast.world().transfers()[0].outcome, "superseded");
  EXPECT_EQ(cast.world().transfers()[1].outcome, "transferred");
}

TEST_P(Outcomes, TwoRefersAtOnce) {
  Play script = play();
  script.transferor.acts.push_back(Stage::refer(number::other_target));
  Script other = script.target;
  other.role = "other target";
  Cast cast(script);
  cast.stage.east.expect(number::other_target, other);
  ASSERT_TRUE(cast.world().run_until([&] { return cast.transferor->seen.over; }));
  cast.world().run_for(2s);
  EXPECT_EQ(cast.world().oracles().hears(*cast.transferee), "other target");
  cast.hang_up(*cast.transferee);
  cast.expect_rest();
  EXPECT_EQ(cast.world().transfers().size(), 2U);
}

TEST_P(Outcomes, SecondReferAfterAFailedOneSucceeds) {
  Play script = play();
  script.target.final_status = 486;
  script.transferor.acts.push_back(Stage::refer(number::other_target, 10s));
  Script other = script.target;
  other.role = "other target";
  other.final_status = 200;
  Cast cast(script);
  cast.stage.east.expect(number::other_target, other);
  ASSERT_TRUE(cast.world().run_until([&] { return cast.transferor->seen.over; }));
  cast.world().run_for(1s);
  EXPECT_EQ(cast.transferor->seen.notifies.back(), 200);
  cast.hang_up(*cast.transferee);
  cast.expect_rest();
  ASSERT_EQ(cast.world().transfers().size(), 2U);
  EXPECT_EQ(cast.world().transfers()[0].outcome, "failed");
  EXPECT_EQ(cast.world().transfers()[1].outcome, "transferred");
}

// ---- After the bridge ----

TEST_P(Outcomes, TargetHangsUpAfterTheBridge) {
  Cast cast(play());
  ASSERT_TRUE(cast.world().run_until([&] { return cast.transferor->seen.over; }));
  cast.world().run_for(5s);
  cast.hang_up(*cast.target());
  cast.expect_rest();
  EXPECT_EQ(cast.transferee->seen.over_by, "server");
  ASSERT_EQ(cast.world().cdrs().size(), 2U);
  EXPECT_EQ(cast.world().cdrs().back().hangup_source, call::HangupSource::carrier);
}

TEST_P(Outcomes, TargetAnswersAndHangsUpAtOnce) {
  Play script = play();
  script.target.acts = {{When::established, {}, What::bye}};
  Cast cast(script);
  cast.expect_rest();
  EXPECT_EQ(cast.transferor->seen.notifies.back(), 200);
  EXPECT_EQ(cast.transferor->seen.over_by, "server");
  EXPECT_EQ(cast.transferee->seen.over_by, "server");
  EXPECT_EQ(cast.world().cdrs().size(), 2U);
}

TEST_P(Outcomes, TransferorHangsUpItselfOnceItKnows) {
  Play script = play();
  script.transferor.acts.push_back({When::final_notified, {}, What::bye});
  Cast cast(script);
  ASSERT_TRUE(cast.world().run_until([&] { return cast.transferor->seen.over; }));
  cast.world().run_for(3s);
  EXPECT_TRUE(cast.world().oracles().talk(*cast.transferee, *cast.target()));
  cast.hang_up(*cast.transferee);
  cast.expect_rest();
  EXPECT_EQ(cast.world().transfers().front().outcome, "transferred");
}

TEST(Outcome, TargetOnATrunkTransfersOn) {
  Play play = usual_play();
  play.transferor.acts = {Stage::refer(number::own_second)};
  Script middle;
  middle.role = "middle";
  middle.acts = {Stage::refer(number::target, 2s)};
  Cast cast(play);
  cast.stage.second_endpoint.expect(number::own_second, middle);
  ASSERT_TRUE(cast.world().run_until([&] {
    Party* party = Stage::newest(cast.stage.second_endpoint);
    return party != nullptr && party->seen.over;
  }));
  cast.world().run_for(2s);
  ASSERT_NE(cast.target(), nullptr);
  EXPECT_TRUE(cast.world().oracles().talk(*cast.transferee, *cast.target()));
  Party& between = *Stage::newest(cast.stage.second_endpoint);
  EXPECT_EQ(between.seen.notifies.back(), 200);
  EXPECT_EQ(between.seen.over_by, "server");
  cast.hang_up(*cast.transferee);
  cast.expect_rest();
  const auto& cdrs = cast.world().cdrs();
  ASSERT_EQ(cdrs.size(), 3U);
  for (const call::Cdr& cdr : cdrs) EXPECT_EQ(cdr.root_call_uuid, cdrs.front().call_uuid);
  EXPECT_EQ(cdrs[1].hangup_cause, "transferred");
  ASSERT_EQ(cast.world().transfers().size(), 2U);
  EXPECT_EQ(cast.world().transfers()[1].depth, 2U);
}

TEST(Outcome, ChainOfTwentyAndNotOneMore) {
  Play play = usual_play();
  play.transferor.acts = {Stage::refer(number::own_second)};
  Cast cast(play);
  // Two endpoints hand the caller to and fro.
  Script first, second;
  first.role = "first";
  first.acts = {Stage::refer(number::own_second, 500ms)};
  second.role = "second";
  second.acts = {Stage::refer(number::own, 500ms)};
  cast.stage.endpoint.expect(number::own, first);
  cast.stage.second_endpoint.expect(number::own_second, second);
  const auto refused = [&] {
    for (Peer* peer : {&cast.stage.endpoint, &cast.stage.second_endpoint}) {
      for (const Party& party : peer->parties()) {
        if (!party.seen.refer_answers.empty() && party.seen.refer_answers.back() == 403) return true;
      }
    }
    return false;
  };
  ASSERT_TRUE(cast.world().run_until(refused, 600s));
  EXPECT_EQ(cast.stage.endpoint.parties().size() + cast.stage.second_endpoint.parties().size(), 21U);
  cast.world().run_for(2s);
  EXPECT_TRUE(cast.transferee->up());
  cast.hang_up(*cast.transferee);
  cast.expect_rest();
  EXPECT_EQ(cast.world().cdrs().size(), 21U);
  EXPECT_EQ(cast.world().transfers().size(), 21U);
}

TEST(Outcome, CancelledThroughTheApi) {
  Play play = usual_play();
  play.target.final_after = 30s;
  Cast cast(play);
  ASSERT_TRUE(run_until_target_rings(cast));
  cast.world().run_for(1s);
  // The id is in the log of the transfer's start.
  std::string id;
  for (const engine::Log& log : cast.world().logs()) {
    for (const auto& [name, value] : log.fields) {
      if (name == "transfer_id" || name == "transfer") id = value;
    }
  }
  ASSERT_FALSE(id.empty());
  cast.world().feed(engine::CancelTransfer{id});
  EXPECT_TRUE(cast.run_until_final_notify());
  EXPECT_EQ(cast.transferor->seen.notifies.back(), 487);
  cast.world().run_for(2s);
  EXPECT_TRUE(cast.world().oracles().talk(*cast.transferee, *cast.transferor));
  EXPECT_EQ(cast.target()->seen.over_by, "cancel");
  cast.hang_up(*cast.transferor);
  cast.expect_rest();
  ASSERT_EQ(cast.world().transfers().size(), 1U);
  EXPECT_EQ(cast.world().transfers().front().outcome, "cancelled");
}

TEST(Outcome, HangUpAllEndsEverything) {
  Play play = usual_play();
  play.target.final_after = 30s;
  Cast cast(play);
  ASSERT_TRUE(run_until_target_rings(cast));
  cast.world().oracles().excuse_byes();
  cast.world().feed(engine::HangUpAll{});
  cast.expect_rest();
  EXPECT_EQ(cast.transferee->seen.over_by, "server");
  EXPECT_EQ(cast.transferor->seen.over_by, "server");
  EXPECT_EQ(cast.target()->seen.over_by, "cancel");
  EXPECT_EQ(cast.world().cdrs().size(), 1U);
  EXPECT_EQ(cast.world().transfers().size(), 1U);
}

TEST(Outcome, DrainRefusesNewCallsAndKeepsTheOldOnes) {
  Play play = usual_play();
  play.transferor.acts.clear();
  Cast cast(play);
  cast.world().run_until([&] { return cast.transferor->up(); });
  cast.world().feed(engine::Drain{});
  Script late;
  late.role = "late caller";
  Party& refused =
      cast.stage.west.call(late, number::caller, "sip:" + std::string(number::own) + "@198.51.100.1");
  cast.world().run_for(2s);
  EXPECT_EQ(refused.seen.final_status, 503);
  EXPECT_TRUE(cast.world().oracles().talk(*cast.transferee, *cast.transferor));
  cast.refer(Stage::refer_to(number::target));
  EXPECT_TRUE(cast.run_until_final_notify());
  cast.hang_up(*cast.transferee);
  cast.expect_rest();
}

}  // namespace
}  // namespace baton::sim
