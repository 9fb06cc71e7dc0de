// Announcements: to a transferee before the target is there, and to a caller that is not put through.
#include "cast.h"

namespace baton::sim {
namespace {

using Heard = std::vector<std::string>;

constexpr const char* moment = "moment.wav";
constexpr const char* sorry = "sorry.wav";

class Announcements : public BothWays {
 protected:
  static Play announced(Duration lasts) {
    Play play = usual_play(GetParam());
    play.options.configure = [lasts](trunk::Model& model) {
      model.announcements[moment] = lasts;
      for (trunk::Trunk& trunk : model.trunks) trunk.transfer.announcement = moment;
    };
    return play;
  }
};
INSTANTIATE_TEST_SUITE_P(Calls, Announcements, ::testing::Bool(), direction_name);

struct Change {
  std::string what;
  Time at{};
};

// What a party that is up hears, change by change.
std::vector<Change> listen(Cast& cast, const Party& party, Duration span) {
  std::vector<Change> changes;
  const Time end = cast.world().now() + span;
  while (cast.world().now() < end && cast.world().step()) {
    if (!party.up()) continue;
    const std::string what = cast.world().oracles().hears(party);
    if (changes.empty() || changes.back().what != what) changes.push_back({what, cast.world().now()});
  }
  return changes;
}

Heard names(const std::vector<Change>& changes) {
  Heard names;
  for (const Change& change : changes) names.push_back(change.what);
  return names;
}

// ---- To the transferee ----

TEST_P(Announcements, IsHeardToItsEndAndThenItRings) {
  Play play = announced(2s);
  play.target.final_after = 5s;
  Cast cast(play);
  const auto changes = listen(cast, *cast.transferee, 15s);
  ASSERT_EQ(names(changes), (Heard{"transferor", moment, "ring-back GB", "target"}));
  EXPECT_EQ(changes[2].at - changes[1].at, 2s);
  cast.expect_transferred();
  EXPECT_EQ(cast.transferor->seen.notifies, (std::vector<int>{100, 180, 200}));
}

TEST_P(Announcements, EarlyMediaWaitsForItsEnd) {
  Play play = announced(2s);
  play.target.early_media = true;
  play.target.final_after = 5s;
  Cast cast(play);
  const auto changes = listen(cast, *cast.transferee, 15s);
  ASSERT_EQ(names(changes), (Heard{"transferor", moment, "target"}));
  EXPECT_EQ(changes[2].at - changes[1].at, 2s) << "before the answer";
  cast.expect_transferred();
}

TEST_P(Announcements, ATargetThatHasNotRungYetLeavesTheTransfereeWithTheTransferor) {
  Play play = announced(2s);
  play.target.ring_after = 4s;
  play.target.final_after = 6s;
  Cast cast(play);
  EXPECT_EQ(names(listen(cast, *cast.transferee, 15s)),
            (Heard{"transferor", moment, "transferor", "ring-back GB", "target"}));
  cast.expect_transferred();
}

TEST_P(Announcements, TheAnswerCutsItShort) {
  Cast cast(announced(30s));
  EXPECT_EQ(names(listen(cast, *cast.transferee, 40s)), (Heard{"transferor", moment, "target"}));
  cast.expect_transferred();
}

TEST_P(Announcements, AFailureCutsItShort) {
  for (const int status : {404, 486, 603}) {
    Play play = announced(30s);
    play.target.final_status = status;
    Cast cast(play);
    EXPECT_EQ(names(listen(cast, *cast.transferee, 40s)), (Heard{"transferor", moment, "transferor"}));
    cast.expect_as_before(status);
  }
}

TEST_P(Announcements, ATargetThatCanNotBeCalledIsNoReasonForSilence) {
  Play play = announced(30s);
  play.transferor.acts = {Stage::refer(number::routeless_target)};
  Cast cast(play);
  const Heard heard = names(listen(cast, *cast.transferee, 10s));
  EXPECT_EQ(heard.back(), "transferor");
  EXPECT_TRUE(cast.world().oracles().talk(*cast.transferee, *cast.transferor));
  cast.hang_up(*cast.transferor);
  cast.expect_rest();
}

// A transferor that puts the transferee on hold right after its REFER, as many do, is not what is heard.
TEST_P(Announcements, AHoldMeanwhileChangesNothing) {
  for (const bool music : {false, true}) {
    Play play = announced(3s);
    play.target.final_after = 6s;
    play.transferor.acts.push_back({When::refer_answered, 200ms, What::hold});
    if (music) {
      configure_also(play, [](trunk::Model& model) {
        for (trunk::Trunk& trunk : model.trunks) trunk.hold_music = "wait.wav";
      });
    }
    Cast cast(play);
    const auto changes = listen(cast, *cast.transferee, 15s);
    ASSERT_EQ(names(changes), (Heard{"transferor", moment, "ring-back GB", "target"}));
    EXPECT_EQ(changes[2].at - changes[1].at, 3s);
    cast.expect_transferred();
  }
}

TEST_P(Announcements, ASecondReferBeginsAnew) {
  Play play = announced(3s);
  play.target.final_after = 20s;
  play.transferor.acts.push_back(Stage::refer(number::other_target, 2s));
  Script second = play.target;
  second.final_after = 6s;
  Cast cast(play);
  cast.stage.east.expect(number::other_target, second);
  const auto changes = listen(cast, *cast.transferee, 20s);
  const Heard heard = names(changes);
  ASSERT_GE(heard.size(), 4U);
  EXPECT_EQ(heard.back(), "target");
  EXPECT_EQ(heard[heard.size() - 2], "ring-back GB");
  EXPECT_EQ(heard[heard.size() - 3], moment);
  cast.hang_up(*cast.transferee);
  cast.expect_rest();
}

// Nobody is left but the transferee, and it waits on.
TEST_P(Announcements, GoesOnWithoutTheTransferor) {
  Play play = announced(5s);
  configure_also(play, [](trunk::Model& model) {
    for (trunk::Trunk& trunk : model.trunks) trunk.transfer.early_bye_continues = true;
  });
  play.target.final_after = 10s;
  play.transferor.acts.push_back({When::ringing_notified, 500ms, What::bye});
  Cast cast(play);
  const auto changes = listen(cast, *cast.transferee, 20s);
  ASSERT_EQ(names(changes), (Heard{"transferor", moment, "ring-back GB", "target"}));
  EXPECT_EQ(changes[2].at - changes[1].at, 5s);
  EXPECT_TRUE(cast.world().oracles().talk(*cast.transferee, *cast.target()));
  cast.hang_up(*cast.transferee);
  cast.expect_rest();
}

TEST_P(Announcements, WhoLeavesMeanwhileIsGone) {
  for (const bool transferee_leaves : {true, false}) {
    Play play = announced(30s);
    play.target.final_after = 20s;
    (transferee_leaves ? play.transferee : play.transferor)
        .acts.push_back({When::established, 3s, What::bye});
    Cast cast(play);
    cast.world().run_for(10s);
    EXPECT_TRUE(cast.transferee->seen.over);
    EXPECT_TRUE(cast.transferor->seen.over);
    EXPECT_EQ(cast.target()->seen.over_by, "cancel");
    cast.expect_rest();
  }
}

// One that could not be read has no length, and none is played.
TEST_P(Announcements, OneThatCanNotBePlayedIsLeftOut) {
  Cast cast(announced(Duration{}));
  EXPECT_EQ(names(listen(cast, *cast.transferee, 10s)), (Heard{"transferor", "ring-back GB", "target"}));
  cast.expect_transferred();
}

TEST_P(Announcements, OfAConsultationThatRingsStill) {
  Play play = announced(2s);
  play.transferor.acts = {Stage::consult(number::target, 500ms)};
  Script consultation;
  consultation.role = "transferor";
  consultation.acts = {};
  play.transferor.consultation = std::make_shared<const Script>(consultation);
  play.transferor.acts.push_back(Stage::refer_attended(2s));
  play.target.final_after = 6s;
  Cast cast(play);
  const Heard heard = names(listen(cast, *cast.transferee, 20s));
  EXPECT_EQ(heard, (Heard{"transferor", moment, "ring-back GB", "target"}));
  cast.hang_up(*cast.transferee);
  cast.expect_rest();
}

// ---- To a caller that is not put through ----

class Unavailable : public BothWays {
 protected:
  static Play refused(int status, Duration lasts = 3s) {
    Play play = usual_play(GetParam());
    play.transferor.acts.clear();
    play.options.configure = [lasts](trunk::Model& model) {
      model.announcements[sorry] = lasts;
      for (trunk::Trunk& trunk : model.trunks) trunk.unavailable_announcement = sorry;
    };
    callee(play).final_status = status;
    return play;
  }
  static Script& caller(Play& play) { return GetParam() ? play.transferee : play.transferor; }
  static Script& callee(Play& play) { return GetParam() ? play.transferor : play.transferee; }
  static Party& caller(Cast& cast) { return GetParam() ? *cast.transferee : *cast.transferor; }
  static Party* callee(Cast& cast) { return GetParam() ? cast.transferor : cast.transferee; }
};
INSTANTIATE_TEST_SUITE_P(Calls, Unavailable, ::testing::Bool(), direction_name);

TEST_P(Unavailable, IsHeardAsEarlyMediaAndThenComesTheRefusal) {
  for (const int status : {404, 480, 486, 603}) {
    for (const bool reliable : {false, true}) {
      SCOPED_TRACE(std::to_string(status) + std::to_string(reliable));
      Play play = refused(status);
      caller(play).supports_100rel = reliable;
      Cast cast(play);
      Party& calling = caller(cast);
      ASSERT_TRUE(cast.world().run_until([&] { return callee(cast) != nullptr && callee(cast)->seen.over; }));
      const Time refused_at = cast.world().now();
      cast.world().run_for(1s);
      EXPECT_FALSE(calling.seen.over);
      EXPECT_EQ(calling.seen.provisionals.back(), 183);
      EXPECT_EQ(cast.world().oracles().hears(calling), sorry);
      EXPECT_EQ(calling.seen.reliable_received, reliable ? 1U : 0U);
      ASSERT_TRUE(cast.world().run_until([&] { return calling.seen.over; }));
      EXPECT_EQ(calling.seen.final_status, status);
      EXPECT_FALSE(calling.seen.answered);
      EXPECT_NEAR(static_cast<double>((cast.world().now() - refused_at).count()) / 1e6, 3.2, 0.3);
      cast.expect_rest();
      ASSERT_EQ(cast.world().cdrs().size(), 1U);
      const call::Cdr& cdr = cast.world().cdrs().front();
      EXPECT_FALSE(cdr.answered_at.has_value());
      EXPECT_EQ(cdr.sip_status, status);
      EXPECT_EQ(cdr.price_micros, 0);
    }
  }
}

TEST_P(Unavailable, AfterEarlyMediaInTheSameSession) {
  Play play = refused(486);
  callee(play).early_media = true;
  Cast cast(play);
  Party& calling = caller(cast);
  ASSERT_TRUE(cast.world().run_until([&] { return callee(cast) != nullptr && callee(cast)->seen.over; }));
  cast.world().run_for(1s);
  EXPECT_EQ(cast.world().oracles().hears(calling), sorry);
  ASSERT_TRUE(cast.world().run_until([&] { return calling.seen.over; }));
  EXPECT_EQ(calling.seen.final_status, 486);
  cast.expect_rest();
}

TEST_P(Unavailable, NobodyThere) {
  Play play = refused(200);
  Cast cast(play);
  (GetParam() ? cast.stage.endpoint : cast.stage.west).set_reachable(false);
  Party& calling = caller(cast);
  ASSERT_TRUE(cast.world().run_until([&] { return calling.seen.over; }, 400s));
  EXPECT_EQ(calling.seen.provisionals.back(), 183);
  EXPECT_FALSE(calling.seen.answered);
  cast.expect_rest();
}

// Who hangs up meanwhile leaves the record of what went wrong before.
TEST_P(Unavailable, ACallerThatDoesNotListenToItsEnd) {
  Play play = refused(486, 20s);
  Cast cast(play);
  Party& calling = caller(cast);
  ASSERT_TRUE(cast.world().run_until([&] { return callee(cast) != nullptr && callee(cast)->seen.over; }));
  cast.world().run_for(2s);
  calling.peer->act(calling, {.what = What::cancel});
  ASSERT_TRUE(cast.world().run_until([&] { return calling.seen.over; }));
  EXPECT_EQ(calling.seen.final_status, 487);
  cast.expect_rest();
  ASSERT_EQ(cast.world().cdrs().size(), 1U);
  EXPECT_EQ(cast.world().cdrs().front().sip_status, 486);
  EXPECT_EQ(cast.world().cdrs().front().hangup_cause, "user_busy");
}

// Nobody talks while it is heard, so others can call.
TEST_P(Unavailable, CountsForNoLimit) {
  Play play = refused(486, 20s);
  configure_also(play, [](trunk::Model& model) { model.accounts[0].concurrent_max = 1; });
  Cast cast(play);
  Party& first = caller(cast);
  ASSERT_TRUE(cast.world().run_until([&] { return callee(cast) != nullptr && callee(cast)->seen.over; }));
  cast.world().run_for(2s);
  EXPECT_EQ(cast.world().oracles().hears(first), sorry);
  Party& second = GetParam() ? cast.stage.inbound(play.transferee, play.transferor)
                             : cast.stage.outbound(play.transferor, play.transferee);
  cast.world().run_for(3s);
  EXPECT_FALSE(second.seen.over);
  EXPECT_EQ(cast.world().oracles().hears(second), sorry);
  ASSERT_TRUE(cast.world().run_until([&] { return first.seen.over && second.seen.over; }));
  EXPECT_EQ(first.seen.final_status, 486);
  EXPECT_EQ(second.seen.final_status, 486);
  cast.expect_rest();
}

// Nothing could be heard, so nothing is waited for.
TEST_P(Unavailable, NotWithoutAnOffer) {
  Play play = refused(486, 20s);
  caller(play).offerless = true;
  Cast cast(play);
  Party& calling = caller(cast);
  ASSERT_TRUE(cast.world().run_until([&] { return callee(cast) != nullptr && callee(cast)->seen.over; }));
  cast.world().run_for(1s);
  EXPECT_TRUE(calling.seen.over);
  EXPECT_EQ(calling.seen.final_status, 486);
  cast.expect_rest();
}

// A transfer's target that fails is the transferor's business.
TEST_P(Unavailable, NotInATransfer) {
  Play play = refused(200, 20s);
  play.transferor.acts = {Stage::refer(number::target)};
  play.target.final_status = 486;
  Cast cast(play);
  cast.expect_as_before(486);
}

}  // namespace
}  // namespace baton::sim
