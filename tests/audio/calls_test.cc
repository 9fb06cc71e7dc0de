// Whole calls heard: before, during and after a transfer, between parties of every codec.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "studio.h"

namespace baton::audio {
namespace {

using sdp::Codec;

std::string name_of(Codec codec) {
  return std::string(sdp::encoding_name(codec));
}

class Call : public ::testing::Test {
 protected:
  explicit Call(bool inbound = true) : play(sim::usual_play(inbound)) {
    play.options.media = &studio;
    play.transferor.acts.clear();
  }

  void begin() {
    cast.emplace(play);
    cast->world().run_for(3s);
    ASSERT_TRUE(cast->transferor != nullptr && cast->transferor->up());
  }
  void refer() { cast->refer(sim::Stage::refer_to(sim::number::target)); }
  void end() {
    cast->hang_up(*cast->transferee);
    cast->expect_rest();
    EXPECT_EQ(studio.relays().endpoints(), 0U);
    EXPECT_EQ(studio.relays().router().moved() != 0, studio.apart());
  }
  Time now() { return cast->world().now(); }
  Phone& phone(const sim::Party& party) { return studio.phone(party); }

  // Of the last `span`.
  void expect_hears(const sim::Party& listener, const sim::Party& speaker, Duration span = 600ms) {
    const Clip clip = phone(listener).clip(now() - span, now());
    EXPECT_NEAR(clip.seconds(), static_cast<double>(span.count()) / 1e6, 0.045);
    EXPECT_GT(signal_to_noise_db(clip, hz_of(speaker.role())), 15.0)
        << listener.role() << " hears " << speaker.role();
  }
  void expect_talk(const sim::Party& one, const sim::Party& other) {
    expect_hears(one, other);
    expect_hears(other, one);
  }
  void expect_ring_back(const sim::Party& listener) {
    const Clip clip = phone(listener).clip(now() - 200ms, now());
    EXPECT_GT(share_of_tone(clip, 400) + share_of_tone(clip, 450), 0.8);
  }
  // The speaker says something else than a tone, and it can be understood.
  void expect_understands(const sim::Party& listener, const sim::Party& speaker) {
    Phone& mouth = phone(speaker);
    mouth.sound = speech(speaker.role() == "target" ? 3 : 1);
    const double since = mouth.spoken_seconds();
    const Time from = now();
    cast->world().run_for(1'600ms);
    const Clip said = render(mouth.sound, since, 1.5, 8'000);
    // Opus shifts what is low in a voice; of another voice it is less than half as much.
    EXPECT_GT(likeness(said, phone(listener).clip(from, now())), 0.7)
        << listener.role() << " understands " << speaker.role();
    mouth.sound = tone(hz_of(speaker.role()));
  }

  Studio studio;
  sim::Play play;
  std::optional<sim::Cast> cast;
};

// Who calls, who hands over and who is called then: each knows one codec.
class Codecs : public Call, public ::testing::WithParamInterface<std::array<Codec, 3>> {
 protected:
  Codecs() {
    const auto& [transferee, transferor, target] = GetParam();
    play.transferee.codecs = {transferee};
    play.transferor.codecs = {transferor};
    play.target.codecs = {target};
  }
};

// Each pair of the three meets in every combination.
std::vector<std::array<Codec, 3>> combinations() {
  std::vector<std::array<Codec, 3>> all;
  const auto& codecs = sdp::all_codecs;
  for (std::size_t i = 0; i < codecs.size(); ++i) {
    for (std::size_t j = 0; j < codecs.size(); ++j) {
      all.push_back({codecs[i], codecs[(i + j) % codecs.size()], codecs[j]});
    }
  }
  return all;
}

TEST_P(Codecs, AreHeardBeforeDuringAndAfterATransfer) {
  begin();
  const sim::Party& transferee = *cast->transferee;
  expect_talk(transferee, *cast->transferor);
  refer();
  cast->world().run_for(500ms);
  expect_ring_back(transferee);
  ASSERT_TRUE(cast->run_until_final_notify());
  const Time cut = now();
  cast->world().run_for(1'200ms);
  ASSERT_NE(cast->target(), nullptr);
  expect_talk(transferee, *cast->target());
  expect_understands(transferee, *cast->target());
  expect_understands(*cast->target(), transferee);
  if (GetParam()[0] == GetParam()[2]) {
    EXPECT_LE(phone(transferee).longest_gap(cut - 500ms, cut + 500ms), 40ms);
  }
  EXPECT_LE(phone(transferee).longest_gap(cut - 500ms, cut + 1s), 60ms);
  EXPECT_EQ(phone(transferee).flaws(), "");
  EXPECT_EQ(phone(*cast->transferor).flaws(), "");
  EXPECT_EQ(phone(*cast->target()).flaws(), "");
  end();
}

TEST_P(Codecs, TheCallerIsBackAtOnceWhenTheTargetIsBusy) {
  play.target.final_status = 486;
  begin();
  refer();
  cast->world().run_for(900ms);
  expect_ring_back(*cast->transferee);
  ASSERT_TRUE(cast->run_until_final_notify());
  cast->world().run_for(1s);
  expect_talk(*cast->transferee, *cast->transferor);
  const auto& traces = cast->world().traces();
  const auto busy = std::find_if(traces.begin(), traces.end(), [](const call::TraceMessage& message) {
    return !message.sent && message.bytes.starts_with("SIP/2.0 486");
  });
  ASSERT_NE(busy, traces.end());
  // From 40 ms after it on there is nothing else, and until then a pause of one packet at the most.
  const Time back = busy->at + 40ms;
  EXPECT_LE(phone(*cast->transferee).longest_gap(busy->at, back + 200ms), 40ms);
  const double hz = hz_of("transferor");
  const auto expect_transferor = [&](Time from, Duration span, double share) {
    const Clip clip = phone(*cast->transferee).clip(from, from + span);
    EXPECT_NEAR(clip.seconds(), static_cast<double>(span.count()) / 1e6, 0.021);
    EXPECT_GT(share_of_tone(clip, hz), share);
    EXPECT_LT(share_of_tone(clip, 400) + share_of_tone(clip, 450), 0.05);
  };
  // Both ends of G.722 follow what was said before. A decoder that joins its sender in the middle, as ours
  // does a transferor's that nobody heard for a while, or an encoder that another one's listener goes on
  // with, is off in its loudness until they have found each other: so for 60 ms it is a tone with noise, and
  // then as it always is.
  const auto& [transferee, transferor, target] = GetParam();
  const bool adapts = (transferee == Codec::g722) != (transferor == Codec::g722);
  expect_transferor(back, 40ms, adapts ? 0.5 : 0.9);
  expect_transferor(adapts ? back + 60ms : back, 200ms, 0.95);
  EXPECT_EQ(phone(*cast->transferee).flaws(), "");
  end();
}

// Between a REFER and the target's ringing, and after a failure, many agents send nothing.
TEST_P(Codecs, WhoWaitsHearsNoDeadLine) {
  play.target.ring_after = 3s;
  play.target.final_status = 486;
  play.target.final_after = 2s;
  begin();
  const sim::Party& transferee = *cast->transferee;
  const auto expect_comfort = [&] {
    EXPECT_LE(phone(transferee).longest_gap(now() - 500ms, now()), 60ms);
    const double level = 20 * std::log10(rms(phone(transferee).clip(now() - 500ms, now())) / 32'768);
    EXPECT_GT(level, -75);
    EXPECT_LT(level, -45);
  };
  phone(*cast->transferor).muted = true;
  cast->world().run_for(2'500ms);
  EXPECT_GE(phone(transferee).longest_gap(now() - 1s, now()), 900ms) << "nobody waits yet";
  refer();
  cast->world().run_for(2'500ms);
  expect_comfort();
  ASSERT_TRUE(cast->run_until_final_notify());
  cast->world().run_for(3s);
  expect_comfort();
  phone(*cast->transferor).muted = false;
  cast->world().run_for(1s);
  expect_talk(transferee, *cast->transferor);
  EXPECT_EQ(phone(transferee).flaws(), "");
  end();
}

INSTANTIATE_TEST_SUITE_P(All, Codecs, ::testing::ValuesIn(combinations()), [](const auto& tested) {
  return name_of(tested.param[0]) + "_" + name_of(tested.param[1]) + "_" + name_of(tested.param[2]);
});

// ---- Who shares what -----------------------------------------------------------------------------------

class Shared : public Call {
 protected:
  // The target's codec, which the transferee can speak but did not, by half a second after the transfer.
  void transfer_and_settle_on(Codec codec) {
    begin();
    refer();
    ASSERT_TRUE(cast->run_until_final_notify());
    cast->world().run_for(500ms);
    const auto transcoded = studio.transcoded();
    cast->world().run_for(1s);
    expect_talk(*cast->transferee, *cast->target());
    EXPECT_EQ(phone(*cast->transferee).last_codec(), codec);
    EXPECT_EQ(studio.transcoded(), transcoded) << "both speak it now";
    EXPECT_EQ(phone(*cast->transferee).flaws(), "");
  }
};

TEST_F(Shared, WhatAllSpeakPassesUntouched) {
  play.transferee.codecs = {Codec::g722, Codec::pcmu};
  play.transferor.codecs = {Codec::pcma, Codec::g722};
  play.target.codecs = {Codec::pcmu, Codec::opus, Codec::g722};
  begin();
  refer();
  ASSERT_TRUE(cast->run_until_final_notify());
  const Time cut = now();
  cast->world().run_for(1s);
  expect_talk(*cast->transferee, *cast->target());
  EXPECT_EQ(phone(*cast->target()).last_codec(), Codec::g722);
  EXPECT_EQ(studio.transcoded(), 0U);
  EXPECT_EQ(cast->transferee->seen.reinvites, 0U);
  EXPECT_LE(phone(*cast->transferee).longest_gap(cut - 500ms, cut + 500ms), 40ms);
  end();
}

TEST_F(Shared, ATransfereeThatCanIsAskedToSpeakTheTargetsCodec) {
  play.transferee.codecs = {Codec::pcmu, Codec::opus};
  play.transferor.codecs = {Codec::pcmu};
  play.target.codecs = {Codec::opus};
  ASSERT_NO_FATAL_FAILURE(transfer_and_settle_on(Codec::opus));
  EXPECT_EQ(cast->transferee->seen.reinvites, 1U);
  EXPECT_EQ(cast->target()->seen.reinvites, 0U);
  end();
}

// By UPDATE where the party allows that; by re-INVITE as well where it refuses it all the same.
class Asked : public Shared, public ::testing::WithParamInterface<int> {};
INSTANTIATE_TEST_SUITE_P(Update, Asked, ::testing::Values(200, 501, 504));

TEST_P(Asked, ATransfereeThatAllowsUpdate) {
  const int status = GetParam();
  play.transferee.codecs = {Codec::pcmu, Codec::opus};
  play.transferee.allows_update = true;
  play.transferee.update_status = status;
  play.transferor.codecs = {Codec::pcmu};
  play.target.codecs = {Codec::opus};
  ASSERT_NO_FATAL_FAILURE(transfer_and_settle_on(Codec::opus));
  EXPECT_EQ(cast->transferee->seen.updates, 1U);
  EXPECT_EQ(cast->transferee->seen.reinvites, status == 200 ? 0U : 1U);
  end();
}

TEST_F(Shared, ATransfereeOnHoldIsAskedByReInvite) {
  play.transferee.codecs = {Codec::pcmu, Codec::opus};
  play.transferee.allows_update = true;
  play.transferor.codecs = {Codec::pcmu};
  play.target.codecs = {Codec::opus};
  play.transferee.acts = {{sim::When::established, 1s, sim::What::hold}};
  begin();
  cast->transferee->local.direction = sdp::Direction::sendrecv;
  refer();
  ASSERT_TRUE(cast->run_until_final_notify());
  cast->world().run_for(1'500ms);
  expect_talk(*cast->transferee, *cast->target());
  EXPECT_EQ(cast->transferee->seen.updates, 0U);
  EXPECT_EQ(cast->transferee->seen.reinvites, 1U);
  end();
}

TEST_F(Shared, NotAskedWhenItIsOff) {
  play.options.configure = [](trunk::Model& model) {
    for (auto& trunk : model.trunks) trunk.media.renegotiate = false;
    for (auto& carrier : model.carriers) carrier.media.renegotiate = false;
  };
  play.transferee.codecs = {Codec::pcmu, Codec::opus};
  play.transferor.codecs = {Codec::pcmu};
  play.target.codecs = {Codec::opus};
  begin();
  refer();
  ASSERT_TRUE(cast->run_until_final_notify());
  cast->world().run_for(1s);
  expect_talk(*cast->transferee, *cast->target());
  EXPECT_EQ(cast->transferee->seen.reinvites, 0U);
  EXPECT_EQ(phone(*cast->transferee).last_codec(), Codec::pcmu);
  end();
}

TEST_F(Shared, ARefusedQuestionIsAskedOnceAndTranscodedAfter) {
  play.transferee.codecs = {Codec::pcmu, Codec::g722};
  play.transferee.reinvite_status = 488;
  play.transferor.codecs = {Codec::pcmu};
  play.target.codecs = {Codec::g722};
  begin();
  refer();
  ASSERT_TRUE(cast->run_until_final_notify());
  cast->world().run_for(3s);
  expect_talk(*cast->transferee, *cast->target());
  EXPECT_EQ(cast->transferee->script.reinvite_status, 200) << "it was asked, and refused";
  EXPECT_EQ(cast->transferee->seen.reinvites, 0U) << "and not asked again";
  EXPECT_EQ(phone(*cast->transferee).last_codec(), Codec::pcmu);
  end();
}

TEST_F(Shared, AccordingToTheCarriersList) {
  play.options.configure = [](trunk::Model& model) {
    for (auto& carrier : model.carriers) carrier.media.codecs = {Codec::pcma};
  };
  play.transferee.codecs = {Codec::opus, Codec::pcma};
  play.transferor.codecs = {Codec::opus};
  begin();
  expect_talk(*cast->transferee, *cast->transferor);
  EXPECT_EQ(phone(*cast->transferee).last_codec(), Codec::pcma);
  EXPECT_EQ(phone(*cast->transferor).last_codec(), Codec::opus);
  end();
}

TEST_F(Shared, NobodyIsServedWithoutACodec) {
  play.options.configure = [](trunk::Model& model) {
    for (auto& carrier : model.carriers) carrier.media.codecs = {Codec::pcma, Codec::pcmu};
  };
  play.transferee.codecs = {Codec::opus, Codec::g722};
  cast.emplace(play);
  cast->world().run_for(1s);
  EXPECT_EQ(cast->transferee->seen.final_status, 488);
  EXPECT_TRUE(cast->transferee->seen.warning.starts_with("305 ")) << cast->transferee->seen.warning;
  cast->expect_rest();
}

TEST_F(Shared, ATransfereeOnHoldHearsTheTarget) {
  play.transferee.codecs = {Codec::opus};
  play.transferor.codecs = {Codec::pcmu};
  play.target.codecs = {Codec::g722};
  play.transferee.acts = {{sim::When::established, 1s, sim::What::hold}};
  begin();
  EXPECT_TRUE(phone(*cast->transferor).clip(now() - 500ms, now()).samples.empty() ||
              share_of_tone(phone(*cast->transferor).clip(now() - 500ms, now()), 700) > 0.9);
  cast->transferee->local.direction = sdp::Direction::sendrecv;
  refer();
  ASSERT_TRUE(cast->run_until_final_notify());
  cast->world().run_for(1'500ms);
  expect_talk(*cast->transferee, *cast->target());
  end();
}

TEST_F(Shared, OffHoldAndToAnotherCodecIsOneOffer) {
  play.transferee.codecs = {Codec::pcmu, Codec::opus};
  play.transferor.codecs = {Codec::pcmu};
  play.target.codecs = {Codec::opus};
  play.transferee.acts = {{sim::When::established, 1s, sim::What::hold}};
  begin();
  cast->transferee->local.direction = sdp::Direction::sendrecv;
  refer();
  ASSERT_TRUE(cast->run_until_final_notify());
  cast->world().run_for(1'500ms);
  expect_talk(*cast->transferee, *cast->target());
  EXPECT_EQ(cast->transferee->seen.reinvites, 1U);
  EXPECT_EQ(phone(*cast->transferee).last_codec(), Codec::opus);
  end();
}

TEST_F(Shared, OutboundCallsAreTransferredLikewise) {
  play = sim::usual_play(false);
  play.options.media = &studio;
  play.transferor.acts.clear();
  play.transferee.codecs = {Codec::g722};
  play.transferor.codecs = {Codec::opus, Codec::pcma};
  play.target.codecs = {Codec::pcma};
  begin();
  expect_talk(*cast->transferee, *cast->transferor);
  refer();
  ASSERT_TRUE(cast->run_until_final_notify());
  cast->world().run_for(1s);
  expect_talk(*cast->transferee, *cast->target());
  end();
}

TEST_F(Shared, EarlyMediaOfAnotherCodec) {
  play.target.early_media = true;
  play.target.codecs = {Codec::opus};
  play.transferee.codecs = {Codec::pcma};
  play.transferor.codecs = {Codec::g722};
  begin();
  refer();
  cast->world().run_for(900ms);
  const Clip clip = phone(*cast->transferee).clip(now() - 300ms, now());
  EXPECT_GT(share_of_tone(clip, hz_of("target")), 0.9);
  ASSERT_TRUE(cast->run_until_final_notify());
  cast->world().run_for(1s);
  expect_talk(*cast->transferee, *cast->target());
  end();
}

}  // namespace
}  // namespace baton::audio
