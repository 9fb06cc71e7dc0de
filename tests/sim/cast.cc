#include "cast.h"

#include <cstdlib>
#include <iostream>

namespace baton::sim {

namespace {

Party& begin(Stage& stage, const Play& play) {
  stage.east.expect(play.target_number, play.target);
  if (play.inbound) return stage.inbound(play.transferee, play.transferor);
  return stage.outbound(play.transferor, play.transferee);
}

}  // namespace

void configure_also(Play& play, const std::function<void(trunk::Model&)>& more) {
  play.options.configure = [before = play.options.configure, more](trunk::Model& model) {
    if (before) before(model);
    more(model);
  };
}

Play usual_play(bool inbound) {
  Play play;
  play.inbound = inbound;
  play.transferee.role = "transferee";
  play.transferor.role = "transferor";
  play.target.role = "target";
  play.target.ring_after = 100ms;
  play.transferor.acts = {Stage::refer(number::target)};
  return play;
}

Cast::Cast(const Play& play) : stage(play.options), inbound_(play.inbound) {
  Party& first = begin(stage, play);
  Peer& other = play.inbound ? stage.endpoint : stage.west;
  world().run_until([&] { return Stage::newest(other) != nullptr || first.seen.over; });
  transferee = play.inbound ? &first : Stage::newest(other);
  transferor = play.inbound ? Stage::newest(other) : &first;
}

void Cast::refer(const std::string& refer_to, const Headers& headers) {
  transferor->peer->act(*transferor, {When::established, {}, What::refer, refer_to, headers});
}

bool Cast::run_until_refer_answered(std::size_t count) {
  return world().run_until([&] { return transferor->seen.refer_answers.size() >= count; });
}

bool Cast::run_until_final_notify() {
  return world().run_until([&] {
    const auto& states = transferor->seen.notify_states;
    return !states.empty() && states.back().starts_with("terminated");
  });
}

void Cast::expect_rest() {
  world().run_to_rest();
  expect_no_violation();
}

void Cast::expect_no_violation() {
  EXPECT_TRUE(world().violations().empty()) << world().report();
  if (::testing::Test::HasFailure() && std::getenv("SIM_JOURNAL") != nullptr) std::cout << world().journal();
}

void Cast::expect_transferred() {
  ASSERT_NE(transferor, nullptr);
  ASSERT_NE(transferee, nullptr);
  EXPECT_TRUE(world().run_until([&] { return transferor->seen.over; })) << "the transferor is not let go";
  world().run_for(3s);
  ASSERT_NE(target(), nullptr) << "the target was never called";
  Party& target_party = *target();
  EXPECT_TRUE(target_party.up());
  EXPECT_TRUE(transferee->up());
  EXPECT_TRUE(world().oracles().talk(*transferee, target_party));
  EXPECT_EQ(world().oracles().hears(*transferee), "target");
  world().oracles().check_media_agrees();
  EXPECT_EQ(transferor->seen.over_by, "server");
  ASSERT_FALSE(transferor->seen.notifies.empty());
  EXPECT_EQ(transferor->seen.notifies.front(), 100);
  EXPECT_EQ(transferor->seen.notifies.back(), 200);
  EXPECT_TRUE(transferor->seen.notify_states.front().starts_with("active;expires="));
  EXPECT_EQ(transferor->seen.notify_states.back(), "terminated;reason=noresource");

  hang_up(*transferee);
  expect_rest();
  EXPECT_EQ(target_party.seen.over_by, "server");
  ASSERT_EQ(world().cdrs().size(), 2U);
  const call::Cdr& original = world().cdrs().front();
  const call::Cdr& leg = world().cdrs().back();
  EXPECT_EQ(original.leg_role, "original");
  EXPECT_EQ(original.hangup_cause, "transferred");
  EXPECT_EQ(original.direction, inbound_ ? "inbound" : "outbound");
  EXPECT_EQ(leg.leg_role, "transfer");
  EXPECT_EQ(leg.to_number, number::target);
  EXPECT_EQ(leg.to_country, "GB");
  EXPECT_EQ(leg.root_call_uuid, original.call_uuid);
  EXPECT_TRUE(leg.answered_at.has_value());
  EXPECT_EQ(leg.hangup_source, call::HangupSource::carrier);
  ASSERT_EQ(world().transfers().size(), 1U);
  const call::TransferRecord& record = world().transfers().front();
  EXPECT_EQ(record.outcome, "transferred");
  EXPECT_EQ(record.transfer_id, leg.transfer_id);
  EXPECT_EQ(record.target_number, number::target);
  EXPECT_EQ(record.carrier_id, "east");
  EXPECT_EQ(record.final_status, 200);
  EXPECT_EQ(record.depth, 1U);
  EXPECT_TRUE(record.refused_by.empty()) << record.refused_by;
}

void Cast::expect_still_talking() {
  ASSERT_NE(transferor, nullptr);
  world().run_for(5s);
  EXPECT_TRUE(transferor->up());
  EXPECT_TRUE(transferee->up());
  EXPECT_TRUE(world().oracles().talk(*transferee, *transferor));
  world().oracles().check_media_agrees();
  hang_up(*transferor);
  expect_rest();
  EXPECT_EQ(transferee->seen.over_by, "server");
  ASSERT_EQ(world().cdrs().size(), 1U);
  EXPECT_EQ(world().cdrs().front().leg_role, "original");
  EXPECT_TRUE(world().cdrs().front().answered_at.has_value());
  EXPECT_EQ(world().cdrs().front().hangup_source, call::HangupSource::customer);
}

void Cast::expect_as_before(int notified_status) {
  ASSERT_NE(transferor, nullptr);
  EXPECT_TRUE(run_until_final_notify());
  ASSERT_FALSE(transferor->seen.notifies.empty());
  EXPECT_EQ(transferor->seen.notifies.back(), notified_status);
  EXPECT_EQ(transferor->seen.notify_states.back(), "terminated;reason=noresource");
  expect_still_talking();
  ASSERT_EQ(world().transfers().size(), 1U);
  const call::TransferRecord& record = world().transfers().front();
  EXPECT_EQ(record.outcome, "failed");
  EXPECT_EQ(record.final_status, notified_status);
  EXPECT_FALSE(record.reason.empty());
  EXPECT_FALSE(record.refused_by.empty());
}

void Cast::expect_refused(int status) {
  ASSERT_NE(transferor, nullptr);
  EXPECT_TRUE(run_until_refer_answered());
  ASSERT_FALSE(transferor->seen.refer_answers.empty());
  EXPECT_EQ(transferor->seen.refer_answers.back(), status);
  EXPECT_TRUE(transferor->seen.refer_warnings.back().starts_with("399 "))
      << transferor->seen.refer_warnings.back();
  EXPECT_TRUE(transferor->seen.notifies.empty());
  EXPECT_EQ(target(), nullptr) << "somebody was called";
  expect_still_talking();
  ASSERT_EQ(world().transfers().size(), 1U);
  const call::TransferRecord& record = world().transfers().front();
  EXPECT_EQ(record.outcome, "refused");
  EXPECT_EQ(record.refer_status, status);
  EXPECT_FALSE(record.reason.empty());
  EXPECT_EQ(record.refused_by, "baton");
}

std::string direction_name(const ::testing::TestParamInfo<bool>& info) {
  return info.param ? "inbound" : "outbound";
}

}  // namespace baton::sim
