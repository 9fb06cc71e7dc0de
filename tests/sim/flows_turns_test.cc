// Calls beyond an account's calls per second wait for their turn.
#include <algorithm>

#include "cast.h"

namespace baton::sim {
namespace {

class Turns : public ::testing::Test {
 protected:
  Turns() : stage(options()) {
    Script callee;
    callee.role = "callee";
    callee.final_after = 50ms;
    callee.ring_after.reset();
    stage.west.expect("", callee);
  }
  static StageOptions options() {
    StageOptions options;
    options.configure = [](trunk::Model& model) {
      model.accounts.front().cps_max = 1;
      model.accounts.front().cps_wait = 3s;
    };
    return options;
  }
  Party& call(Script script = {}) {
    script.role = "caller";
    return stage.endpoint.call(std::move(script), number::own,
                               "sip:" + std::string(number::callee) + "@" + outbound_domain);
  }
  // All that are up hang up, and nothing is left.
  void rest() {
    for (Party& party : stage.endpoint.parties()) {
      if (party.up()) stage.endpoint.act(party, {.what = What::bye});
    }
    stage.world.run_to_rest();
    EXPECT_TRUE(stage.world.violations().empty()) << stage.world.report();
  }
  Stage stage;
};

TEST_F(Turns, CallsStartOneASecondAndTheOneTooManyIsRefusedAtOnce) {
  const Time began = stage.world.now();
  std::vector<Party*> parties;
  for (int i = 0; i < 5; ++i) parties.push_back(&call());
  std::vector<Time> up(5);
  stage.world.run_until([&] {
    for (std::size_t i = 0; i < 4; ++i) {
      if (up[i] == Time{} && parties[i]->up()) up[i] = stage.world.now();
    }
    return up[3] != Time{};
  });
  for (int i = 0; i < 4; ++i) {
    EXPECT_GE(up[static_cast<std::size_t>(i)] - began, i * 1s) << i;
    EXPECT_LT(up[static_cast<std::size_t>(i)] - began, i * 1s + 500ms) << i;
  }
  EXPECT_EQ(parties[4]->seen.final_status, 503);
  EXPECT_EQ(parties[4]->seen.hangup_code, "5180");
  EXPECT_EQ(stage.world.engine().counters().calls_queued, 3U);
  rest();
  EXPECT_EQ(stage.world.cdrs().size(), 5U);
}

TEST_F(Turns, WhoGivesUpWhileWaitingIsLetGoAndNobodyIsCalled) {
  call();
  Script impatient;
  impatient.acts = {{When::started, 500ms, What::cancel}};
  Party& second = call(impatient);
  stage.world.run_until([&] { return second.seen.over; });
  stage.world.run_for(5s);
  EXPECT_EQ(stage.west.parties().size(), 1U);
  rest();
  ASSERT_EQ(stage.world.cdrs().size(), 2U);
  EXPECT_EQ(std::count_if(stage.world.cdrs().begin(), stage.world.cdrs().end(),
                          [](const call::Cdr& cdr) { return cdr.hangup_cause == "user_cancelled"; }),
            1);
}

TEST_F(Turns, StoppingTheServerLetsTheWaitingGo) {
  call();
  Party& second = call();
  stage.world.run_for(300ms);
  stage.world.oracles().excuse_byes();
  stage.world.feed(engine::HangUpAll{});
  stage.world.run_until([&] { return second.seen.over; });
  EXPECT_EQ(second.seen.final_status, 503);
  rest();
}

}  // namespace
}  // namespace baton::sim
