// "NOTIFY": what the transferor is told, and what becomes of the transfer when it will not listen.
#include "cast.h"

namespace baton::sim {
namespace {

class Notifies : public BothWays {};
INSTANTIATE_TEST_SUITE_P(Calls, Notifies, ::testing::Bool(), direction_name);

class NotifyAnswered : public ::testing::TestWithParam<std::tuple<bool, int>> {};
INSTANTIATE_TEST_SUITE_P(Calls, NotifyAnswered,
                         ::testing::Combine(::testing::Bool(),
                                            ::testing::Values(481, 405, 489, 408, 500, 0)));

TEST_P(NotifyAnswered, EndsTheSubscriptionNeverTheTransfer) {
  const auto [inbound, status] = GetParam();
  Play play = usual_play(inbound);
  play.transferor.notify_answers = {status};
  play.target.final_after = 40s;
  Cast cast(play);
  ASSERT_TRUE(cast.world().run_until([&] { return cast.transferor->seen.over; }));
  cast.world().run_for(3s);
  EXPECT_EQ(cast.transferor->seen.over_by, "server");
  EXPECT_EQ(cast.transferor->seen.notifies.size(), 1U) << "NOTIFY into a subscription that is over";
  ASSERT_NE(cast.target(), nullptr);
  EXPECT_TRUE(cast.world().oracles().talk(*cast.transferee, *cast.target()));
  cast.hang_up(*cast.transferee);
  cast.expect_rest();
  ASSERT_EQ(cast.world().transfers().size(), 1U);
  EXPECT_EQ(cast.world().transfers().front().outcome, "transferred");
  EXPECT_EQ(cast.world().cdrs().size(), 2U);
}

TEST_P(NotifyAnswered, OnTheFinalOneStillLetsTheTransferorGo) {
  const auto [inbound, status] = GetParam();
  Play play = usual_play(inbound);
  play.transferor.notify_answers = {200, 200, status};
  Cast cast(play);
  ASSERT_TRUE(cast.run_until_final_notify());
  const Time told = cast.world().now();
  ASSERT_TRUE(cast.world().run_until([&] { return cast.transferor->seen.over; }));
  EXPECT_LE(cast.world().now() - told, 2500ms);
  cast.expect_transferred();
}

TEST_P(NotifyAnswered, OnAFailedTransferLeavesTheCallAsBefore) {
  const auto [inbound, status] = GetParam();
  Play play = usual_play(inbound);
  play.transferor.notify_answers = {status};
  play.target.final_status = 486;
  Cast cast(play);
  ASSERT_TRUE(cast.world().run_until([&] { return cast.target() != nullptr && cast.target()->seen.over; }));
  cast.world().run_for(40s);
  EXPECT_TRUE(cast.transferor->up());
  EXPECT_TRUE(cast.world().oracles().talk(*cast.transferee, *cast.transferor));
  cast.hang_up(*cast.transferor);
  cast.expect_rest();
  EXPECT_EQ(cast.transferee->seen.over_by, "server");
  EXPECT_EQ(cast.world().transfers().front().outcome, "failed");
}

TEST_P(Notifies, ReferSubFalseMeansNone) {
  Play script = play();
  script.transferor.acts[0].headers = {{"Refer-Sub", "false"}, {"Supported", "norefersub"}};
  Cast cast(script);
  ASSERT_TRUE(cast.world().run_until([&] { return cast.transferor->seen.over; }));
  EXPECT_TRUE(cast.transferor->seen.notifies.empty());
  EXPECT_EQ(cast.transferor->seen.over_by, "server");
  EXPECT_NE(cast.world().journal().find("Refer-Sub: false", cast.world().journal().find("202 Accepted")),
            std::string::npos);
  cast.hang_up(*cast.transferee);
  cast.expect_rest();
  EXPECT_EQ(cast.world().transfers().front().outcome, "transferred");
}

TEST_P(Notifies, RequireNosubMeansNone) {
  Play script = play();
  script.transferor.acts[0].headers = {{"Require", "nosub"}};
  Cast cast(script);
  ASSERT_TRUE(cast.world().run_until([&] { return cast.transferor->seen.over; }));
  EXPECT_EQ(cast.transferor->seen.refer_answers.size(), 1U);
  EXPECT_TRUE(cast.transferor->seen.notifies.empty());
  cast.hang_up(*cast.transferee);
  cast.expect_rest();
  EXPECT_EQ(cast.world().transfers().front().outcome, "transferred");
}

TEST_P(Notifies, FirstReferNeedsNoIdLaterOnesHaveTheirCSeq) {
  Play script = play();
  script.target.final_status = 486;
  script.transferor.acts.push_back(Stage::refer(number::target, 10s));
  Cast cast(script);
  ASSERT_TRUE(cast.run_until_refer_answered(2));
  const std::uint32_t second = cast.transferor->refer_cseq;
  cast.world().run_for(10s);
  EXPECT_EQ(cast.transferor->seen.notify_events.front(), "refer");
  EXPECT_EQ(cast.transferor->seen.notify_events.back(), "refer;id=" + std::to_string(second));
  cast.hang_up(*cast.transferor);
  cast.expect_rest();
}

TEST_P(Notifies, UnsubscribingIsNotCancelling) {
  Play script = play();
  script.target.final_after = 10s;
  script.transferor.acts.push_back({When::ringing_notified, 1s, What::unsubscribe});
  Cast cast(script);
  ASSERT_TRUE(cast.world().run_until([&] { return cast.transferor->seen.over; }));
  cast.world().run_for(3s);
  EXPECT_EQ(cast.transferor->seen.over_by, "server");
  ASSERT_NE(cast.target(), nullptr);
  EXPECT_TRUE(cast.world().oracles().talk(*cast.transferee, *cast.target()));
  cast.hang_up(*cast.transferee);
  cast.expect_rest();
  EXPECT_EQ(cast.world().transfers().front().outcome, "transferred");
}

TEST_P(Notifies, GoOnTheTransferorsConnection) {
  Play script = play();
  script.options.endpoint_transport = Transport::tcp;
  Cast cast(script);
  ASSERT_TRUE(cast.world().run_until([&] { return cast.transferor->seen.over; }));
  ASSERT_EQ(cast.transferor->seen.notify_flows.size(), 3U);
  for (const FlowId flow : cast.transferor->seen.notify_flows) EXPECT_EQ(flow, cast.transferor->flow);
  cast.hang_up(*cast.transferee);
  cast.expect_rest();
}

}  // namespace
}  // namespace baton::sim
