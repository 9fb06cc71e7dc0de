// Session timers, UPDATE, reliable provisionals, forks and credentials, in the manner of RFC 3665: plain
// calls whose two legs are asked for more than INVITE, ACK and BYE.
#include "cast.h"

namespace baton::sim {
namespace {

class Dialogs : public BothWays {
 protected:
  // A call without a transfer. The caller is the transferee of an inbound call, the transferor of an outbound
  // one.
  [[nodiscard]] static Play plain() {
    Play play = usual_play(GetParam());
    play.transferor.acts.clear();
    return play;
  }
  [[nodiscard]] static Script& caller(Play& play) { return GetParam() ? play.transferee : play.transferor; }
  [[nodiscard]] static Script& callee(Play& play) { return GetParam() ? play.transferor : play.transferee; }
  [[nodiscard]] static Party& caller(Cast& cast) { return GetParam() ? *cast.transferee : *cast.transferor; }
  [[nodiscard]] static Party& callee(Cast& cast) { return GetParam() ? *cast.transferor : *cast.transferee; }
  static bool come_up(Cast& cast) {
    return cast.world().run_until([&] { return caller(cast).up() && callee(cast).up(); });
  }
  static void expect_talking_and_end(Cast& cast) {
    EXPECT_TRUE(cast.world().oracles().talk(caller(cast), callee(cast)));
    cast.world().oracles().check_media_agrees();
    cast.hang_up(caller(cast));
    cast.expect_rest();
    EXPECT_EQ(callee(cast).seen.over_by, "server");
  }
};
INSTANTIATE_TEST_SUITE_P(Calls, Dialogs, ::testing::Bool(), direction_name);

// ---- Session timers (RFC 4028) ----

TEST_P(Dialogs, BothPartiesRefreshTheirOwnSession) {
  for (const bool by_update : {true, false}) {
    Play play = plain();
    for (Script* script : {&caller(play), &callee(play)}) {
      script->timer = true;
      script->allows_update = by_update;
    }
    caller(play).session_expires = "1800;refresher=uac";
    callee(play).answers_expires = "1800;refresher=uas";
    Cast cast(play);
    ASSERT_TRUE(come_up(cast));
    EXPECT_EQ(caller(cast).seen.session_expires, std::vector<std::string>{"1800;refresher=uac"});
    EXPECT_EQ(callee(cast).seen.session_expires, std::vector<std::string>{"1800"});
    cast.world().run_for(3h);
    EXPECT_TRUE(caller(cast).up() && callee(cast).up());
    EXPECT_GE(caller(cast).seen.refreshes_sent, 10U);
    EXPECT_GE(callee(cast).seen.refreshes_sent, 10U);
    expect_talking_and_end(cast);
  }
}

TEST_P(Dialogs, WeRefreshByUpdateWhereThatIsAllowedAndElseByTheSameOffer) {
  for (const bool by_update : {true, false}) {
    Play play = plain();
    for (Script* script : {&caller(play), &callee(play)}) {
      script->timer = true;
      script->allows_update = by_update;
    }
    callee(play).answers_expires = "600;refresher=uac";
    Cast cast(play);
    ASSERT_TRUE(come_up(cast));
    const std::uint64_t version = callee(cast).remote->origin_version;
    const std::uint64_t callers = caller(cast).remote->origin_version;
    cast.world().run_for(1h);
    Seen& seen = callee(cast).seen;
    EXPECT_GE(by_update ? seen.updates : seen.reinvites, 11U);
    EXPECT_EQ(by_update ? seen.reinvites : seen.updates, 0U);
    EXPECT_EQ(callee(cast).remote->origin_version, version);
    EXPECT_EQ(caller(cast).remote->origin_version, callers);
    EXPECT_EQ(seen.session_expires.back(), "600;refresher=uac");
    // The caller named no refresher, so it is us.
    EXPECT_GE(by_update ? caller(cast).seen.updates : caller(cast).seen.reinvites, 3U);
    EXPECT_EQ(cast.world().oracles().hears(caller(cast)), callee(cast).role());
    expect_talking_and_end(cast);
  }
}

TEST_P(Dialogs, LongerIntervalIsAskedForAfterA422) {
  Play play = plain();
  callee(play).timer = true;
  callee(play).min_se = 3600;
  callee(play).answers_expires = "3600;refresher=uac";
  Cast cast(play);
  ASSERT_TRUE(cast.world().run_until([&] { return caller(cast).up(); }));
  Party& answering = GetParam() ? *Stage::newest(cast.stage.endpoint) : *Stage::newest(cast.stage.west);
  EXPECT_EQ(answering.seen.session_expires, std::vector<std::string>{"3600"});
  cast.hang_up(caller(cast));
  cast.expect_rest();
  EXPECT_EQ(cast.world().cdrs().size(), 1U);
}

TEST_P(Dialogs, ShortIntervalIsRefusedWith422AndMakesNoCall) {
  Play play = plain();
  caller(play).timer = true;
  caller(play).session_expires = "60";
  Stage stage(play.options);
  Party& party = GetParam() ? stage.inbound(play.transferee, play.transferor)
                            : stage.outbound(play.transferor, play.transferee);
  stage.world.run_to_rest();
  EXPECT_EQ(party.seen.final_status, 422);
  EXPECT_NE(stage.world.journal().find("Min-SE: 90\r\n"), std::string::npos);
  EXPECT_TRUE(stage.world.cdrs().empty());
  EXPECT_TRUE(stage.world.violations().empty()) << stage.world.report();
}

TEST_P(Dialogs, SessionThatNobodyRefreshesIsEnded) {
  for (const bool by_caller : {true, false}) {
    Play play = plain();
    Script& idle = by_caller ? caller(play) : callee(play);
    idle.timer = true;
    idle.refreshes = false;
    idle.session_expires = "300;refresher=uac";
    idle.answers_expires = "300;refresher=uas";
    Cast cast(play);
    ASSERT_TRUE(come_up(cast));
    cast.world().oracles().excuse_byes();
    cast.world().run_for(260s);
    EXPECT_TRUE(caller(cast).up() && callee(cast).up());
    cast.world().run_for(10s);  // 300 s less 32 s
    EXPECT_EQ(caller(cast).seen.over_by, "server");
    EXPECT_EQ(callee(cast).seen.over_by, "server");
    EXPECT_NE((by_caller ? caller(cast) : callee(cast)).seen.bye_reason.find("Session timer"),
              std::string::npos);
    cast.expect_rest();
  }
}

TEST_P(Dialogs, RefusedRefreshIsTriedAgain) {
  for (const int status : {491, 500, 403, 405, 504}) {
    for (const bool by_update : {true, false}) {
      Play play = plain();
      callee(play).timer = true;
      callee(play).allows_update = by_update;
      callee(play).update_status = by_update ? status : 200;
      callee(play).reinvite_status = by_update ? 200 : status;
      callee(play).answers_expires = "200;refresher=uac";
      Cast cast(play);
      ASSERT_TRUE(come_up(cast));
      cast.world().run_for(150s);
      const Seen& seen = callee(cast).seen;
      EXPECT_GE(seen.updates + seen.reinvites, 1U);
      // Where UPDATE turns out not to be served, the same by re-INVITE, whatever its Allow goes on to say.
      const bool not_served = by_update && status != 491;
      if (not_served) {
        EXPECT_EQ(seen.reinvites, 1U);
      }
      cast.world().run_for(600s);
      if (by_update) {
        EXPECT_EQ(seen.updates == 1, not_served) << seen.updates;
      }
      EXPECT_TRUE(callee(cast).up());
      expect_talking_and_end(cast);
    }
  }
}

TEST_P(Dialogs, RefreshAnswered481EndsTheCall) {
  for (const bool by_update : {true, false}) {
    Play play = plain();
    callee(play).timer = true;
    callee(play).allows_update = by_update;
    callee(play).update_status = callee(play).reinvite_status = 481;
    callee(play).answers_expires = "200;refresher=uac";
    Cast cast(play);
    ASSERT_TRUE(come_up(cast));
    cast.world().run_for(120s);
    EXPECT_EQ(caller(cast).seen.over_by, "server");
    cast.expect_rest();
  }
}

TEST_P(Dialogs, UpdateAnswered481IsTriedAsReinviteFirst) {
  Play play = plain();
  callee(play).timer = true;
  callee(play).allows_update = true;
  callee(play).update_status = 481;
  callee(play).answers_expires = "200;refresher=uac";
  Cast cast(play);
  ASSERT_TRUE(come_up(cast));
  cast.world().run_for(400s);
  EXPECT_EQ(callee(cast).seen.updates, 1U);
  EXPECT_GE(callee(cast).seen.reinvites, 2U);
  expect_talking_and_end(cast);
}

TEST_P(Dialogs, PartyWithoutTimersHasNone) {
  Cast cast(plain());
  ASSERT_TRUE(come_up(cast));
  cast.world().run_for(2h);
  EXPECT_EQ(callee(cast).seen.reinvites + callee(cast).seen.updates, 0U);
  EXPECT_EQ(caller(cast).seen.reinvites + caller(cast).seen.updates, 0U);
  expect_talking_and_end(cast);
}

// ---- UPDATE (RFC 3311) ----

TEST_P(Dialogs, UpdateWithAndWithoutAnOfferInTheCall) {
  for (const bool by_caller : {true, false}) {
    Play play = plain();
    Script& one = by_caller ? caller(play) : callee(play);
    one.acts = {{When::established, 1s, What::update}, {When::established, 2s, What::update_offer}};
    Cast cast(play);
    ASSERT_TRUE(come_up(cast));
    cast.world().run_for(4s);
    EXPECT_EQ((by_caller ? caller(cast) : callee(cast)).seen.update_answers, (std::vector<int>{200, 200}));
    expect_talking_and_end(cast);
  }
}

TEST_P(Dialogs, UpdateBeforeTheAnswer) {
  // Without a description it changes nothing that is being negotiated; with one it crosses an offer.
  for (const bool by_caller : {true, false}) {
    Play play = plain();
    callee(play).final_after = 5s;
    Script& one = by_caller ? caller(play) : callee(play);
    one.acts = {{When::ringing, 1s, What::update}, {When::ringing, 2s, What::update_offer}};
    Cast cast(play);
    ASSERT_TRUE(come_up(cast));
    const Seen& seen = (by_caller ? caller(cast) : callee(cast)).seen;
    EXPECT_EQ(seen.update_answers, (std::vector<int>{200, by_caller ? 500 : 491}));
    EXPECT_EQ(seen.update_retry_after.back().empty(), !by_caller);
    expect_talking_and_end(cast);
  }
}

TEST_P(Dialogs, OfferByUpdateInAnEarlyDialogThatIsSettled) {
  for (const bool by_caller : {true, false}) {
    Play play = plain();
    callee(play).early_media = true;
    callee(play).final_after = 5s;
    callee(play).reliable = !by_caller;
    caller(play).supports_100rel = by_caller;
    (by_caller ? caller(play) : callee(play)).acts = {{When::ringing, 2s, What::update_offer}};
    Cast cast(play);
    ASSERT_TRUE(come_up(cast));
    EXPECT_EQ((by_caller ? caller(cast) : callee(cast)).seen.update_answers, std::vector<int>{200});
    expect_talking_and_end(cast);
  }
}

// ---- Reliable provisional responses (RFC 3262) ----

TEST_P(Dialogs, CallerThatRequiresThemGetsThem) {
  for (const bool early_media : {true, false}) {
    Play play = plain();
    caller(play).requires_100rel = true;
    callee(play).early_media = early_media;
    callee(play).rings = early_media ? 1 : 3;
    callee(play).final_after = 5s;
    Cast cast(play);
    ASSERT_TRUE(come_up(cast));
    EXPECT_GE(caller(cast).seen.reliable_received, early_media ? 1U : 3U);
    for (const int answer : caller(cast).seen.prack_answers) EXPECT_EQ(answer, 200);
    EXPECT_FALSE(caller(cast).seen.prack_answers.empty());
    expect_talking_and_end(cast);
  }
}

TEST_P(Dialogs, OnlyWhatMattersIsReliableForACallerThatMerelySupportsThem) {
  Play play = plain();
  caller(play).supports_100rel = true;
  Cast cast(play);
  ASSERT_TRUE(come_up(cast));
  EXPECT_EQ(caller(cast).seen.reliable_received, 0U);
  expect_talking_and_end(cast);
}

TEST_P(Dialogs, ReliableResponseIsRepeatedUntilTheCallIsGivenUp) {
  Play play = plain();
  caller(play).requires_100rel = true;
  caller(play).pracks = false;
  callee(play).early_media = true;
  callee(play).final_after.reset();
  Cast cast(play);
  ASSERT_TRUE(cast.world().run_until([&] { return caller(cast).seen.over; }));
  EXPECT_EQ(caller(cast).seen.final_status, 504);
  EXPECT_EQ(caller(cast).seen.reliable_received, 7U);  // 0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5 s
  cast.expect_rest();
}

// RFC 3262 3: the 2xx may not go out before the PRACK, so a caller that never sends one was never answered.
TEST_P(Dialogs, AnswerThatWaitsForAPrackIsNoneForTheRecord) {
  for (const bool callee_leaves : {true, false}) {
    Play play = plain();
    caller(play).requires_100rel = true;
    caller(play).pracks = false;
    callee(play).early_media = true;
    callee(play).final_after = 3s;
    if (callee_leaves) callee(play).acts = {{When::established, 5s, What::bye}};
    play.options.configure = [](trunk::Model& model) {
      model.accounts[0].balance_micros = 10'000'000;
      for (trunk::Carrier& carrier : model.carriers) carrier.rate_per_minute_micros = 1'000'000;
    };
    Cast cast(play);
    ASSERT_TRUE(cast.world().run_until([&] { return callee(cast).up(); }));
    cast.world().run_for(1s);
    EXPECT_TRUE(cast.world().oracles().talk(caller(cast), callee(cast)));  // early media, both ways
    cast.expect_rest();
    EXPECT_EQ(caller(cast).seen.final_status, callee_leaves ? 480 : 504);
    ASSERT_EQ(cast.world().cdrs().size(), 1U);
    EXPECT_FALSE(cast.world().cdrs().front().answered_at.has_value());
    EXPECT_EQ(cast.world().cdrs().front().sip_status, caller(cast).seen.final_status);
    EXPECT_EQ(cast.world().cdrs().front().price_micros, 0);
  }
}

// Whatever the network delays: a PRACK that an UPDATE overtakes is the only one that comes.
TEST_P(Dialogs, OvertakenPrackStillCounts) {
  for (unsigned nth = 1; nth <= 12; ++nth) {
    Play play = plain();
    caller(play).requires_100rel = true;
    caller(play).acts = {{When::ringing, 1ms, What::update}};
    callee(play).early_media = true;
    callee(play).final_after = 3s;
    play.options.faults = {{nth, Fault::Kind::after_next}};
    Cast cast(play);
    ASSERT_TRUE(come_up(cast)) << nth;
    expect_talking_and_end(cast);
  }
}

TEST_P(Dialogs, WrongRAckIs481AndChangesNothing) {
  Play play = plain();
  caller(play).requires_100rel = true;
  caller(play).bad_rack_first = true;
  Cast cast(play);
  ASSERT_TRUE(come_up(cast));
  EXPECT_EQ(caller(cast).seen.prack_answers, (std::vector<int>{481, 200}));
  expect_talking_and_end(cast);
}

TEST_P(Dialogs, OfferInThePrackIsAnsweredThere) {
  Play play = plain();
  caller(play).requires_100rel = true;
  caller(play).offers_in_prack = true;
  callee(play).early_media = true;
  callee(play).final_after = 3s;
  Cast cast(play);
  ASSERT_TRUE(come_up(cast));
  EXPECT_EQ(caller(cast).seen.prack_answers, std::vector<int>{200});
  EXPECT_EQ(caller(cast).seen.directions.size(), 2U);
  expect_talking_and_end(cast);
}

TEST_P(Dialogs, PrackAcknowledgesThoughItsOfferIsRefused) {
  Play play = plain();
  caller(play).requires_100rel = true;
  caller(play).offers_in_prack = caller(play).prack_offer_disabled = true;
  callee(play).early_media = true;
  callee(play).final_after = 3s;
  Cast cast(play);
  ASSERT_TRUE(come_up(cast));
  EXPECT_EQ(caller(cast).seen.prack_answers, std::vector<int>{488});
  EXPECT_EQ(caller(cast).seen.reliable_received, 1U);
  expect_talking_and_end(cast);
}

TEST_P(Dialogs, OfferInThePrackOfAResponseWithoutADescription) {
  Play play = plain();
  caller(play).requires_100rel = true;
  caller(play).offers_in_prack = true;
  callee(play).early_media = true;
  callee(play).final_after = 70s;  // the provisional is said again after a minute, and the description is not
  play.options.configure = [](trunk::Model& model) { model.trunks[0].answer_timeout = 300s; };
  Cast cast(play);
  ASSERT_TRUE(cast.world().run_until([&] { return caller(cast).up(); }, 300s));
  EXPECT_EQ(caller(cast).seen.prack_answers, (std::vector<int>{200, 200}));
  EXPECT_EQ(caller(cast).seen.directions.size(), 3U);
  expect_talking_and_end(cast);
}

TEST_P(Dialogs, OfferlessInviteGetsItsOfferInTheFirstReliableResponse) {
  for (const bool answers : {true, false}) {
    Play play = plain();
    caller(play).requires_100rel = true;
    caller(play).offerless = true;
    caller(play).answers_in_prack = answers;
    callee(play).final_after = 3s;
    Cast cast(play);
    if (answers) {
      ASSERT_TRUE(come_up(cast));
      expect_talking_and_end(cast);
    } else {
      cast.expect_rest();
      EXPECT_EQ(caller(cast).seen.final_status, 488);
    }
  }
}

TEST_P(Dialogs, ReliableResponsesOfTheCalleeAreAcknowledgedInOrder) {
  for (const bool early_media : {true, false}) {
    Play play = plain();
    callee(play).reliable = true;
    callee(play).early_media = early_media;
    callee(play).rings = early_media ? 1 : 3;
    callee(play).final_after = 5s;
    Cast cast(play);
    ASSERT_TRUE(come_up(cast));
    EXPECT_EQ(callee(cast).seen.pracks, early_media ? 1U : 3U);
    expect_talking_and_end(cast);
  }
}

TEST_P(Dialogs, ReliableResponsesSurviveLosses) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Play play = plain();
    play.options.seed = seed;
    play.options.link.loss_permille = 200;
    play.options.link.duplicate_permille = 100;
    caller(play).requires_100rel = true;
    callee(play).reliable = true;
    callee(play).early_media = true;
    callee(play).final_after = 3s;
    Cast cast(play);
    if (GetParam() ? cast.transferor == nullptr : cast.transferee == nullptr) continue;
    cast.world().run_until([&] { return caller(cast).up() || caller(cast).seen.over; });
    cast.world().wind_down();
    cast.expect_no_violation();
  }
}

