// What the media plane says of a call: a party that falls silent, and how the audio of its legs was.
#include <algorithm>
#include <array>

#include "cast.h"

namespace baton::sim {
namespace {

class Media : public BothWays {
 protected:
  // The media endpoint that faces a party.
  static media::EndpointId endpoint_of(Cast& cast, const Party& party) {
    for (const auto& [id, endpoint] : cast.world().media().open()) {
      if (endpoint.configured && endpoint.configured->remote_rtp == party.local.rtp) return id;
    }
    ADD_FAILURE() << "no media endpoint faces " << party.role();
    return 0;
  }

  static void fall_silent(Cast& cast, const Party& party) {
    cast.world().feed(engine::MediaDone{media::Silent{endpoint_of(cast, party)}});
  }
};
INSTANTIATE_TEST_SUITE_P(Calls, Media, ::testing::Bool(), direction_name);

TEST_P(Media, ACallWithoutRtpIsDead) {
  for (const bool transferee_silent : {true, false}) {
    Play play = usual_play(GetParam());
    play.transferor.acts.clear();
    Cast cast(play);
    cast.world().run_for(5s);
    ASSERT_TRUE(cast.transferor != nullptr);
    cast.world().oracles().excuse_byes();  // nobody hung up
    fall_silent(cast, transferee_silent ? *cast.transferee : *cast.transferor);
    cast.world().run_for(1s);
    for (const Party* party : {cast.transferee, cast.transferor}) {
      EXPECT_TRUE(party->seen.over);
      EXPECT_EQ(party->seen.hangup_code, "3020");
    }
    ASSERT_EQ(cast.world().cdrs().size(), 1U);
    EXPECT_EQ(cast.world().cdrs()[0].hangup_code, 3020);
    EXPECT_EQ(cast.world().cdrs()[0].hangup_cause, "rtp_timeout");
    EXPECT_EQ(cast.world().cdrs()[0].hangup_source, call::HangupSource::baton);
    EXPECT_EQ(cast.world().engine().counters().rtp_timeouts, 1U);
    cast.expect_rest();
  }
}

TEST_P(Media, APartyThatHoldsMayBeSilent) {
  Play play = usual_play(GetParam());
  play.transferor.acts = {{When::established, 1s, What::hold}};
  Cast cast(play);
  cast.world().run_for(5s);
  fall_silent(cast, *cast.transferor);
  cast.world().run_for(5s);
  EXPECT_FALSE(cast.transferor->seen.over);
  cast.world().wind_down();
  cast.expect_no_violation();
}

TEST_P(Media, ACallWhoseMediaIsLostEndsAtOnce) {
  for (const bool holds : {false, true}) {
    Play play = usual_play(GetParam());
    play.transferor.acts.clear();
    if (holds) play.transferor.acts = {{When::established, 1s, What::hold}};
    Cast cast(play);
    cast.world().run_for(5s);
    ASSERT_TRUE(cast.transferor != nullptr);
    cast.world().oracles().excuse_byes();
    const media::EndpointId endpoint = endpoint_of(cast, *cast.transferor);
    // It is told as often as it is noticed.
    for (int i = 0; i < 3; ++i) {
      cast.world().feed(engine::MediaDone{media::Lost{endpoint, "rtpengine was started anew"}});
    }
    cast.world().run_for(1s);
    for (const Party* party : {cast.transferee, cast.transferor}) {
      EXPECT_TRUE(party->seen.over);
      EXPECT_EQ(party->seen.hangup_code, "5240");
    }
    ASSERT_EQ(cast.world().cdrs().size(), 1U);
    EXPECT_EQ(cast.world().cdrs()[0].hangup_cause, "nomedia");
    EXPECT_EQ(cast.world().cdrs()[0].hangup_source, call::HangupSource::baton);
    EXPECT_EQ(cast.world().engine().counters().rtp_timeouts, 0U);
    cast.expect_rest();
  }
}

TEST_P(Media, EachLegLeavesItsFiguresWithItsRecord) {
  Cast cast(usual_play(GetParam()));
  cast.expect_transferred();
  const auto& cdrs = cast.world().cdrs();
  ASSERT_EQ(cdrs.size(), 2U);
  const auto of = [&](const call::Cdr& cdr) {
    std::vector<std::string> parties;
    for (const call::LegQuality& leg : cast.world().qualities()) {
      EXPECT_EQ(leg.root_call_uuid, cdrs.front().root_call_uuid);
      EXPECT_EQ(leg.codec, "PCMU");
      EXPECT_EQ(leg.lost, 5);
      EXPECT_TRUE(leg.mos && *leg.mos > 400 && *leg.mos < 450);
      if (leg.call_uuid == cdr.call_uuid) parties.push_back(leg.party);
    }
    std::sort(parties.begin(), parties.end());
    return parties;
  };
  const auto& original = cdrs[0].leg_role == "original" ? cdrs[0] : cdrs[1];
  const auto& transfer = cdrs[0].leg_role == "original" ? cdrs[1] : cdrs[0];
  const std::vector<std::string> pair = GetParam() ? std::vector<std::string>{"caller", "endpoint"}
                                                   : std::vector<std::string>{"callee", "endpoint"};
  EXPECT_EQ(of(original), pair);
  EXPECT_EQ(of(transfer), std::vector<std::string>{"target"});
  EXPECT_EQ(cast.world().engine().counters().legs_rated, 3U);
  EXPECT_EQ(cast.world().engine().counters().rtp_lost, 15U);
}

// ---- Keys ----

class Keys : public Media {
 protected:
  // The transferee and the transferor talk; what each is told is set by the model.
  static Play talk(bool inbound, trunk::DtmfStyle carrier, trunk::DtmfStyle endpoint) {
    Play play = usual_play(inbound);
    play.transferor.acts.clear();
    play.options.configure = [=](trunk::Model& model) {
      for (trunk::Carrier& c : model.carriers) c.sip.dtmf = carrier;
      for (trunk::Trunk& t : model.trunks) t.sip.dtmf = endpoint;
    };
    return play;
  }
  static Act info(const std::string& key, Duration after) {
    return {When::established, after, What::info, "Signal=" + key + "\r\nDuration=120\r\n"};
  }
  static void finish(Cast& cast) {
    cast.world().wind_down();
    cast.expect_no_violation();
  }
};
INSTANTIATE_TEST_SUITE_P(Calls, Keys, ::testing::Bool(), direction_name);

TEST_P(Keys, InfoBecomesWhatTheOtherPartyIsToldBy) {
  for (const auto style : {trunk::DtmfStyle::automatic, trunk::DtmfStyle::in_band}) {
    Play play = talk(GetParam(), style, trunk::DtmfStyle::automatic);
    play.transferor.acts = {info("5", 100ms), info("#", 300ms), info("!", 400ms)};
    Cast cast(play);
    cast.world().run_for(5s);
    const auto* endpoint = cast.world().media().find(endpoint_of(cast, *cast.transferee));
    ASSERT_TRUE(endpoint != nullptr);
    ASSERT_EQ(endpoint->digits.size(), 2U);
    EXPECT_EQ(endpoint->digits[0].event, 5);
    EXPECT_EQ(endpoint->digits[0].lasts, 120ms);
    EXPECT_EQ(endpoint->digits[1].event, 11);
    const bool tones = style == trunk::DtmfStyle::in_band;
    EXPECT_EQ(endpoint->configured->digits, tones ? media::DigitsBy::tones : media::DigitsBy::events);
    EXPECT_EQ(cast.transferee->remote->events.any(), !tones);
    EXPECT_TRUE(cast.transferee->seen.infos.empty());
    EXPECT_EQ(cast.world().engine().counters().digits_told, 2U);
    finish(cast);
  }
}

TEST_P(Keys, APartyThatIsToldByInfoGetsOneAfterTheOther) {
  Play play = talk(GetParam(), trunk::DtmfStyle::info, trunk::DtmfStyle::automatic);
  play.options.link.delay = 50ms;
  play.transferor.acts = {info("5", 1s)};
  Cast cast(play);
  cast.world().run_for(3s);
  // What the media plane heard of the transferor.
  const auto from = endpoint_of(cast, *cast.transferor);
  EXPECT_EQ(cast.world().media().find(endpoint_of(cast, *cast.transferee))->configured->digits,
            media::DigitsBy::report);
  for (const std::uint8_t event : std::array<std::uint8_t, 3>{1, 2, 3})
    cast.world().feed(engine::MediaDone{media::Digit{from, event, 100ms}});
  cast.world().run_for(3s);
  const std::vector<std::string> expected = {"Signal=5\r\nDuration=120\r\n", "Signal=1\r\nDuration=100\r\n",
                                             "Signal=2\r\nDuration=100\r\n", "Signal=3\r\nDuration=100\r\n"};
  EXPECT_EQ(cast.transferee->seen.infos, expected);
  EXPECT_TRUE(cast.transferor->seen.infos.empty());
  finish(cast);
}

TEST_P(Keys, AfterATransferTheTargetIsTold) {
  Play play = usual_play(GetParam());
  play.transferee.acts = {info("9", 10s)};
  Cast cast(play);
  cast.world().run_for(15s);
  const auto* target = cast.world().media().find(endpoint_of(cast, *cast.target()));
  ASSERT_TRUE(target != nullptr);
  ASSERT_EQ(target->digits.size(), 1U);
  EXPECT_EQ(target->digits[0].event, 9);
  finish(cast);
}

TEST_P(Keys, ToldByInfoAndByTheMediaPlaneAreOne) {
  Play play = talk(GetParam(), trunk::DtmfStyle::info, trunk::DtmfStyle::automatic);
  play.transferor.acts = {info("5", 1s), info("5", 1'500ms), info("7", 6s)};
  Cast cast(play);
  cast.world().run_for(3s);
  ASSERT_EQ(cast.transferee->seen.infos.size(), 2U);
  const auto from = endpoint_of(cast, *cast.transferor);
  const auto tell = [&](std::uint8_t event, Duration lasted) {
    cast.world().feed(engine::MediaDone{media::Digit{from, event, lasted}});
  };
  tell(5, 100ms);
  tell(5, 100ms);
  tell(6, 100ms);
  cast.world().run_for(1s);
  EXPECT_EQ(cast.transferee->seen.infos.size(), 3U);
  cast.world().run_for(6s);
  EXPECT_EQ(cast.transferee->seen.infos.size(), 4U);
  tell(7, 100ms);  // it came too late for the first one
  cast.world().run_for(1s);
  EXPECT_EQ(cast.transferee->seen.infos.size(), 5U);
  finish(cast);
}

TEST_P(Keys, WhoPressedAKeyIsSaid) {
  Play play = talk(GetParam(), trunk::DtmfStyle::automatic, trunk::DtmfStyle::automatic);
  play.transferor.acts = {info("5", 1s)};
  Cast cast(play);
  cast.world().run_for(5s);
  const auto* endpoint = cast.world().media().find(endpoint_of(cast, *cast.transferee));
  ASSERT_EQ(endpoint->digits.size(), 1U);
  EXPECT_EQ(endpoint->digits[0].from, endpoint_of(cast, *cast.transferor));
  finish(cast);
}

// The transferor dials on while the transferee is told of one key after the other, and hands over.
TEST_P(Keys, WhatWasPressedBeforeATransferIsNotToldAfterIt) {
  Play play = usual_play(GetParam());
  play.target.final_after = 100ms;
  play.options.link.delay = 200ms;
  play.options.configure = [](trunk::Model& model) {
    for (trunk::Carrier& c : model.carriers) c.sip.dtmf = trunk::DtmfStyle::info;
    for (trunk::Trunk& t : model.trunks) t.sip.dtmf = trunk::DtmfStyle::info;
  };
  Cast cast(play);
  ASSERT_TRUE(cast.world().run_until([&] { return cast.target() != nullptr; }));
  const auto from = endpoint_of(cast, *cast.transferor);
  for (std::uint8_t event = 0; event < 10; ++event)
    cast.world().feed(engine::MediaDone{media::Digit{from, event, 100ms}});
  ASSERT_TRUE(cast.run_until_final_notify());
  cast.world().run_for(5s);
  EXPECT_GT(cast.transferee->seen.infos.size(), 0U);
  EXPECT_LT(cast.transferee->seen.infos.size(), 9U);
  EXPECT_TRUE(cast.target()->seen.infos.empty());
  finish(cast);
}

// ---- Comfort against a dead line ----

TEST_P(Media, WhoWaitsForATransferIsComfortedUntilTheTargetAnswers) {
  for (const Duration after : {Duration(1s), Duration(0s)}) {
    for (const int status : {200, 486}) {
      Play play = usual_play(GetParam());
      play.target.ring_after = 300ms;
      play.target.final_status = status;
      play.options.configure = [after](trunk::Model& model) {
        for (trunk::Trunk& t : model.trunks) t.transfer.comfort_after = after;
      };
      Cast cast(play);
      const auto comfort_of = [&](const Party& party) -> std::optional<Duration> {
        const auto source = cast.world().media().find(endpoint_of(cast, party))->hears.source;
        const auto* heard = std::get_if<media::Hear::Party>(&source);
        return heard == nullptr ? std::nullopt : std::optional(heard->comfort_after);
      };
      ASSERT_TRUE(
          cast.world().run_until([&] { return cast.transferor != nullptr && cast.transferor->up(); }));
      EXPECT_EQ(comfort_of(*cast.transferee), Duration(0s)) << "they talk";
      ASSERT_TRUE(cast.world().run_until([&] { return cast.target() != nullptr; }));
      EXPECT_EQ(comfort_of(*cast.transferee), after);
      EXPECT_EQ(comfort_of(*cast.transferor), Duration(0s));
      ASSERT_TRUE(cast.run_until_final_notify());
      cast.world().run_for(1s);
      EXPECT_EQ(comfort_of(*cast.transferee), status == 200 ? Duration(0s) : after);
      cast.world().wind_down();
      cast.expect_no_violation();
    }
  }
}

// ---- Hold music ----

TEST_P(Media, HoldMusicIsHeardWhileTheOtherHolds) {
  Play play = usual_play(GetParam());
  play.transferor.acts = {{When::established, 1s, What::hold}, {When::established, 4s, What::resume}};
  play.options.configure = [](trunk::Model& model) {
    for (trunk::Trunk& t : model.trunks) t.hold_music = "wait.wav";
  };
  Cast cast(play);
  const auto hears = [&](const Party& party) {
    return cast.world().media().find(endpoint_of(cast, party))->hears.source;
  };
  cast.world().run_for(3s);
  const auto source = hears(*cast.transferee);
  const auto* music = std::get_if<media::Hear::Play>(&source);
  ASSERT_TRUE(music != nullptr);
  EXPECT_EQ(music->prompt, "wait.wav");
  EXPECT_TRUE(std::holds_alternative<media::Hear::Party>(hears(*cast.transferor)));
  cast.world().run_for(4s);
  EXPECT_TRUE(cast.world().oracles().talk(*cast.transferee, *cast.transferor));
  cast.world().wind_down();
  cast.expect_no_violation();
}

TEST_P(Media, HoldMusicGoesOnWhenATransferFails) {
  Play play = usual_play(GetParam());
  play.transferor.acts.insert(play.transferor.acts.begin(), {When::established, 100ms, What::hold});
  play.target.final_status = 486;
  play.options.configure = [](trunk::Model& model) {
    for (trunk::Trunk& t : model.trunks) t.hold_music = "wait.wav";
  };
  Cast cast(play);
  cast.world().run_for(20s);
  EXPECT_EQ(cast.transferor->seen.notifies.back(), 486);
  const auto& source = cast.world().media().find(endpoint_of(cast, *cast.transferee))->hears.source;
  EXPECT_TRUE(std::holds_alternative<media::Hear::Play>(source));
  cast.world().wind_down();
  cast.expect_no_violation();
}

// ---- Recordings ----

class Recordings : public Media {
 protected:
  static Play recorded(bool inbound, bool through) {
    Play play = usual_play(inbound);
    play.options.configure = [through](trunk::Model& model) {
      for (trunk::Trunk& t : model.trunks) t.recording = {true, through};
    };
    return play;
  }
};
INSTANTIATE_TEST_SUITE_P(Calls, Recordings, ::testing::Bool(), direction_name);

TEST_P(Recordings, ATransferEndsTheOriginalsAndTheTargetIsNotRecorded) {
  Cast cast(recorded(GetParam(), false));
  cast.world().run_for(400ms);
  cast.expect_transferred();
  const auto& recordings = cast.world().recordings();
  ASSERT_EQ(recordings.size(), 1U);
  EXPECT_EQ(recordings[0].call_uuid, recordings[0].root_call_uuid);
  EXPECT_EQ(recordings[0].chain_id, recordings[0].recording_id);
  EXPECT_EQ(recordings[0].segment, 1U);
  EXPECT_EQ(recordings[0].status, "complete");
  EXPECT_EQ(recordings[0].file, "/recordings/" + recordings[0].call_uuid + ".wav");
  ASSERT_EQ(cast.world().media().recordings().size(), 1U);
}

TEST_P(Recordings, ThroughTransfersAreOneChain) {
  Cast cast(recorded(GetParam(), true));
  cast.expect_transferred();
  const auto& recordings = cast.world().recordings();
  ASSERT_EQ(recordings.size(), 2U);
  EXPECT_EQ(recordings[0].segment, 1U);
  EXPECT_EQ(recordings[1].segment, 2U);
  EXPECT_EQ(recordings[1].chain_id, recordings[0].recording_id);
  EXPECT_EQ(recordings[1].root_call_uuid, recordings[0].root_call_uuid);
  EXPECT_NE(recordings[1].call_uuid, recordings[0].call_uuid);
  EXPECT_FALSE(recordings[1].transfer_id.empty());
  EXPECT_LE(recordings[0].ended_at, recordings[1].started_at);
}

TEST_P(Recordings, ANumbersOwnSettingGoesFirst) {
  for (const bool record : {true, false}) {
    Play play = recorded(GetParam(), false);
    play.transferor.acts.clear();
    play.options.configure = [record](trunk::Model& model) {
      for (trunk::Trunk& t : model.trunks) t.recording.enabled = !record;
      for (trunk::Number& n : model.numbers) n.record = record;
    };
    Cast cast(play);
    cast.world().run_for(3s);
    cast.world().wind_down();
    cast.expect_no_violation();
    EXPECT_EQ(cast.world().recordings().size(), record ? 1U : 0U);
  }
}

TEST_P(Recordings, OrdersStartAndStopThem) {
  Play play = usual_play(GetParam());
  play.transferor.acts.clear();
  Cast cast(play);
  cast.world().run_for(3s);
  const std::string root = cast.world().traces().front().root_call_uuid;
  for (int twice = 0; twice < 2; ++twice) {
    cast.world().feed(engine::RecordCall{root, true});
    cast.world().feed(engine::RecordCall{root, true});  // it is on already
    cast.world().run_for(1s);
    cast.world().feed(engine::RecordCall{root, false});
    cast.world().feed(engine::RecordCall{root, false});
  }
  cast.world().feed(engine::RecordCall{"nobody's", true});
  cast.world().wind_down();
  cast.expect_no_violation();
  const auto& recordings = cast.world().recordings();
  ASSERT_EQ(recordings.size(), 2U);
  EXPECT_EQ(recordings[0].file, "/recordings/" + root + ".wav");
  EXPECT_EQ(recordings[1].file, "/recordings/" + root + "-2.wav");
  EXPECT_EQ(recordings[1].segment, 2U);
}

}  // namespace
}  // namespace baton::sim
