// Attended transfer (RFC 5589 7): the transferor has the target on the line before it sends its REFER.
#include <algorithm>

#include "cast.h"

namespace baton::sim {
namespace {

using Heard = std::vector<std::string>;

// The transferor has the transferee on the line, calls the target after 500 ms, who answers a second later,
// and refers the one to the other.
class Attended {
 public:
  explicit Attended(Play play) : cast(std::move(play)), world(cast.world()) {}

  static Play play(bool inbound, Duration refer_after = 4s) {
    Play play = usual_play(inbound);
    auto consultation = std::make_shared<Script>();
    consultation->role = "consultation";
    play.transferor.consultation = consultation;
    play.transferor.acts = {Stage::consult(number::target), Stage::refer_attended(refer_after)};
    return play;
  }
  // The consultation comes up, and what is done with it is the test's affair.
  static Play only_consulting(bool inbound) {
    Play consulting = play(inbound);
    consulting.transferor.acts.pop_back();
    return consulting;
  }
  static Play no_consultation(bool inbound) {
    Play quiet = play(inbound);
    quiet.transferor.acts.clear();
    return quiet;
  }
  static Script& consultation_of(Play& play) { return const_cast<Script&>(*play.transferor.consultation); }

  Party& transferee() { return *cast.transferee; }
  Party& transferor() { return *cast.transferor; }
  Party& target() { return *cast.target(); }
  Party& consultation() { return cast.stage.endpoint.parties().back(); }

  void expect_joined() {
    EXPECT_TRUE(world.run_until([&] { return transferor().seen.over && consultation().seen.over; }))
        << "the transferor is not let go";
    world.run_for(3s);
    EXPECT_TRUE(transferee().up());
    EXPECT_TRUE(target().up());
    EXPECT_TRUE(world.oracles().talk(transferee(), target()));
    EXPECT_EQ(world.oracles().hears(transferee()), "target");
    EXPECT_EQ(world.oracles().hears(target()), "transferee");
    world.oracles().check_media_agrees();
    EXPECT_EQ(transferor().seen.notifies.back(), 200);
    EXPECT_EQ(transferor().seen.notify_states.back(), "terminated;reason=noresource");
    EXPECT_EQ(cast.stage.east.parties().size(), 1U) << "the target was called again";
    ASSERT_EQ(world.transfers().size(), 1U);
    const call::TransferRecord& record = world.transfers().front();
    EXPECT_EQ(record.outcome, "transferred");
    EXPECT_EQ(record.final_status, 200);
    EXPECT_EQ(record.target_number, number::target);
  }

  // Afterwards the transferee hangs up: three records, of two calls that became one.
  void expect_records() {
    cast.hang_up(transferee());
    cast.expect_rest();
    EXPECT_EQ(target().seen.over_by, "server");
    ASSERT_EQ(world.cdrs().size(), 3U);
    const auto of_role = [&](const char* role) {
      return std::count_if(world.cdrs().begin(), world.cdrs().end(),
                           [&](const call::Cdr& cdr) { return cdr.leg_role == role; });
    };
    EXPECT_EQ(of_role("original"), 2);
    EXPECT_EQ(of_role("transfer"), 1);
    const call::TransferRecord& record = world.transfers().front();
    for (const call::Cdr& cdr : world.cdrs()) {
      EXPECT_TRUE(cdr.answered_at.has_value());
      if (cdr.leg_role == "original") {
        EXPECT_EQ(cdr.hangup_cause, "transferred");
        continue;
      }
      EXPECT_EQ(cdr.root_call_uuid, record.root_call_uuid);
      EXPECT_EQ(cdr.transfer_id, record.transfer_id);
      EXPECT_EQ(cdr.to_number, number::target);
      EXPECT_EQ(cdr.carrier_id, "east");
      EXPECT_EQ(cdr.destination_sip_call_id, target().call_id);
      EXPECT_EQ(cdr.caller_sip_call_id, transferee().call_id);
    }
  }

