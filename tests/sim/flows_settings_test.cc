// [trunk.transfer]: what a trunk may have otherwise.
#include <algorithm>

#include "cast.h"

namespace baton::sim {
namespace {

class Settings : public BothWays {
 protected:
  [[nodiscard]] Play with(const std::function<void(trunk::TransferSettings&)>& change) const {
    Play play = usual_play(GetParam());
    play.options.configure = [change](trunk::Model& model) {
      for (trunk::Trunk& trunk : model.trunks) change(trunk.transfer);
    };
    return play;
  }

  static void finish(Cast& cast) {
    cast.world().wind_down();
    cast.expect_no_violation();
  }
  static std::ptrdiff_t count_role(Cast& cast, const char* role) {
    const auto& cdrs = cast.world().cdrs();
    return std::count_if(cdrs.begin(), cdrs.end(),
                         [&](const call::Cdr& cdr) { return cdr.leg_role == role; });
  }
};
INSTANTIATE_TEST_SUITE_P(Calls, Settings, ::testing::Bool(), direction_name);

TEST_P(Settings, IdOnTheFirstNotify) {
  Cast cast(with([](auto& s) { s.notify_id_first = true; }));
  cast.expect_transferred();
  for (const std::string& event : cast.transferor->seen.notify_events) {
    EXPECT_TRUE(event.starts_with("refer;id=")) << event;
  }
}

TEST_P(Settings, NoProgress) {
  Cast cast(with([](auto& s) { s.notify_progress = false; }));
  cast.expect_transferred();
  EXPECT_EQ(cast.transferor->seen.notifies, (std::vector<int>{100, 200}));
}

TEST_P(Settings, TransferorHangsUpItself) {
  Play play = with([](auto& s) { s.last_bye = trunk::LastBye::transferor; });
  play.transferor.acts.push_back({When::final_notified, 20s, What::bye});
  Cast cast(play);
  EXPECT_TRUE(cast.world().run_until([&] { return cast.transferor->seen.over; }));
  EXPECT_EQ(cast.transferor->seen.over_by, "self");
  cast.world().run_for(1s);
  EXPECT_TRUE(cast.world().oracles().talk(*cast.transferee, *cast.target()));
  finish(cast);
  EXPECT_EQ(cast.world().cdrs().front().hangup_cause, "transferred");
}

TEST_P(Settings, TransferorThatDoesNotIsLetGo) {
  for (const auto& [who, least, most] :
       {std::tuple(trunk::LastBye::transferor, 32s, 34s), std::tuple(trunk::LastBye::either, 2s, 4s)}) {
    Cast cast(with([who = who](auto& s) { s.last_bye = who; }));
    ASSERT_TRUE(cast.run_until_final_notify());
    const Time told = cast.world().now();
    EXPECT_TRUE(cast.world().run_until([&] { return cast.transferor->seen.over; }));
    EXPECT_EQ(cast.transferor->seen.over_by, "server");
    EXPECT_GE(cast.world().now() - told, least);
    EXPECT_LE(cast.world().now() - told, most);
    cast.expect_transferred();
  }
}

TEST_P(Settings, TransferorIsLetGoWhenTheCallEndsFirst) {
  Play play = with([](auto& s) { s.last_bye = trunk::LastBye::transferor; });
  play.target.acts = {{When::established, 5s, What::bye}};
  Cast cast(play);
  EXPECT_TRUE(cast.world().run_until([&] { return cast.transferor->seen.over; }, 15s));
  EXPECT_TRUE(cast.world().run_until([&] { return cast.transferee->seen.over; }, 1s));
  finish(cast);
}

// The target, an endpoint too, has another call and refers that one's far end to this call: the two become
// one.
TEST_P(Settings, TransferorIsLetGoWhenTheCallThatItsOwnBecamePartOfEnds) {
  Play play = usual_play(GetParam());
  play.options.configure = [](trunk::Model& model) {
    for (trunk::Trunk& trunk : model.trunks) trunk.transfer.last_bye = trunk::LastBye::transferor;
    model.trunks[2].acl.push_back({IpAddress::v4(203, 0, 113, 101), 32});
  };
  play.transferor.acts = {Stage::refer(number::own_second)};
  Cast cast(play);
  auto consultation = std::make_shared<Script>();
  consultation->role = "consultation";
  consultation->acts = {Stage::refer_attended(3s)};
  Script second;
  second.role = "second transferor";
  second.consultation = consultation;
  second.acts = {Stage::consult(number::target, 1s)};
  cast.stage.second_endpoint.expect(number::own_second, second);
  EXPECT_TRUE(cast.world().run_until([&] { return cast.world().transfers().size() == 2; }));
  cast.world().run_for(5s);
  ASSERT_NE(cast.target(), nullptr);
  EXPECT_TRUE(cast.world().oracles().talk(*cast.transferee, *cast.target()));
  EXPECT_FALSE(cast.transferor->seen.over);
  cast.hang_up(*cast.transferee);
  EXPECT_TRUE(cast.world().run_until([&] { return cast.transferor->seen.over; }, 2s));
  EXPECT_EQ(cast.transferor->seen.over_by, "server");
  finish(cast);
}

// ---- early_bye = "continue" ----

TEST_P(Settings, TransferorThatLingersIsLetGoWithAnOrphanedCall) {
  Play play = usual_play(GetParam());
  play.options.configure = [](trunk::Model& model) {
    for (trunk::Trunk& trunk : model.trunks) {
      trunk.transfer.last_bye = trunk::LastBye::transferor;
      trunk.transfer.early_bye_continues = true;
    }
  };
  play.target.final_after = 10s;
  play.target.final_status = 486;
  play.transferor.acts = {Stage::refer(number::own_second)};
  Cast cast(play);
  Script second;
  second.role = "second transferor";
  second.acts = {Stage::refer(number::target, 2s), {When::ringing_notified, 1s, What::bye}};
  cast.stage.second_endpoint.expect(number::own_second, second);
  EXPECT_TRUE(cast.world().run_until([&] { return cast.transferee->seen.over; }));
  EXPECT_EQ(cast.transferee->seen.over_by, "server");
  EXPECT_TRUE(cast.world().run_until([&] { return cast.transferor->seen.over; }, 2s));
  finish(cast);
}

TEST_P(Settings, TransferGoesOnWithoutItsTransferor) {
  Play play = with([](auto& s) { s.early_bye_continues = true; });
  play.target.final_after = 10s;
  play.transferor.acts.push_back({When::ringing_notified, 1s, What::bye});
  Cast cast(play);
  EXPECT_TRUE(cast.world().run_until([&] { return cast.transferor->seen.over; }));
  cast.world().run_for(3s);
  EXPECT_TRUE(cast.transferee->up());
  EXPECT_EQ(cast.world().oracles().hears(*cast.transferee), "ring-back GB");
  cast.world().run_for(10s);
  EXPECT_TRUE(cast.world().oracles().talk(*cast.transferee, *cast.target()));
  finish(cast);
  ASSERT_EQ(cast.world().cdrs().size(), 2U);
  EXPECT_EQ(count_role(cast, "transfer"), 1);
  EXPECT_EQ(cast.world().transfers().front().outcome, "transferred");
  EXPECT_EQ(cast.world().cdrs().front().hangup_cause, "transferred");
}

TEST_P(Settings, TransfereeIsDroppedWhenThatComesToNothing) {
  Play play = with([](auto& s) { s.early_bye_continues = true; });
  play.target.final_after = 10s;
  play.target.final_status = 486;
  play.transferor.acts.push_back({When::ringing_notified, 1s, What::bye});
  Cast cast(play);
  EXPECT_TRUE(cast.world().run_until([&] { return cast.transferee->seen.over; }));
  EXPECT_EQ(cast.transferee->seen.over_by, "server");
  EXPECT_FALSE(cast.transferee->seen.bye_reason.empty());
  finish(cast);
  ASSERT_EQ(cast.world().cdrs().size(), 1U);
  EXPECT_EQ(cast.world().cdrs().front().hangup_source, call::HangupSource::customer);
  EXPECT_EQ(cast.world().transfers().front().outcome, "failed");
}

TEST_P(Settings, OrphanOfACarrierThatMayTransferWasLeftByTheCarrier) {
  Play play = usual_play(GetParam());
  play.options.configure = [](trunk::Model& model) {
    for (trunk::Trunk& trunk : model.trunks) trunk.transfer.early_bye_continues = true;
    model.carriers[0].trusted_to_transfer = true;
  };
  play.target.final_after = 10s;
  play.target.final_status = 486;
  play.transferor.acts.clear();
  play.transferee.acts = {Stage::refer(number::target), {When::ringing_notified, 1s, What::bye}};
  Cast cast(play);
  EXPECT_TRUE(cast.world().run_until([&] { return cast.transferor->seen.over; }));
  finish(cast);
  ASSERT_EQ(cast.world().cdrs().size(), 1U);
  EXPECT_EQ(cast.world().cdrs().front().hangup_source, call::HangupSource::carrier);
}

// ---- fallback_targets ----

TEST_P(Settings, FallbackTargetIsTriedWhenTheTargetIsBusy) {
  Play play = with([](auto& s) { s.fallback_targets = {number::barred_target, number::other_target}; });
  play.target.final_status = 486;
  Cast cast(play);
  Script other;
  other.role = "target";
  cast.stage.east.expect(number::other_target, other);
  EXPECT_TRUE(cast.run_until_final_notify());
  EXPECT_EQ(cast.transferor->seen.notifies.back(), 200);
  cast.world().run_for(3s);
  EXPECT_TRUE(cast.world().oracles().talk(*cast.transferee, *cast.target()));
  finish(cast);
  EXPECT_EQ(cast.world().transfers().front().target_number, number::other_target);
  const auto& cdrs = cast.world().cdrs();
  EXPECT_TRUE(std::any_of(cdrs.begin(), cdrs.end(),
                          [](const call::Cdr& cdr) { return cdr.to_number == number::other_target; }));
}

TEST_P(Settings, FallbackTargetIsTriedWhenTheTargetRingsOut) {
  Play play = with([](auto& s) {
    s.fallback_targets = {number::other_target};
    s.ring_timeout = 5s;
  });
  play.target.final_after.reset();
  Cast cast(play);
  Script other;
  other.role = "other target";
  other.final_status = 603;
  other.final_after = 2s;
  cast.stage.east.expect(number::other_target, other);
  EXPECT_TRUE(cast.run_until_final_notify());
  EXPECT_EQ(cast.transferor->seen.notifies.back(), 603);
  cast.world().run_for(3s);
  EXPECT_TRUE(cast.world().oracles().talk(*cast.transferee, *cast.transferor));
  EXPECT_EQ(cast.stage.east.parties().front().seen.over_by, "cancel");
  finish(cast);
  EXPECT_EQ(cast.world().transfers().front().outcome, "failed");
}

// ---- on_target_hangup = "return" ----

Play returning(Play play) {
  play.target.acts = {{When::established, 5s, What::bye}};
  return play;
}

TEST_P(Settings, EndpointIsCalledBackWhenTheTargetHangsUp) {
  Cast cast(returning(with([](auto& s) { s.return_on_target_hangup = true; })));
  Script again;
  again.role = "again";
  again.final_after = 8s;
  cast.world().run_until([&] { return cast.transferor->up(); });
  cast.stage.endpoint.expect(number::own, again);
  EXPECT_TRUE(cast.world().run_until([&] { return cast.target() != nullptr && cast.target()->seen.over; }));
  cast.world().run_for(3s);
  EXPECT_TRUE(cast.transferee->up());
  EXPECT_EQ(cast.world().oracles().hears(*cast.transferee), "ring-back US");
  cast.world().run_for(10s);
  Party& back = *Stage::newest(cast.stage.endpoint);
  EXPECT_EQ(back.role(), "again");
  EXPECT_TRUE(cast.world().oracles().talk(*cast.transferee, back));
  cast.world().oracles().check_media_agrees();
  cast.hang_up(back);
  cast.expect_rest();
  EXPECT_EQ(cast.transferee->seen.over_by, "server");
  ASSERT_EQ(cast.world().cdrs().size(), 3U);
  for (const call::Cdr& cdr : cast.world().cdrs()) {
    EXPECT_EQ(cdr.root_call_uuid, cast.world().cdrs().front().root_call_uuid);
  }
  EXPECT_EQ(count_role(cast, "return"), 1);
}

TEST_P(Settings, WhoTookACallBackAndSendsItOnAgainIsNamedOnce) {
  Play play = returning(with([](auto& s) { s.return_on_target_hangup = true; }));
  play.options.configure = [before = play.options.configure](trunk::Model& model) {
    before(model);
    for (auto& carrier : model.carriers) carrier.identity.diversion = trunk::DiversionHeader::diversion;
  };
  Cast cast(play);
  Script again, other;
  again.role = "again";
  again.acts = {Stage::refer(number::other_target)};
  other.role = "other target";
  cast.world().run_until([&] { return cast.transferor->up(); });
  cast.stage.endpoint.expect(number::own, again);
  cast.stage.east.expect(number::other_target, other);
  EXPECT_TRUE(cast.world().run_until([&] { return cast.world().transfers().size() == 2; }));
  ASSERT_EQ(cast.target()->role(), "other target");
  EXPECT_EQ(cast.target()->invite->elements(sip::HeaderId::diversion).size(), 1U);
  EXPECT_TRUE(cast.world().oracles().talk(*cast.transferee, *cast.target()));
  finish(cast);
}

TEST_P(Settings, TransfereeIsDroppedWhenNobodyTakesItBack) {
  Cast cast(returning(with([](auto& s) { s.return_on_target_hangup = true; })));
  Script again;
  again.role = "again";
  again.final_status = 486;
  cast.world().run_until([&] { return cast.transferor->up(); });
  cast.stage.endpoint.expect(number::own, again);
  EXPECT_TRUE(cast.world().run_until([&] { return cast.transferee->seen.over; }));
  EXPECT_EQ(cast.transferee->seen.over_by, "server");
  cast.expect_rest();
  EXPECT_EQ(count_role(cast, "return"), 1);
}

TEST_P(Settings, TransfereeThatHangsUpMeanwhileEndsIt) {
  Play play = returning(with([](auto& s) { s.return_on_target_hangup = true; }));
  play.transferee.acts = {{When::established, 12s, What::bye}};
  Cast cast(play);
  Script again;
  again.role = "again";
  again.final_after.reset();
  cast.world().run_until([&] { return cast.transferor->up(); });
  cast.stage.endpoint.expect(number::own, again);
  EXPECT_TRUE(cast.world().run_until([&] { return cast.transferee->seen.over; }));
  cast.world().run_for(2s);
  EXPECT_EQ(Stage::newest(cast.stage.endpoint)->seen.over_by, "cancel");
  cast.expect_rest();
}

TEST_P(Settings, ReturnThatRingsIsNobodysConsultation) {
  Cast cast(returning(with([](auto& s) { s.return_on_target_hangup = true; })));
  Script again, other, callee;
  again.role = "again";
  again.final_after = 8s;
  other.role = "other call";
  callee.role = "other callee";
  cast.world().run_until([&] { return cast.transferor->up(); });
  cast.stage.endpoint.expect(number::own, again);
  Party& another = cast.stage.outbound(other, callee);
  EXPECT_TRUE(cast.world().run_until([&] { return cast.target() != nullptr && cast.target()->seen.over; }));
  cast.world().run_for(2s);
  Party& back = *Stage::newest(cast.stage.endpoint);
  ASSERT_EQ(back.role(), "again");
  cast.stage.endpoint.act(another, Stage::refer_attended({}));
  cast.world().run_for(10s);
  EXPECT_EQ(another.seen.refer_answers, std::vector<int>{491});
  EXPECT_TRUE(cast.world().oracles().talk(*cast.transferee, back));
  finish(cast);
}

}  // namespace
}  // namespace baton::sim
