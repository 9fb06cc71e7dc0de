// Noise for a listener whose party has stopped sending.
#include <gtest/gtest.h>

#include <cmath>

#include "media/codec/coder.h"
#include "unit/media/party.h"

namespace baton::media::test {
namespace {

class Comfort : public RelayTest {
 protected:
  void hear_comforted(const Party& listener, const Party& party, Duration after = 1s) {
    perform(Hear{listener.id, Hear::Party{party.id, after}});
  }
  // The party talks for so long, a packet every 20 ms.
  void talk(Party& party, Duration span) {
    for (Duration said{}; said < span; said += 20ms) {
      party.say();
      pump();
      pass(20ms);
    }
  }
  static double loudness(sdp::Codec codec, const std::vector<Heard>& heard) {
    Decoder decoder(codec, 8'000);
    std::array<std::int16_t, 8 * packet_ms_max> samples{};
    double sum = 0, count = 0;
    for (const Heard& one : heard) {
      const std::size_t size = decoder.decode(one.payload, samples.data());
      for (std::size_t i = 0; i < size; ++i) sum += std::pow(samples[i] / 32'768.0, 2);
      count += static_cast<double>(size);
    }
    return count == 0 ? -200 : 10 * std::log10(sum / count + 1e-20);
  }
};

TEST_F(Comfort, BeginsAfterAWhileAndGivesWayToTheNextPacket) {
  Party caller(1), agent(2);
  bridge(caller, agent);
  hear_comforted(caller, agent);
  talk(agent, 400ms);
  const auto speech = caller.hear_all();
  ASSERT_EQ(speech.size(), 20U);
  pass(900ms);
  EXPECT_TRUE(caller.hear_all().empty()) << "a pause is no dead line yet";
  pass(1'100ms);
  const auto noise = caller.hear_all();
  EXPECT_NEAR(static_cast<double>(noise.size()), 50, 2);
  talk(agent, 200ms);
  const auto again = caller.hear_all();
  ASSERT_GE(again.size(), 10U);
  EXPECT_LE(again.size(), 11U) << "nothing of the noise beside the party";
  EXPECT_EQ(again.back().payload, std::vector<std::uint8_t>(160, 2));

  // One stream: each number once, time that never runs backwards.
  std::vector<Heard> all = speech;
  all.insert(all.end(), noise.begin(), noise.end());
  all.insert(all.end(), again.begin(), again.end());
  for (std::size_t i = 1; i < all.size(); ++i) {
    EXPECT_EQ(all[i].header.ssrc, all[0].header.ssrc);
    EXPECT_EQ(all[i].header.sequence, static_cast<std::uint16_t>(all[i - 1].header.sequence + 1)) << i;
    EXPECT_GT(static_cast<std::int32_t>(all[i].header.timestamp - all[i - 1].header.timestamp), 0) << i;
  }
}

TEST_F(Comfort, IsQuietInEveryCodecAndPacketTime) {
  EndpointId id = 1;
  for (const sdp::Codec codec : {sdp::Codec::pcmu, sdp::Codec::pcma, sdp::Codec::g722, sdp::Codec::opus}) {
    for (const unsigned ptime : {20U, 60U}) {
      Party caller(id++, codec), agent(id++);
      join(caller);
      join(agent);
      Configure configure = caller.configure();
      configure.ptime_ms = ptime;
      perform(configure);
      hear_comforted(caller, agent);
      pass(3s);
      const auto heard = caller.hear_all();
      EXPECT_NEAR(static_cast<double>(heard.size()), 2'000.0 / ptime, 2);
      EXPECT_GT(loudness(codec, heard), -75) << encoding_name(codec);
      EXPECT_LT(loudness(codec, heard), -45) << encoding_name(codec);
    }
  }
}

TEST_F(Comfort, BeginsAgainAfterThePartyWasHeardInAnotherCodec) {
  Party caller(1, sdp::Codec::pcmu), agent(2, sdp::Codec::g722);
  join(caller);
  join(agent);
  hear_comforted(caller, agent);
  for (int round = 0; round < 3; ++round) {
    talk(agent, 400ms);
    static_cast<void>(caller.hear_all());
    pass(4s);
    const std::size_t noise = caller.hear_all().size();
    EXPECT_GT(noise, 150U) << round;
    EXPECT_LE(noise, 202U) << round
                           << ": what is made up for speech that is missing and noise never lie side by side";
  }
}

TEST_F(Comfort, OnlyWhereItWasAskedForAndNoLongerThanThat) {
  Party caller(1), agent(2), target(3);
  bridge(caller, agent);
  join(target);
  pass(5s);
  EXPECT_TRUE(caller.hear_all().empty());
  hear_comforted(caller, agent);
  pass(2s);
  EXPECT_FALSE(caller.hear_all().empty());
  EXPECT_TRUE(agent.hear_all().empty());
  hear(caller, agent);  // the same party, without
  pass(2s);
  EXPECT_TRUE(caller.hear_all().empty());
  hear_comforted(caller, agent);
  pass(1'500ms);
  ring(caller, "US");
  pass(500ms);
  hear(caller, target);
  static_cast<void>(caller.hear_all());
  pass(2s);
  EXPECT_TRUE(caller.hear_all().empty());
}

TEST_F(Comfort, APartyOnHoldIsSentNone) {
  Party caller(1), agent(2);
  bridge(caller, agent);
  hear_comforted(caller, agent);
  Configure held = caller.configure();
  held.send = false;
  perform(held);
  pass(3s);
  EXPECT_TRUE(caller.hear_all().empty());
  perform(caller.configure());
  pass(2s);
  EXPECT_FALSE(caller.hear_all().empty());
  perform(held);
  static_cast<void>(caller.hear_all());
  pass(3s);
  EXPECT_TRUE(caller.hear_all().empty());
}

TEST_F(Comfort, EventsAloneDoNotEndIt) {
  Party caller(1), agent(2);
  bridge(caller, agent);
  hear_comforted(caller, agent);
  pass(1'500ms);
  static_cast<void>(caller.hear_all());
  RtpHeader header = agent.next;
  header.payload_type = agent.dtmf;
  const std::array<std::uint8_t, 4> key{5, 0x8a, 0, 160};
  agent.send(header, key);
  pump();
  pass(200ms);
  EXPECT_GE(caller.hear_all().size(), 9U);
}

}  // namespace
}  // namespace baton::media::test
