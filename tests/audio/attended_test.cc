// An attended transfer heard: two calls whose audio is in two places become one.
#include <gtest/gtest.h>

#include <memory>

#include "studio.h"

namespace baton::audio {
namespace {

class AttendedCall : public ::testing::TestWithParam<bool> {
 protected:
  AttendedCall() : studio(2), play(sim::usual_play(GetParam())) {
    auto consultation = std::make_shared<sim::Script>();
    consultation->role = "consultation";
    play.transferor.consultation = consultation;
    play.transferor.acts = {sim::Stage::consult(sim::number::target), sim::Stage::refer_attended(4s)};
    play.options.media = &studio;
  }
  Time now() { return cast->world().now(); }
  void expect_hears(const sim::Party& listener, const sim::Party& speaker) {
    const Clip clip = studio.phone(listener).clip(now() - 600ms, now());
    EXPECT_NEAR(clip.seconds(), 0.6, 0.045);
    EXPECT_GT(signal_to_noise_db(clip, hz_of(speaker.role())), 15.0)
        << listener.role() << " hears " << speaker.role();
  }
  // Until the transferor has been let go, and the two have talked for a while.
  void play_it() {
    cast.emplace(play);
    sim::World& world = cast->world();
    ASSERT_TRUE(world.run_until([&] { return cast->target() != nullptr && cast->target()->up(); }));
    // Each call in a place of its own.
    EXPECT_EQ(studio.relays().router().loads(), (std::vector<std::size_t>{2, 2}));
    EXPECT_EQ(studio.relays().router().moved(), 0U);
    ASSERT_TRUE(cast->run_until_final_notify());
    cut = now();
    world.run_for(2s);
  }
  void end() {
    EXPECT_EQ(studio.relays().router().moved(), 2U);
    for (const sim::Party* party : {cast->transferee, cast->target()}) {
      EXPECT_EQ(studio.phone(*party).flaws(), "") << party->role();
      EXPECT_EQ(studio.phone(*party).unreadable(), 0U) << party->role();
      EXPECT_LE(studio.phone(*party).longest_gap(cut - 1s, cut + 1s), 60ms) << party->role();
    }
    cast->hang_up(*cast->transferee);
    cast->expect_rest();
    EXPECT_EQ(studio.relays().endpoints(), 0U);
    EXPECT_EQ(studio.relays().router().groups(), 0U);
  }

  Studio studio;
  sim::Play play;
  std::optional<sim::Cast> cast;
  Time cut{};
};

TEST_P(AttendedCall, TheTwoHearEachOther) {
  play_it();
  expect_hears(*cast->transferee, *cast->target());
  expect_hears(*cast->target(), *cast->transferee);
  end();
}

TEST_P(AttendedCall, InDifferentCodecs) {
  play.transferee.codecs = {sdp::Codec::pcma};
  play.target.codecs = {sdp::Codec::opus};
  play_it();
  expect_hears(*cast->transferee, *cast->target());
  expect_hears(*cast->target(), *cast->transferee);
  end();
}

INSTANTIATE_TEST_SUITE_P(All, AttendedCall, testing::Bool(),
                         [](const auto& way) { return way.param ? "inbound" : "outbound"; });

}  // namespace
}  // namespace baton::audio
