// Keys pressed by both parties of a call, each by telephone-events, in its audio or by INFO, counted at the
// other one: between every two codecs, and after a transfer.
#include <array>

#include "scene.h"

namespace baton::audio {
namespace {

using sdp::Codec;

enum class Way : std::uint8_t { events, tones, info };
constexpr std::array ways = {Way::events, Way::tones, Way::info};

std::string name_of(Way way) {
  return way == Way::events ? "telephone-events" : way == Way::tones ? "tones" : "INFO";
}

// `way`: how the party tells its keys, and is told.
void prepare(sim::Script& script, Way way) {
  script.telephone_events = way == Way::events;
}

void set_style(trunk::Model& model, Way transferee, Way transferor) {
  const auto style = [](Way way) {
    return way == Way::info ? trunk::DtmfStyle::info : trunk::DtmfStyle::automatic;
  };
  for (trunk::Carrier& carrier : model.carriers) carrier.sip.dtmf = style(transferee);
  for (trunk::Trunk& trunk : model.trunks) trunk.sip.dtmf = style(transferor);
}

void press(Scene& scene, sim::Party& party, Way way, const std::string& keys) {
  if (way != Way::info) {
    return scene.studio.keypad(party).press(way == Way::events ? Keypad::By::events : Keypad::By::tones,
                                            keys);
  }
  Duration after{};
  for (const char key : keys) {
    sim::Party* who = &party;
    const std::string body = std::string("Signal=") + key + "\r\nDuration=100\r\n";
    scene.cast->world().after(after,
                              [who, body] { who->peer->act(*who, {.what = sim::What::info, .text = body}); });
    after += 240ms;
  }
}

// By that way, and by no other.
void expect_told(Scene& scene, const sim::Party& party, Way way, const std::string& keys) {
  EXPECT_EQ(keys_by_events(scene.phone(party), party), way == Way::events ? keys : "") << party.role();
  EXPECT_EQ(keys_by_info(party), way == Way::info ? keys : "") << party.role();
  // Tones of one who has no telephone-events are heard by everybody.
  if (way == Way::tones) {
    EXPECT_EQ(keys_by_tones(scene.phone(party)), keys) << party.role();
  }
}

// Nothing: RTP.
struct Suites {
  std::optional<sdp::Suite> transferee{}, transferor{}, target{};
};

void set_suite(sim::Script& script, std::optional<sdp::Suite> suite) {
  if (suite) script.srtp = {.use = sdp::SrtpUse::required, .suites = {*suite}};
}

void allow_srtp(trunk::Model& model) {
  for (trunk::Trunk& trunk : model.trunks) trunk.sip.srtp = trunk::Srtp::optional;
  for (trunk::Carrier& carrier : model.carriers) carrier.sip.srtp = trunk::Srtp::optional;
}

// The two press at the same time.
void exchange_keys(Codec transferee, Codec transferor, Way of_transferee, Way of_transferor,
                   const std::string& keys, const Suites& suites = {}) {
  SCOPED_TRACE(std::string(sdp::encoding_name(transferee)) + " with " + name_of(of_transferee) + " and " +
               std::string(sdp::encoding_name(transferor)) + " with " + name_of(of_transferor));
  Scene scene;
  scene.studio.set_up = [](const sim::Party&, Phone& phone) { phone.sound = silence(); };
  scene.play.transferee.codecs = {transferee};
  scene.play.transferor.codecs = {transferor};
  prepare(scene.play.transferee, of_transferee);
  prepare(scene.play.transferor, of_transferor);
  set_suite(scene.play.transferee, suites.transferee);
  set_suite(scene.play.transferor, suites.transferor);
  scene.play.options.configure = [=](trunk::Model& model) {
    set_style(model, of_transferee, of_transferor);
    allow_srtp(model);
  };
  ASSERT_NO_FATAL_FAILURE(scene.begin());
  const std::string back(keys.rbegin(), keys.rend());
  press(scene, *scene.cast->transferee, of_transferee, keys);
  press(scene, *scene.cast->transferor, of_transferor, back);
  scene.cast->world().run_for(240ms * static_cast<int>(keys.size()) + 1s);
  expect_told(scene, *scene.cast->transferor, of_transferor, keys);
  expect_told(scene, *scene.cast->transferee, of_transferee, back);
  EXPECT_EQ(scene.cast->transferee->srtp().has_value(), suites.transferee.has_value());
  EXPECT_EQ(scene.cast->transferor->srtp().has_value(), suites.transferor.has_value());
  scene.end();
}

// Without A to D: the first tone that a new G.722 encoder makes after audio of another one may have its
// higher half twice as strong as the lower, which no detector has to take for theirs (ITU-T Q.24).
TEST(Keys, AreCountedBetweenEveryTwoCodecs) {
  unsigned nth = 0;
  for (const Codec one : sdp::all_codecs) {
    for (const Codec other : sdp::all_codecs) {
      // Every two ways meet between some two codecs, and every codec has each way.
      for (unsigned i = 0; i < 3; ++i) {
        exchange_keys(one, other, ways[i], ways[(i + nth) % 3], "15970");
        if (::testing::Test::HasFailure()) return;
      }
      ++nth;
    }
  }
}

// With SRTP on one side, on the other, and on both, in every suite.
TEST(Keys, AreCountedOverSrtpBetweenEveryTwoCodecs) {
  unsigned nth = 0;
  for (const Codec one : sdp::all_codecs) {
    for (const Codec other : sdp::all_codecs) {
      for (unsigned i = 0; i < 3; ++i, ++nth) {
        Suites suites;
        if (i != 0) suites.transferee = sdp::all_suites[nth % 4];
        if (i != 1) suites.transferor = sdp::all_suites[(nth / 4 + nth) % 4];
        exchange_keys(one, other, ways[i], ways[(i + nth / 3) % 3], "15970", suites);
        if (::testing::Test::HasFailure()) return;
      }
    }
  }
}

TEST(Keys, AllOfThemByEveryWay) {
  for (const Way one : ways) {
    for (const Way other : ways) exchange_keys(Codec::opus, Codec::pcma, one, other, "0123456789*#ABCD55");
  }
}

// Those of the old party are its own, and the target gets those that come after.
TEST(Keys, AreForTheTargetAfterATransfer) {
  for (const auto& [way, secret] :
       {std::pair(Way::events, false), std::pair(Way::tones, false), std::pair(Way::info, false),
        std::pair(Way::events, true), std::pair(Way::tones, true), std::pair(Way::info, true)}) {
    SCOPED_TRACE(name_of(way) + (secret ? " and SRTP" : ""));
    Scene scene;
    if (secret) {
      set_suite(scene.play.transferee, sdp::Suite::aead_aes_256_gcm);
      set_suite(scene.play.target, sdp::Suite::aes_cm_128_hmac_sha1_32);
    }
    scene.studio.set_up = [](const sim::Party&, Phone& phone) { phone.sound = silence(); };
    scene.play.transferee.codecs = {Codec::opus};
    scene.play.transferor.codecs = {Codec::g722};
    scene.play.target.codecs = {Codec::pcmu};
    prepare(scene.play.transferee, Way::events);
    prepare(scene.play.target, way);
    const auto style = way == Way::info ? trunk::DtmfStyle::info : trunk::DtmfStyle::automatic;
    scene.play.options.configure = [style](trunk::Model& model) {
      for (trunk::Carrier& carrier : model.carriers) carrier.sip.dtmf = style;
      allow_srtp(model);
    };
    ASSERT_NO_FATAL_FAILURE(scene.begin());
    press(scene, *scene.cast->transferee, Way::events, "12");
    scene.cast->world().run_for(1s);
    ASSERT_NO_FATAL_FAILURE(scene.transfer());
    press(scene, *scene.cast->transferee, Way::events, "345");
    scene.cast->world().run_for(2s);
    expect_told(scene, *scene.cast->transferor, Way::events, "12");
    expect_told(scene, *scene.cast->target(), way, "345");
    scene.end();
  }
}

// A party that has the slow ones alone sends those among Opus too.
TEST(Keys, AtBothClocksBesideOpus) {
  for (const bool transferee_fast : {true, false}) {
    for (const bool transferor_fast : {true, false}) {
      for (const Codec transferor : {Codec::opus, Codec::pcmu}) {
        SCOPED_TRACE(std::to_string(transferee_fast) + std::to_string(transferor_fast));
        Scene scene;
        scene.studio.set_up = [](const sim::Party&, Phone& phone) { phone.sound = silence(); };
        scene.play.transferee.codecs = {Codec::opus};
        scene.play.transferor.codecs = {transferor};
        scene.play.transferee.fast_events = transferee_fast;
        scene.play.transferor.fast_events = transferor_fast;
        ASSERT_NO_FATAL_FAILURE(scene.begin());
        const auto& agreed = scene.cast->transferee->remote->events;
        EXPECT_EQ(agreed[sdp::EventClock::at_48000].has_value(), transferee_fast);
        EXPECT_TRUE(agreed[sdp::EventClock::at_8000].has_value());
        press(scene, *scene.cast->transferee, Way::events, "147");
        press(scene, *scene.cast->transferor, Way::events, "258");
        scene.cast->world().run_for(2s);
        expect_told(scene, *scene.cast->transferor, Way::events, "147");
        expect_told(scene, *scene.cast->transferee, Way::events, "258");
        scene.end();
      }
    }
  }
}

}  // namespace
}  // namespace baton::audio
