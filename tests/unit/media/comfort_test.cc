// Noise for a listener whose party has stopped sending.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <set>

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

// A key is no voice; its packets have places of their own among those of the noise.
TEST_F(Comfort, AKeyAmongTheNoise) {
  EndpointId id = 1;
  for (const bool spoke_before : {false, true}) {
    Party caller(id++), agent(id++);
    bridge(caller, agent);
    hear_comforted(caller, agent);
    if (spoke_before) talk(agent, 400ms);
    pass(1'500ms);
    auto all = caller.hear_all();
    ASSERT_GT(all.size(), 20U);
    RtpHeader header = agent.next;
    header.payload_type = agent.dtmf;
    header.marker = true;
    for (const unsigned ticks : {160U, 320U, 480U, 640U, 640U, 640U}) {
      const std::array<std::uint8_t, 4> key{5, static_cast<std::uint8_t>(ticks == 640 ? 0x8a : 0x0a),
                                            static_cast<std::uint8_t>(ticks >> 8),
                                            static_cast<std::uint8_t>(ticks & 0xff)};
      agent.send(header, key);
      ++header.sequence;
      header.marker = false;
      pump();
      pass(20ms);
    }
    pass(1'500ms);
    const auto after = caller.hear_all();
    std::set<std::uint32_t> key_times;
    unsigned keys = 0;
    for (const Heard& one : after) {
      if (one.header.payload_type != caller.dtmf) continue;
      ++keys;
      key_times.insert(one.header.timestamp);
    }
    EXPECT_EQ(keys, 6U);
    EXPECT_EQ(key_times.size(), 1U);
    EXPECT_GT(after.size(), 6U + 20U) << "the noise goes on";
    all.insert(all.end(), after.begin(), after.end());
    for (std::size_t i = 1; i < all.size(); ++i) {
      EXPECT_EQ(all[i].header.ssrc, all[0].header.ssrc);
      EXPECT_EQ(all[i].header.sequence, static_cast<std::uint16_t>(all[i - 1].header.sequence + 1)) << i;
      EXPECT_LT(std::abs(static_cast<std::int32_t>(all[i].header.timestamp - all[i - 1].header.timestamp)),
                16'000)
          << i;
    }
  }
}

// A key that is held for long is no dead line.
TEST_F(Comfort, NoNoiseWithinAKey) {
  Party caller(1), agent(2);
  bridge(caller, agent);
  hear_comforted(caller, agent);
  talk(agent, 100ms);
  static_cast<void>(caller.hear_all());
  RtpHeader header = agent.next;
  header.payload_type = agent.dtmf;
  for (unsigned ticks = 160; ticks <= 160 * 100; ticks += 160) {
    const std::array<std::uint8_t, 4> key{5, 0x0a, static_cast<std::uint8_t>(ticks >> 8),
                                          static_cast<std::uint8_t>(ticks & 0xff)};
    agent.send(header, key);
    ++header.sequence;
    pump();
    pass(20ms);
  }
  for (const Heard& one : caller.hear_all()) EXPECT_EQ(one.header.payload_type, caller.dtmf);
}

}  // namespace
}  // namespace baton::media::test
