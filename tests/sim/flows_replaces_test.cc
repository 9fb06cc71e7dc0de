// INVITE with Replaces (RFC 3891): another phone takes the place of one that is in a call here.
#include "cast.h"

namespace baton::sim {
namespace {

std::string replaces_of(const Party& party, const std::string& more = {}) {
  return party.call_id + ";to-tag=" + party.remote_tag + ";from-tag=" + party.local_tag + more;
}

class Replacing : public BothWays {
 protected:
  // A call of the endpoint's that is up, and nothing else.
  [[nodiscard]] static Play plain_play(bool inbound) {
    Play play = usual_play(inbound);
    play.transferor.acts.clear();
    return play;
  }
  static Party& invite(Cast& cast, const std::string& replaces, const Headers& more = {},
                       const char* to = "") {
    Script script;
    script.role = "replacement";
    script.invite_headers = {{"Replaces", replaces}};
    script.invite_headers.insert(script.invite_headers.end(), more.begin(), more.end());
    const std::string uri = *to != 0 ? to : "sip:baton@" + server_address().to_string();
    return cast.stage.endpoint.call(script, number::own, uri);
  }
  static void finish(Cast& cast) {
    cast.world().wind_down();
    cast.expect_no_violation();
  }
};
INSTANTIATE_TEST_SUITE_P(Calls, Replacing, ::testing::Bool(), direction_name);

TEST_P(Replacing, NewLegTakesThePlaceOfTheOld) {
  for (const char* to : {"", "sip:x@out1.sip.baton.test"}) {
    Cast cast(plain_play(GetParam()));
    cast.world().run_for(2s);
    Party& old = *cast.transferor;
    Party& fresh = invite(cast, replaces_of(old), {{"Require", "replaces"}}, to);
    cast.world().run_for(5s);
    EXPECT_TRUE(fresh.up());
    EXPECT_TRUE(old.seen.over);
    EXPECT_EQ(old.seen.over_by, "server");
    EXPECT_TRUE(cast.world().oracles().talk(*cast.transferee, fresh));
    cast.world().oracles().check_media_agrees();
    cast.hang_up(fresh);
    cast.expect_rest();
    EXPECT_EQ(cast.transferee->seen.over_by, "server");
    ASSERT_EQ(cast.world().cdrs().size(), 2U);
    EXPECT_EQ(cast.world().cdrs().front().leg_role, "original");
    EXPECT_EQ(cast.world().cdrs().front().hangup_cause, "transferred");
    EXPECT_EQ(cast.world().cdrs().back().leg_role, "replacement");
    EXPECT_EQ(cast.world().cdrs().back().root_call_uuid, cast.world().cdrs().front().call_uuid);
  }
}

TEST_P(Replacing, RefusedWithTheStatusOfTheRfc) {
  const auto status_of = [&](const std::function<std::string(const Party&)>& replaces,
                             const std::function<void(trunk::Model&)>& configure = {}) {
    Play play = plain_play(GetParam());
    play.options.configure = configure;
    Cast cast(play);
    cast.world().run_for(2s);
    Party& fresh = invite(cast, replaces(*cast.transferor));
    cast.world().run_for(3s);
    EXPECT_TRUE(cast.world().oracles().talk(*cast.transferee, *cast.transferor));
    finish(cast);
    return fresh.seen.final_status;
  };
  EXPECT_EQ(status_of([](const Party& p) { return replaces_of(p, ";early-only"); }), 486);
  EXPECT_EQ(status_of([](const Party& p) { return p.call_id + ";to-tag=a;from-tag=b"; }), 481);
  EXPECT_EQ(status_of([](const Party& p) { return p.call_id + ";to-tag=a"; }), 400);
  EXPECT_EQ(status_of([](const Party&) { return "nobody;to-tag=a;from-tag=b"; }), 481);
  const auto disabled = [](trunk::Model& model) {
    for (trunk::Trunk& trunk : model.trunks) trunk.transfer.attended = false;
  };
  EXPECT_EQ(status_of([](const Party& p) { return replaces_of(p); }, disabled), 403);
}

TEST_P(Replacing, LegOfTheFarEndIs403) {
  Cast cast(plain_play(GetParam()));
  cast.world().run_for(2s);
  Party& fresh = invite(cast, replaces_of(*cast.transferee));
  cast.world().run_for(3s);
  EXPECT_EQ(fresh.seen.final_status, 403);
  finish(cast);
}

TEST_P(Replacing, StrangerLearnsNothing) {
  Cast cast(plain_play(GetParam()));
  cast.world().run_for(2s);
  Script script;
  script.role = "stranger";
  script.invite_headers = {{"Replaces", replaces_of(*cast.transferor)}};
  Party& stranger = cast.stage.east.call(script, number::target, "sip:baton@" + server_address().to_string());
  cast.world().run_for(3s);
  EXPECT_EQ(stranger.seen.final_status, 481);
  EXPECT_TRUE(cast.world().oracles().talk(*cast.transferee, *cast.transferor));
  finish(cast);
}

TEST_P(Replacing, PendingTransferOfTheReplacedLegEnds) {
  Play play = usual_play(GetParam());
  play.target.final_after = 20s;
  Cast cast(play);
  ASSERT_TRUE(cast.run_until_refer_answered());
  cast.world().run_for(2s);
  Party& fresh = invite(cast, replaces_of(*cast.transferor));
  cast.world().run_for(5s);
  EXPECT_TRUE(cast.world().oracles().talk(*cast.transferee, fresh));
  EXPECT_TRUE(cast.transferor->seen.over);
  EXPECT_EQ(cast.target()->seen.over_by, "cancel");
  finish(cast);
}

TEST(ReplacingEarly, CallThatRingsIsPickedUp) {
  for (const bool early_only : {false, true}) {
    Play play = usual_play(true);
    play.transferor.acts.clear();
    play.transferor.final_after.reset();
    Cast cast(play);
    cast.world().run_for(2s);
    Party& old = *cast.transferor;
    Script script;
    script.role = "replacement";
    script.invite_headers = {{"Replaces", replaces_of(old, early_only ? ";early-only" : "")}};
    Party& fresh = cast.stage.endpoint.call(script, number::own, "sip:baton@" + server_address().to_string());
    cast.world().run_for(5s);
    EXPECT_TRUE(fresh.up());
    EXPECT_TRUE(cast.transferee->up());
    EXPECT_EQ(old.seen.over_by, "cancel");
    EXPECT_TRUE(cast.world().oracles().talk(*cast.transferee, fresh));
    cast.hang_up(*cast.transferee);
    cast.expect_rest();
    ASSERT_EQ(cast.world().cdrs().size(), 1U);
    EXPECT_TRUE(cast.world().cdrs().front().answered_at.has_value());
  }
}

TEST(ReplacingEarly, CallThatTheReplacedPhoneIsMakingIs481) {
  Play play = usual_play(false);
  play.transferor.acts.clear();
  play.transferee.final_after.reset();
  Cast cast(play);
  cast.world().run_for(2s);
  Script script;
  script.role = "replacement";
  script.invite_headers = {{"Replaces", replaces_of(*cast.transferor)}};
  Party& fresh = cast.stage.endpoint.call(script, number::own, "sip:baton@" + server_address().to_string());
  cast.world().run_for(3s);
  EXPECT_EQ(fresh.seen.final_status, 481);
  cast.world().wind_down();
  cast.expect_no_violation();
}

}  // namespace
}  // namespace baton::sim
