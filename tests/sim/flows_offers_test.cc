// The same offer again (RFC 3264 8, RFC 4028 7.4): the same answer, word for word; and another one as soon as
// anything that the answer follows from has changed.
#include "cast.h"

namespace baton::sim {
namespace {

class RepeatedOffers : public BothWays {
 protected:
  [[nodiscard]] static Play plain() {
    Play play = usual_play(GetParam());
    play.transferor.acts.clear();
    return play;
  }
  static bool come_up(Cast& cast) {
    return cast.world().run_until([&] { return cast.transferor->up() && cast.transferee->up(); });
  }
  // The descriptions that the server has answered offers of a party's in mid-call with.
  static std::vector<std::string> answers_to(Cast& cast, const Party& party) {
    std::vector<std::string> answers;
    for (const call::TraceMessage& trace : cast.world().traces()) {
      const auto message = sip::Message::parse(trace.bytes);
      if (!trace.sent || !message || message->status() != 200 || message->call_id() != party.call_id)
        continue;
      if (message->body().empty() || party.invite_branch == message->top_via().branch()) continue;
      answers.emplace_back(message->body());
    }
    return answers;
  }
  static sdp::RemoteAudio read(const std::string& text) {
    const auto audio = sdp::read_description(text);
    EXPECT_TRUE(audio) << text;
    return audio ? *audio : sdp::RemoteAudio{};
  }
  static void expect_next(const std::string& before, const std::string& after) {
    EXPECT_EQ(read(after).origin_version, read(before).origin_version + 1) << before << after;
  }
  static void expect_talking_and_end(Cast& cast) {
    EXPECT_TRUE(cast.world().oracles().talk(*cast.transferee, *cast.transferor));
    cast.world().oracles().check_media_agrees();
    cast.hang_up(*cast.transferor);
    cast.expect_rest();
  }
};
INSTANTIATE_TEST_SUITE_P(Calls, RepeatedOffers, ::testing::Bool(), direction_name);

TEST_P(RepeatedOffers, GetTheSameAnswerUntilSomethingChanges) {
  for (const What again : {What::reinvite, What::update_offer}) {
    for (const bool relayed : {true, false}) {
      SCOPED_TRACE(relayed);
      Play play = plain();
      play.options.configure = [relayed](trunk::Model& model) {
        for (auto& trunk : model.trunks) {
          trunk.hold_music = relayed ? "" : "wait.wav";
          trunk.sip.hold = relayed ? trunk::HoldStyle::relayed : trunk::HoldStyle::anchored;
        }
        for (auto& carrier : model.carriers)
          carrier.sip.hold = relayed ? trunk::HoldStyle::relayed : trunk::HoldStyle::anchored;
      };
      play.transferor.acts = {{When::established, 1s, again},      {When::established, 2s, again},
                              {When::established, 3s, What::hold}, {When::established, 4s, again},
                              {When::established, 5s, again},      {When::established, 6s, What::resume},
                              {When::established, 7s, again},      {When::established, 8s, again}};
      Cast cast(play);
      ASSERT_TRUE(come_up(cast));
      cast.world().run_for(5'500ms);
      EXPECT_EQ(cast.transferor->seen.directions.back(), sdp::Direction::recvonly);
      EXPECT_EQ(cast.transferee->seen.reinvites, relayed ? 1U : 0U) << "told of the hold once";
      cast.world().run_for(4s);
      EXPECT_EQ(cast.transferee->seen.reinvites, relayed ? 2U : 0U);
      const auto answers = answers_to(cast, *cast.transferor);
      ASSERT_EQ(answers.size(), 8U);
      EXPECT_EQ(answers[1], answers[0]);
      expect_next(answers[1], answers[2]);
      EXPECT_EQ(read(answers[2]).direction, sdp::Direction::recvonly);
      EXPECT_EQ(answers[3], answers[2]) << "the hold, repeated";
      EXPECT_EQ(answers[4], answers[2]);
      expect_next(answers[4], answers[5]);
      EXPECT_EQ(read(answers[5]).direction, sdp::Direction::sendrecv);
      EXPECT_EQ(answers[6], answers[5]);
      EXPECT_EQ(answers[7], answers[5]);
      expect_talking_and_end(cast);
    }
  }
}

// An offer of ours has been answered since, so what stands is no answer to that offer any more.
TEST_P(RepeatedOffers, AreAnsweredAnewAfterAnOfferOfOurs) {
  Play play = plain();
  play.transferor.acts = {{When::established, 1s, What::reinvite},
                          {When::established, 2s, What::reinvite},
                          {When::established, 3s, What::offerless},
                          {When::established, 4s, What::reinvite},
                          {When::established, 5s, What::reinvite}};
  Cast cast(play);
  ASSERT_TRUE(come_up(cast));
  cast.world().run_for(6s);
  const auto answers = answers_to(cast, *cast.transferor);
  ASSERT_EQ(answers.size(), 5U);
  EXPECT_EQ(answers[1], answers[0]);
  expect_next(answers[1], answers[2]);
  EXPECT_GT(read(answers[2]).formats.size(), 1U) << "our full offer";
  expect_next(answers[2], answers[3]);
  EXPECT_EQ(read(answers[3]).formats, read(answers[0]).formats);
  EXPECT_EQ(answers[4], answers[3]);
  expect_talking_and_end(cast);
}

// An offer of ours that was refused leaves what stood before, its o= line too.
TEST_P(RepeatedOffers, GetTheSameAnswerAfterAnOfferOfOursThatWasRefused) {
  Play play = plain();
  play.options.configure = [](trunk::Model& model) {
    for (auto& trunk : model.trunks) trunk.sip.hold = trunk::HoldStyle::relayed;
    for (auto& carrier : model.carriers) carrier.sip.hold = trunk::HoldStyle::relayed;
  };
  play.transferor.reinvite_status = 488;
  play.transferee.acts = {{When::established, 3s, What::hold}, {When::established, 3'500ms, What::resume}};
  play.transferor.acts = {{When::established, 1s, What::reinvite},
                          {When::established, 5s, What::reinvite},
                          {When::established, 6s, What::reinvite}};
  Cast cast(play);
  ASSERT_TRUE(come_up(cast));
  cast.world().run_for(8s);
  EXPECT_GE(cast.transferor->seen.reinvites, 1U) << "our offer";
  const auto answers = answers_to(cast, *cast.transferor);
  ASSERT_EQ(answers.size(), 3U);
  EXPECT_GT(read(answers[1]).origin_version, read(answers[0]).origin_version);
  EXPECT_EQ(read(answers[1]).direction, sdp::Direction::sendrecv);
  EXPECT_EQ(answers[2], answers[1]);
  expect_talking_and_end(cast);
}

// What an answer prefers follows from whom the party talks to.
TEST_P(RepeatedOffers, AreAnsweredAnewWhenTheOtherPartySpeaksAnotherCodec) {
  Play play = usual_play(GetParam());
  play.transferor.codecs = {sdp::Codec::pcmu};
  play.target.codecs = {sdp::Codec::pcma};
  play.transferor.acts = {Stage::refer(number::target, 3s)};
  play.transferee.acts = {{When::established, 1s, What::reinvite},
                          {When::established, 2s, What::reinvite},
                          {When::established, 10s, What::reinvite},
                          {When::established, 11s, What::reinvite}};
  Cast cast(play);
  ASSERT_TRUE(come_up(cast));
  cast.world().run_for(13s);
  const auto answers = answers_to(cast, *cast.transferee);
  ASSERT_EQ(answers.size(), 4U);
  EXPECT_EQ(read(answers[0]).formats, (sdp::Formats{{sdp::Codec::pcmu, 0}}));
  EXPECT_EQ(answers[1], answers[0]);
  EXPECT_EQ(read(answers[2]).formats, (sdp::Formats{{sdp::Codec::pcma, 8}}));
  expect_next(answers[1], answers[2]);
  EXPECT_EQ(answers[3], answers[2]);
  EXPECT_TRUE(cast.world().oracles().talk(*cast.transferee, *cast.target()));
  cast.hang_up(*cast.transferee);
  cast.expect_rest();
}

// From another address, as of a phone that has moved into another network behind the same NAT: its audio may
// come from there too.
TEST_P(RepeatedOffers, FromAnotherAddressSayWhereAudioMayComeFrom) {
  Play play = plain();
  play.transferor.acts = {{When::established, 1s, What::update_offer},
                          {When::established, 2s, What::update_offer}};
  Cast cast(play);
  ASSERT_TRUE(come_up(cast));
  cast.world().run_for(3s);
  const auto& traces = cast.world().traces();
  const auto last = std::find_if(traces.rbegin(), traces.rend(), [](const call::TraceMessage& trace) {
    return !trace.sent && trace.bytes.starts_with("UPDATE ");
  });
  ASSERT_TRUE(last != traces.rend());
  std::string update = last->bytes;
  const auto put = [&update](const std::string& from, const std::string& to) {
    const auto at = update.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    update.replace(at, from.size(), to);
  };
  put(";branch=", ";branch=z9hG4bK-moved");
  put("CSeq: ", "CSeq: 9");
  const SocketAddress moved{IpAddress::v4(198, 51, 100, 77), 5060};
  cast.world().feed(engine::MessageIn{Source{last->transport, last->local, moved, 0}, update, {}});
  bool found = false;
  for (const auto& [id, endpoint] : cast.world().media().open()) {
    if (endpoint.configured && endpoint.configured->remote_rtp == cast.transferor->local.rtp) {
      found = true;
      EXPECT_EQ(endpoint.configured->latch_from, moved.ip);
    }
  }
  EXPECT_TRUE(found);
}

}  // namespace
}  // namespace baton::sim