  // The transfer came to nothing: both calls are as they were.
  void expect_both_calls(int notified) {
    EXPECT_TRUE(cast.run_until_final_notify());
    ASSERT_FALSE(transferor().seen.notifies.empty());
    EXPECT_EQ(transferor().seen.notifies.back(), notified);
    world.run_for(5s);
    EXPECT_TRUE(world.oracles().talk(transferee(), transferor()));
    EXPECT_TRUE(world.oracles().talk(consultation(), target()));
    ASSERT_EQ(world.transfers().size(), 1U);
    EXPECT_EQ(world.transfers().front().outcome, "failed");
    EXPECT_EQ(world.transfers().front().final_status, notified);
    EXPECT_FALSE(world.transfers().front().reason.empty());
    wind_down();
  }

  void expect_refused(int status) {
    EXPECT_TRUE(cast.run_until_refer_answered());
    ASSERT_FALSE(transferor().seen.refer_answers.empty());
    EXPECT_EQ(transferor().seen.refer_answers.back(), status);
    world.run_for(5s);
    EXPECT_TRUE(transferor().seen.notifies.empty());
    EXPECT_TRUE(world.oracles().talk(transferee(), transferor()));
    ASSERT_EQ(world.transfers().size(), 1U);
    EXPECT_EQ(world.transfers().front().outcome, "refused");
    EXPECT_EQ(world.transfers().front().refer_status, status);
    wind_down();
  }

  void wind_down() {
    world.wind_down();
    cast.expect_no_violation();
  }

