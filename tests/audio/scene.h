// One whole call with sound, by itself: for tests that go through many in a row.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "studio.h"

namespace baton::audio {

struct Scene {
  explicit Scene(bool inbound = true) : play(sim::usual_play(inbound)) {
    play.options.media = &studio;
    play.transferor.acts.clear();
  }

  // The two talk, and have been heard for long enough to be judged.
  void begin() {
    cast.emplace(play);
    ASSERT_TRUE(
        cast->world().run_until([&] { return cast->transferor != nullptr && cast->transferor->up(); }));
    cast->world().run_for(500ms);
  }
  // Until the target has answered; the time it did.
  void transfer() {
    cast->refer(sim::Stage::refer_to(sim::number::target));
    ASSERT_TRUE(cast->run_until_final_notify());
    ASSERT_NE(cast->target(), nullptr);
    cut = now();
  }
  void end() {
    for (const sim::Party* party : {cast->transferee, cast->transferor, cast->target()}) {
      if (party == nullptr || !party->seen.answered) continue;
      EXPECT_EQ(phone(*party).flaws(), "") << party->role();
      EXPECT_EQ(phone(*party).unreadable(), 0U) << party->role();
    }
    cast->hang_up(*cast->transferee);
    cast->expect_rest();
    EXPECT_EQ(studio.relays().endpoints(), 0U);
  }

  [[nodiscard]] Time now() { return cast->world().now(); }
  [[nodiscard]] Phone& phone(const sim::Party& party) { return studio.phone(party); }

  // Of the last `span`.
  void expect_hears(const sim::Party& listener, const sim::Party& speaker, Duration span = 300ms) {
    const Clip clip = phone(listener).clip(now() - span, now());
    EXPECT_NEAR(clip.seconds(), static_cast<double>(span.count()) / 1e6, 0.045) << listener.role();
    EXPECT_GT(signal_to_noise_db(clip, hz_of(speaker.role())), 15.0)
        << listener.role() << " hears " << speaker.role();
  }
  void expect_talk(const sim::Party& one, const sim::Party& other) {
    expect_hears(one, other);
    expect_hears(other, one);
  }

  Studio studio;
  sim::Play play;
  std::optional<sim::Cast> cast;
  Time cut{};
};

}  // namespace baton::audio