TEST(Dialog, CallerThatCanNotDoWhatTheTrunkRequiresIsTold421) {
  Play play = usual_play(false);
  play.transferor.acts.clear();
  play.options.configure = [](trunk::Model& model) {
    model.trunks[2].sip.reliable_provisionals = trunk::ReliableProvisionals::required;
  };
  Stage stage(play.options);
  Party& party = stage.outbound(play.transferor, play.transferee);
  stage.world.run_to_rest();
  EXPECT_EQ(party.seen.final_status, 421);
  EXPECT_NE(stage.world.journal().find("Require: 100rel\r\n"), std::string::npos);
  EXPECT_TRUE(stage.world.violations().empty()) << stage.world.report();
}

// ---- An INVITE that stays unanswered for long, and one that many answer ----

TEST_P(Dialogs, RingingIsRepeatedEveryMinute) {
  Play play = plain();
  callee(play).final_after = 170s;
  play.options.configure = [](trunk::Model& model) { model.trunks[0].answer_timeout = 300s; };
  Cast cast(play);
  ASSERT_TRUE(cast.world().run_until([&] { return caller(cast).up(); }, 300s));
  const auto& provisionals = caller(cast).seen.provisionals;
  EXPECT_EQ(std::count(provisionals.begin(), provisionals.end(), 180), 3);
  expect_talking_and_end(cast);
}

TEST_P(Dialogs, OthersWhoRingAndAnswerTooLateAreLetGo) {
  for (const bool early : {true, false}) {
    Play play = plain();
    callee(play).fork_tags = {"othera", "otherb"};
    callee(play).forks_answer = true;
    callee(play).early_media = early;
    callee(play).reliable = early;
    callee(play).final_after = 2s;
    Cast cast(play);
    ASSERT_TRUE(come_up(cast));
    cast.world().run_for(3s);
    const Seen& seen = callee(cast).seen;
    EXPECT_EQ(seen.fork_byes, (std::vector<std::string>{"othera", "otherb"}));
    EXPECT_EQ(seen.fork_acks.size(), 2U);
    EXPECT_EQ(seen.fork_pracks.size(), early ? 2U : 0U);
    EXPECT_EQ(caller(cast).seen.final_status, 200);
    expect_talking_and_end(cast);
  }
}

TEST_P(Dialogs, ForksThatOnlyRing) {
  Play play = plain();
  callee(play).fork_tags = {"othera", "otherb"};
  callee(play).final_after = 2s;
  Cast cast(play);
  ASSERT_TRUE(come_up(cast));
  expect_talking_and_end(cast);
}

}  // namespace
}  // namespace baton::sim