  Cast cast;
  World& world;
};

// Somebody else calls the same endpoint, which knows it as one more call to its number.
Party& call_the_endpoint(Cast& cast, bool answers = true) {
  Script own;
  own.role = "consultation";
  if (!answers) own.final_after.reset();
  cast.stage.endpoint.expect(number::own, own);
  Script caller;
  caller.role = "target";
  Party& target = cast.stage.east.call(
      caller, number::target, "sip:" + std::string(number::own) + "@" + server_address().to_string());
  cast.world().run_for(3s);
  return target;
}

std::string replaces_of(const Party& party) {
  return party.call_id + ";to-tag=" + party.remote_tag + ";from-tag=" + party.local_tag;
}

class AttendedFlows : public BothWays {};
INSTANTIATE_TEST_SUITE_P(Calls, AttendedFlows, ::testing::Bool(), direction_name);

TEST_P(AttendedFlows, FarEndsAreJoinedAndNobodyIsCalled) {
  Attended run(Attended::play(GetParam()));
  run.expect_joined();
  EXPECT_EQ(run.transferor().seen.notifies, (std::vector<int>{100, 200}));
  EXPECT_EQ(run.transferor().seen.over_by, "server");
  EXPECT_EQ(run.consultation().seen.over_by, "server");
  run.expect_records();
}

TEST_P(AttendedFlows, TargetCalledTheTransferorItself) {
  Cast cast(Attended::no_consultation(GetParam()));
  cast.world().run_for(2s);
  Party& target = call_the_endpoint(cast);
  ASSERT_TRUE(target.up());
  cast.transferor->peer->act(*cast.transferor, Stage::refer_attended({}));
  EXPECT_TRUE(cast.run_until_final_notify());
  cast.world().run_for(5s);
  EXPECT_TRUE(cast.world().oracles().talk(*cast.transferee, target));
  EXPECT_TRUE(cast.transferor->seen.over);
  EXPECT_TRUE(cast.stage.endpoint.parties().back().seen.over);
  cast.hang_up(target);
  cast.expect_rest();
  EXPECT_EQ(cast.transferee->seen.over_by, "server");
  ASSERT_EQ(cast.world().cdrs().size(), 3U);
  EXPECT_EQ(cast.world().transfers().front().target_number, number::target);
}

TEST_P(AttendedFlows, ReplacesAsTheRfcWritesIt) {
  Attended run(Attended::only_consulting(GetParam()));
  run.world.run_for(4s);
  run.cast.refer("<sip:+442079460123@" + std::string(inbound_domain) +
                 "?Replaces=" + replaces_of(run.consultation()) + "&Require=replaces>");
  run.expect_joined();
  run.expect_records();
}

TEST_P(AttendedFlows, WrongTagsAre481AndBothCallsStay) {
  Attended run(Attended::only_consulting(GetParam()));
  run.world.run_for(4s);
  run.cast.refer("<sip:x@192.0.2.1?Replaces=" + run.consultation().call_id + "%3bto-tag%3da%3bfrom-tag%3db>");
  run.expect_both_calls(481);
}

TEST_P(AttendedFlows, EarlyOnlyOfAnAnsweredCallIs486) {
  Attended run(Attended::only_consulting(GetParam()));
  run.world.run_for(4s);
  run.cast.refer("<sip:x@192.0.2.1?Replaces=" + replaces_of(run.consultation()) + ";early-only>");
  run.expect_both_calls(486);
}

// Its dialog is forgotten, so it counts as somebody else's; the URI is then as any other.
TEST_P(AttendedFlows, ConsultationThatHasEndedIsAnUnknownDialog) {
  Attended run(Attended::only_consulting(GetParam()));
  run.world.run_for(4s);
  const std::string replaces = replaces_of(run.consultation());
  run.cast.hang_up(run.target());
  run.world.run_until([&] { return run.consultation().seen.over; });
  run.world.run_for(1s);
  run.cast.refer("<sip:x@192.0.2.1?Replaces=" + replaces + ">");
  run.expect_refused(400);
}

// RFC 3891 3: one that has just ended is declined.
TEST_P(AttendedFlows, ConsultationThatHasJustEndedIs603) {
  Cast cast(Attended::no_consultation(GetParam()));
  cast.world().run_for(2s);
  Party& target = call_the_endpoint(cast);
  const std::string replaces = replaces_of(cast.stage.endpoint.parties().back());
  cast.hang_up(target);
  cast.world().run_for(2s);
  cast.refer("<sip:x@192.0.2.1?Replaces=" + replaces + ">");
  EXPECT_TRUE(cast.run_until_final_notify());
  EXPECT_EQ(cast.transferor->seen.notifies, (std::vector<int>{100, 603}));
  EXPECT_TRUE(cast.world().oracles().talk(*cast.transferee, *cast.transferor));
  cast.world().wind_down();
  cast.expect_no_violation();
}

TEST_P(AttendedFlows, ItsOwnCallIs400) {
  Attended run(Attended::only_consulting(GetParam()));
  run.world.run_for(4s);
  run.cast.refer("<sip:x@192.0.2.1?Replaces=" + replaces_of(run.transferor()) + ">");
  run.expect_refused(400);
}

TEST_P(AttendedFlows, MalformedReplacesIs400) {
  Attended run(Attended::only_consulting(GetParam()));
  run.world.run_for(4s);
  run.cast.refer("<sip:x@192.0.2.1?Replaces=" + run.consultation().call_id + ">");
  run.expect_refused(400);
}

TEST_P(AttendedFlows, DisabledOnTheTrunkIs403) {
  Play play = Attended::play(GetParam());
  play.options.configure = [](trunk::Model& model) {
    for (trunk::Trunk& trunk : model.trunks) trunk.transfer.attended = false;
  };
  Attended run(play);
  run.expect_refused(403);
}

TEST_P(AttendedFlows, CallOfAnotherAccountIs403) {
  Play play = Attended::play(GetParam());
  play.transferor.acts.clear();
  play.options.configure = [](trunk::Model& model) {
    trunk::Account other = model.accounts.front();
    other.id = "other";
    model.accounts.push_back(other);
    model.trunks[1].account_id = "other";
    model.numbers[1].account_id = "other";
  };
  Attended run(play);
  run.world.run_for(2s);
  Script callee;
  callee.role = "stranger";
  run.cast.stage.second_endpoint.expect(number::own_second, callee);
  Script caller;
  caller.role = "outsider";
  run.cast.stage.east.call(caller, number::target,
                           "sip:" + std::string(number::own_second) + "@" + server_address().to_string());
  run.world.run_for(3s);
  const Party& stranger = *Stage::newest(run.cast.stage.second_endpoint);
  ASSERT_TRUE(stranger.up());
  run.cast.refer("<sip:x@192.0.2.1?Replaces=" + replaces_of(stranger) + ">");
  run.expect_refused(403);
}

TEST_P(AttendedFlows, LegOfTheFarEndIs403) {
  Attended run(Attended::only_consulting(GetParam()));
  run.world.run_for(4s);
  run.cast.refer("<sip:x@192.0.2.1?Replaces=" + replaces_of(run.target()) + ">");
  run.expect_refused(403);
}

TEST_P(AttendedFlows, DialogOfSomebodyElseGoesOutWithTheInvite) {
  Play play = usual_play(GetParam());
  play.transferor.acts[0].text = "<sip:" + std::string(number::target) + "@" + inbound_domain +
                                 "?Replaces=elsewhere%40pbx%3bto-tag%3d1%3bfrom-tag%3d2>";
  Cast cast(play);
  cast.expect_transferred();
  EXPECT_EQ(cast.target()->invite->header(sip::HeaderId::replaces), "elsewhere@pbx;to-tag=1;from-tag=2");
  EXPECT_TRUE(cast.target()->invite->lists(sip::HeaderId::require, "replaces"));
}

TEST_P(AttendedFlows, DialogOfSomebodyElseNeedsATargetThatMayBeCalled) {
  Play play = usual_play(GetParam());
  play.transferor.acts[0].text = "<sip:1001@192.168.1.7?Replaces=elsewhere%3bto-tag%3d1%3bfrom-tag%3d2>";
  Cast cast(play);
  cast.expect_refused(400);
}

TEST_P(AttendedFlows, OverTheDepthCapIs403) {
  Play play = Attended::play(GetParam());
  play.options.configure = [](trunk::Model& model) {
    for (trunk::Trunk& trunk : model.trunks) trunk.transfer.depth_max = 0;
  };
  Attended run(play);
  run.expect_refused(403);
}

// ---- Semi-attended ----

TEST_P(AttendedFlows, TargetThatRingsIsJoinedWhenItAnswers) {
  Play play = Attended::play(GetParam(), 2s);
  play.target.final_after = 8s;
  Attended run(play);
  ASSERT_TRUE(run.cast.run_until_refer_answered());
  run.world.run_for(2s);
  EXPECT_EQ(run.world.oracles().hears(run.transferee()), "ring-back GB");
  run.expect_joined();
  EXPECT_EQ(run.transferor().seen.notifies, (std::vector<int>{100, 180, 200}));
  run.expect_records();
}

TEST_P(AttendedFlows, TargetWithEarlyMediaIsHeard) {
  Play play = Attended::play(GetParam(), 2s);
  play.target.early_media = true;
  play.target.final_after = 8s;
  Attended run(play);
  ASSERT_TRUE(run.cast.run_until_refer_answered());
  run.world.run_for(2s);
  EXPECT_EQ(run.world.oracles().hears(run.transferee()), "target");
  run.expect_joined();
  run.expect_records();
}

TEST_P(AttendedFlows, TargetThatIsBusyGivesTheTransferorBack) {
  Play play = Attended::play(GetParam(), 2s);
  play.target.final_after = 6s;
  play.target.final_status = 486;
  Attended run(play);
  EXPECT_TRUE(run.cast.run_until_final_notify());
  EXPECT_EQ(run.transferor().seen.notifies.back(), 486);
  run.world.run_for(3s);
  EXPECT_TRUE(run.world.oracles().talk(run.transferee(), run.transferor()));
  EXPECT_EQ(run.consultation().seen.final_status, 486);
  run.wind_down();
  EXPECT_EQ(run.world.transfers().front().outcome, "failed");
  EXPECT_EQ(run.world.cdrs().size(), 2U);
}

TEST_P(AttendedFlows, ConsultationGivenUpIs487AndTheTransferorIsBack) {
  Play play = Attended::play(GetParam(), 2s);
  play.target.final_after.reset();
  Attended::consultation_of(play).acts = {{When::ringing, 6s, What::cancel}};
  Attended run(play);
  EXPECT_TRUE(run.cast.run_until_final_notify());
  EXPECT_EQ(run.transferor().seen.notifies.back(), 487);
  run.world.run_for(3s);
  EXPECT_EQ(run.target().seen.over_by, "cancel");
  EXPECT_TRUE(run.world.oracles().talk(run.transferee(), run.transferor()));
  run.wind_down();
}

TEST_P(AttendedFlows, TargetThatRingsTooLongStaysWithTheTransferor) {
  Play play = Attended::play(GetParam(), 2s);
  play.target.final_after = 20s;
  play.options.configure = [](trunk::Model& model) {
    for (trunk::Trunk& trunk : model.trunks) trunk.transfer.ring_timeout = 5s;
  };
  Attended run(play);
  EXPECT_TRUE(run.cast.run_until_final_notify());
  EXPECT_EQ(run.transferor().seen.notifies.back(), 408);
  run.world.run_for(20s);
  EXPECT_TRUE(run.world.oracles().talk(run.transferee(), run.transferor()));
  EXPECT_TRUE(run.world.oracles().talk(run.consultation(), run.target()));
  run.wind_down();
}

TEST_P(AttendedFlows, TransferorThatLeavesEarlyKeepsItsConsultation) {
  Play play = Attended::play(GetParam(), 2s);
  play.target.final_after = 10s;
  play.transferor.acts.push_back({When::refer_answered, 2s, What::bye});
  Attended run(play);
  run.world.run_for(20s);
  EXPECT_TRUE(run.transferee().seen.over);
  EXPECT_TRUE(run.world.oracles().talk(run.consultation(), run.target()));
  EXPECT_EQ(run.world.transfers().front().outcome, "abandoned");
  run.wind_down();
}

TEST_P(AttendedFlows, TransfereeThatLeavesDoesNotDisturbTheConsultation) {
  Play play = Attended::play(GetParam(), 2s);
  play.target.final_after = 10s;
  play.transferee.acts.push_back({When::established, 5s, What::bye});
  Attended run(play);
  run.world.run_for(20s);
  EXPECT_TRUE(run.transferor().seen.over);
  EXPECT_EQ(run.transferor().seen.notifies.back(), 487);
  EXPECT_TRUE(run.world.oracles().talk(run.consultation(), run.target()));
  run.wind_down();
}

TEST_P(AttendedFlows, CallThatRingsAtTheTransferorIsTakenByTheTransferee) {
  Cast cast(Attended::no_consultation(GetParam()));
  cast.world().run_for(2s);
  Party& target = call_the_endpoint(cast, false);
  cast.transferor->peer->act(*cast.transferor, Stage::refer_attended({}));
  EXPECT_TRUE(cast.run_until_final_notify());
  cast.world().run_for(5s);
  EXPECT_TRUE(target.up());
  EXPECT_TRUE(cast.world().oracles().talk(*cast.transferee, target));
  EXPECT_EQ(cast.stage.endpoint.parties().back().seen.over_by, "cancel");
  cast.world().wind_down();
  cast.expect_no_violation();
  EXPECT_EQ(cast.world().transfers().front().outcome, "transferred");
  EXPECT_EQ(cast.world().cdrs().size(), 3U);
}

// ---- What else is going on ----

// As phones do it: the first call is on hold during the consultation, and that too before the REFER.
TEST_P(AttendedFlows, TransferorHoldsBothCalls) {
  Play play = Attended::play(GetParam(), 6s);
  play.transferor.acts.push_back({When::established, 300ms, What::hold});
  Attended::consultation_of(play).acts = {{When::established, 2s, What::hold}};
  Attended run(play);
  run.expect_joined();
  run.expect_records();
}

// Those who hold get a full offer each, whenever they take part again.
TEST_P(AttendedFlows, BothFarEndsAreOfferedTheirWayOffHold) {
  Play play = Attended::play(GetParam(), 8s);
  play.transferee.acts = {{When::established, 2s, What::hold}, {When::established, 20s, What::resume}};
  play.target.acts = {{When::established, 2s, What::hold}, {When::established, 18s, What::resume}};
  Attended run(play);
  run.world.run_for(16s);
  EXPECT_EQ(run.transferee().seen.directions.back(), sdp::Direction::sendrecv);
  EXPECT_EQ(run.target().seen.directions.back(), sdp::Direction::sendrecv);
  run.world.run_for(8s);
  run.expect_joined();
  run.expect_records();
}

TEST_P(AttendedFlows, TransferorThatHangsUpItselfOnceItKnows) {
  Play play = Attended::play(GetParam());
  play.transferor.notify_answers = {200, 0};
  play.transferor.acts.push_back({When::final_notified, {}, What::bye});
  Attended::consultation_of(play).acts = {{When::established, 3500ms, What::bye}};
  Attended run(play);
  run.expect_joined();
  run.expect_records();
}

TEST_P(AttendedFlows, TargetThatHangsUpAtOnce) {
  Play play = Attended::play(GetParam(), 4s);
  play.target.acts = {{When::established, 2520ms, What::bye}};
  Attended run(play);
  run.world.run_for(10s);
  EXPECT_TRUE(run.transferee().seen.over);
  EXPECT_TRUE(run.transferor().seen.over);
  EXPECT_TRUE(run.consultation().seen.over);
  run.wind_down();
}

TEST_P(AttendedFlows, TransferOfTheConsultationItselfIsSuperseded) {
  Play play = Attended::play(GetParam(), 8s);
  Attended::consultation_of(play).acts = {Stage::refer(number::failover_target, 1s)};
  Attended run(play);
  Script slow;
  slow.role = "slow";
  slow.final_after = 30s;
  run.cast.stage.first_gate.expect("", slow);
  run.cast.world().run_until([&] { return !run.world.transfers().empty(); });
  EXPECT_EQ(run.world.transfers().front().outcome, "superseded");
  EXPECT_TRUE(
      run.world.run_until([&] { return run.transferor().seen.over && run.consultation().seen.over; }));
  run.world.run_for(3s);
  EXPECT_TRUE(run.world.oracles().talk(run.transferee(), run.target()));
  EXPECT_EQ(Stage::newest(run.cast.stage.first_gate)->seen.over_by, "cancel");
  run.wind_down();
}

TEST_P(AttendedFlows, ReferSubFalse) {
  Play play = Attended::play(GetParam());
  play.transferor.acts.back().headers = {{"Refer-Sub", "false"}};
  Attended run(play);
  run.world.run_for(15s);
  EXPECT_TRUE(run.transferor().seen.notifies.empty());
  EXPECT_TRUE(run.transferor().seen.over);
  EXPECT_TRUE(run.consultation().seen.over);
  EXPECT_TRUE(run.world.oracles().talk(run.transferee(), run.target()));
  run.expect_records();
}

// Its own transfer's final word goes out before the BYE, answered predecessor or not.
TEST_P(AttendedFlows, ConsultationThatWasBeingTransferredIsLetGoAtOnce) {
  Play play = Attended::play(GetParam(), 4s);
  play.transferor.acts.back().headers = {{"Refer-Sub", "false"}};
  Script& consultation = Attended::consultation_of(play);
  consultation.acts = {Stage::refer(number::failover_target, 2'400ms)};
  consultation.notify_answers = {0};
  Attended run(play);
  Script slow;
  slow.role = "slow";
  slow.final_after = 30s;
  run.cast.stage.first_gate.expect("", slow);
  EXPECT_TRUE(run.world.run_until([&] { return run.consultation().seen.over; }));
  EXPECT_EQ(run.consultation().seen.notifies, (std::vector<int>{100, 487}));
  run.world.run_for(3s);
  EXPECT_TRUE(run.world.oracles().talk(run.transferee(), run.target()));
  run.wind_down();
}

// Joined now, it would be a party that may never be answered.
TEST_P(AttendedFlows, ConsultationWhoseCallerWaitsForItsAnswerIs491) {
  Cast cast(Attended::no_consultation(GetParam()));
  cast.world().run_for(2s);
  Script own;
  own.role = "consultation";
  own.early_media = true;
  cast.stage.endpoint.expect(number::own, own);
  Script caller;
  caller.role = "target";
  caller.requires_100rel = true;
  caller.pracks = false;
  cast.stage.east.call(caller, number::target,
                       "sip:" + std::string(number::own) + "@" + server_address().to_string());
  cast.world().run_for(3s);
  ASSERT_TRUE(cast.stage.endpoint.parties().back().up());
  cast.transferor->peer->act(*cast.transferor, Stage::refer_attended({}));
  EXPECT_TRUE(cast.run_until_refer_answered());
  EXPECT_EQ(cast.transferor->seen.refer_answers, std::vector<int>{491});
  cast.world().wind_down();
  cast.expect_no_violation();
}

TEST_P(AttendedFlows, CancelledThroughTheServerWhileItRings) {
  Play play = Attended::play(GetParam(), 2s);
  play.target.final_after = 12s;
  Attended run(play);
  ASSERT_TRUE(run.cast.run_until_refer_answered());
  for (const engine::Log& log : run.world.logs()) {
    if (log.event == "transfer.started") run.world.feed(engine::CancelTransfer{log.fields.front().second});
  }
  run.world.run_for(20s);
  EXPECT_EQ(run.transferor().seen.notifies.back(), 487);
  EXPECT_TRUE(run.world.oracles().talk(run.transferee(), run.transferor()));
  EXPECT_TRUE(run.world.oracles().talk(run.consultation(), run.target()));
  run.wind_down();
}

}  // namespace
}  // namespace baton::sim
