// REFER in a dialog of its own that names the call it is about (Target-Dialog, RFC 4538).
#include "cast.h"

namespace baton::sim {
namespace {

std::string trunk_uri() {
  return "sip:" + std::string(outbound_domain);
}

class TargetDialog : public BothWays {
 protected:
  [[nodiscard]] Play play() const {
    Play play = usual_play(GetParam());
    play.transferor.acts.clear();
    return play;
  }
  static void finish(Cast& cast) {
    cast.world().wind_down();
    cast.expect_no_violation();
  }
};
INSTANTIATE_TEST_SUITE_P(Calls, TargetDialog, ::testing::Bool(), direction_name);

TEST_P(TargetDialog, CallIsTransferredAndTheReferrerNotified) {
  Cast cast(play());
  cast.world().run_for(2s);
  Party& referrer = cast.stage.endpoint.refer_outside(
      *cast.transferor, trunk_uri(), Stage::refer_to(number::target), dialog_of(*cast.transferor));
  cast.world().run_for(10s);
  EXPECT_EQ(referrer.seen.refer_answers, std::vector<int>{202});
  EXPECT_EQ(referrer.seen.notifies, (std::vector<int>{100, 180, 200}));
  EXPECT_TRUE(cast.transferor->seen.notifies.empty());
  EXPECT_EQ(cast.transferor->seen.over_by, "server");
  EXPECT_TRUE(cast.world().oracles().talk(*cast.transferee, *cast.target()));
  finish(cast);
  ASSERT_EQ(cast.world().transfers().size(), 1U);
  EXPECT_EQ(cast.world().transfers().front().outcome, "transferred");
  EXPECT_EQ(cast.world().cdrs().size(), 2U);
}

TEST_P(TargetDialog, FailureIsNotifiedAndTheCallIsAsBefore) {
  Play script = play();
  script.target.final_status = 486;
  Cast cast(script);
  cast.world().run_for(2s);
  Party& referrer = cast.stage.endpoint.refer_outside(
      *cast.transferor, trunk_uri(), Stage::refer_to(number::target), dialog_of(*cast.transferor));
  cast.world().run_for(10s);
  EXPECT_EQ(referrer.seen.notifies.back(), 486);
  EXPECT_TRUE(cast.world().oracles().talk(*cast.transferee, *cast.transferor));
  finish(cast);
}

// Where the transfer goes on without the transferor, the referrer hears what became of it.
TEST_P(TargetDialog, ReferrerHearsTheEndOfATransferWithoutItsTransferor) {
  for (const bool answers : {true, false}) {
    Play script = play();
    if (answers) {
      script.target.final_after = 8s;
    } else {
      script.target.final_after.reset();
    }
    script.options.configure = [](trunk::Model& model) {
      for (trunk::Trunk& trunk : model.trunks) {
        trunk.transfer.early_bye_continues = true;
        trunk.transfer.ring_timeout = 15s;
      }
    };
    Cast cast(script);
    cast.world().run_for(2s);
    Party& referrer = cast.stage.endpoint.refer_outside(
        *cast.transferor, trunk_uri(), Stage::refer_to(number::target), dialog_of(*cast.transferor));
    cast.world().run_for(3s);
    cast.hang_up(*cast.transferor);
    cast.world().run_for(20s);
    EXPECT_EQ(referrer.seen.notifies.back(), answers ? 200 : 408);
    EXPECT_EQ(cast.world().transfers().front().final_status, answers ? 200 : 408);
    finish(cast);
  }
}

TEST_P(TargetDialog, TransferorThatHangsUpMeanwhileEndsIt) {
  Play script = play();
  script.target.final_after = 20s;
  Cast cast(script);
  cast.world().run_for(2s);
  Party& referrer = cast.stage.endpoint.refer_outside(
      *cast.transferor, trunk_uri(), Stage::refer_to(number::target), dialog_of(*cast.transferor));
  cast.world().run_for(3s);
  cast.hang_up(*cast.transferor);
  cast.world().run_for(5s);
  EXPECT_EQ(referrer.seen.notifies.back(), 487);
  EXPECT_TRUE(cast.transferee->seen.over);
  finish(cast);
}

TEST_P(TargetDialog, UnknownDialogIs481AndAForeignLeg403) {
  Cast cast(play());
  cast.world().run_for(2s);
  const std::string refer_to = Stage::refer_to(number::target);
  Peer& endpoint = cast.stage.endpoint;
  Party& unknown =
      endpoint.refer_outside(*cast.transferor, trunk_uri(), refer_to, "nobody;local-tag=a;remote-tag=b");
  Party& malformed =
      endpoint.refer_outside(*cast.transferor, trunk_uri(), refer_to, cast.transferor->call_id);
  Party& foreign =
      endpoint.refer_outside(*cast.transferor, trunk_uri(), refer_to, dialog_of(*cast.transferee));
  Party& stranger =
      cast.stage.east.refer_outside(*cast.transferor, trunk_uri(), refer_to, dialog_of(*cast.transferor));
  cast.world().run_for(3s);
  EXPECT_EQ(unknown.seen.refer_answers, std::vector<int>{481});
  EXPECT_EQ(malformed.seen.refer_answers, std::vector<int>{400});
  EXPECT_EQ(foreign.seen.refer_answers, std::vector<int>{403});
  EXPECT_EQ(stranger.seen.refer_answers, std::vector<int>{481});
  EXPECT_TRUE(cast.world().oracles().talk(*cast.transferee, *cast.transferor));
  finish(cast);
}

TEST_P(TargetDialog, TrunkWithCredentialsIsChallenged) {
  Play script = play();
  script.transferor.username = "agent";
  script.transferor.password = "correct horse";
  script.options.configure = [](trunk::Model& model) {
    model.trunks[2].credentials = {{"agent", "correct horse"}};
  };
  Cast cast(script);
  cast.world().run_for(2s);
  Party& referrer = cast.stage.endpoint.refer_outside(
      *cast.transferor, trunk_uri(), Stage::refer_to(number::target), dialog_of(*cast.transferor));
  cast.world().run_for(10s);
  ASSERT_FALSE(referrer.seen.refer_answers.empty());
  EXPECT_EQ(referrer.seen.refer_answers.back(), 202);
  EXPECT_EQ(referrer.seen.notifies.back(), 200);
  finish(cast);
}

}  // namespace
}  // namespace baton::sim
