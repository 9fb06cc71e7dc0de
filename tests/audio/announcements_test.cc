// Announcements heard: by a transferee while the target is called, and by a caller that is not put through.
#include <array>

#include "scene.h"

namespace baton::audio {
namespace {

using sdp::Codec;

constexpr double announced_hz = 900;

class Announcement : public ::testing::TestWithParam<Codec> {};
INSTANTIATE_TEST_SUITE_P(All, Announcement, ::testing::ValuesIn(sdp::all_codecs),
                         [](const auto& tested) { return std::string(sdp::encoding_name(tested.param)); });

void expect_announced(Scene& scene, const sim::Party& party, Time from, Time to) {
  const Clip clip = scene.phone(party).clip(from, to);
  EXPECT_NEAR(clip.seconds(), static_cast<double>((to - from).count()) / 1e6, 0.03) << party.role();
  EXPECT_GT(signal_to_noise_db(clip, announced_hz), 15.0) << party.role();
}

TEST_P(Announcement, IsHeardByTheTransfereeAndThenItRings) {
  for (const bool secret : {false, true}) {
    Scene scene;
    scene.studio.record_prompt("moment", tone(announced_hz), 1.0);
    scene.play.options.configure = [](trunk::Model& model) {
      model.announcements["moment"] = 1s;
      for (trunk::Trunk& trunk : model.trunks) trunk.transfer.announcement = "moment";
      for (trunk::Carrier& carrier : model.carriers) carrier.sip.srtp = trunk::Srtp::optional;
    };
    scene.play.transferee.codecs = {GetParam()};
    if (secret) scene.play.transferee.srtp.use = sdp::SrtpUse::required;
    scene.play.target.ring_after = 200ms;
    scene.play.target.final_after = 2s;
    ASSERT_NO_FATAL_FAILURE(scene.begin());
    const sim::Party& transferee = *scene.cast->transferee;
    scene.expect_talk(transferee, *scene.cast->transferor);
    scene.cast->refer(sim::Stage::refer_to(sim::number::target));
    ASSERT_TRUE(scene.cast->run_until_refer_answered());
    const Time accepted = scene.now();
    scene.cast->world().run_for(900ms);
    expect_announced(scene, transferee, accepted + 40ms, scene.now());
    // The transferor still hears whom it has handed over, until the target is there.
    scene.expect_hears(*scene.cast->transferor, transferee);
    scene.cast->world().run_for(400ms);
    const Clip ring = scene.phone(transferee).clip(scene.now() - 200ms, scene.now());
    EXPECT_GT(share_of_tone(ring, 400) + share_of_tone(ring, 450), 0.8);
    ASSERT_TRUE(scene.cast->run_until_final_notify());
    scene.cut = scene.now();
    scene.cast->world().run_for(600ms);
    scene.expect_talk(transferee, *scene.cast->target());
    EXPECT_LE(scene.phone(transferee).longest_gap(accepted - 200ms, scene.now()), 60ms);
    scene.end();
  }
}

TEST_P(Announcement, IsOverAtOnceWhenTheTargetIsBusy) {
  Scene scene;
  scene.studio.record_prompt("moment", tone(announced_hz), 5.0);
  scene.play.options.configure = [](trunk::Model& model) {
    model.announcements["moment"] = 5s;
    for (trunk::Trunk& trunk : model.trunks) trunk.transfer.announcement = "moment";
  };
  scene.play.transferee.codecs = {GetParam()};
  scene.play.target.final_status = 486;
  ASSERT_NO_FATAL_FAILURE(scene.begin());
  scene.cast->refer(sim::Stage::refer_to(sim::number::target));
  scene.cast->world().run_for(700ms);
  expect_announced(scene, *scene.cast->transferee, scene.now() - 500ms, scene.now());
  ASSERT_TRUE(scene.cast->run_until_final_notify());
  scene.cast->world().run_for(400ms);
  scene.expect_talk(*scene.cast->transferee, *scene.cast->transferor);
  EXPECT_FALSE(scene.cast->target()->seen.answered);
  scene.end();
}

TEST_P(Announcement, IsHeardByACallerWhomNobodyAnswers) {
  for (const bool inbound : {true, false}) {
    Scene scene(inbound);
    scene.studio.record_prompt("sorry", tone(announced_hz), 1.0);
    scene.play.options.configure = [](trunk::Model& model) {
      model.announcements["sorry"] = 1s;
      for (trunk::Trunk& trunk : model.trunks) trunk.unavailable_announcement = "sorry";
    };
    sim::Script& callee = inbound ? scene.play.transferor : scene.play.transferee;
    (inbound ? scene.play.transferee : scene.play.transferor).codecs = {GetParam()};
    callee.final_status = 486;
    scene.cast.emplace(scene.play);
    sim::World& world = scene.cast->world();
    const sim::Party& caller = inbound ? *scene.cast->transferee : *scene.cast->transferor;
    ASSERT_TRUE(world.run_until(
        [&] { return !caller.seen.provisionals.empty() && caller.seen.provisionals.back() == 183; }));
    const Time began = scene.now();
    ASSERT_TRUE(world.run_until([&] { return caller.seen.over; }));
    expect_announced(scene, caller, began + 20ms, began + 980ms);
    EXPECT_EQ(scene.phone(caller).flaws(), "");
    EXPECT_EQ(caller.seen.final_status, 486);
    EXPECT_FALSE(caller.seen.answered);
    const Duration lasted = scene.now() - began;
    EXPECT_GE(lasted, 1s);
    EXPECT_LE(lasted, 1'300ms);
    scene.cast->expect_rest();
    EXPECT_EQ(scene.studio.relays().endpoints(), 0U);
  }
}

}  // namespace
}  // namespace baton::audio
