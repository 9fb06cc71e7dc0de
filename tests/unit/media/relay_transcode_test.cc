// The relay where the codecs of two parties differ.
#include <cmath>
#include <numbers>

#include "base/rng.h"
#include "media/codec/coder.h"
#include "media/relay/relay.h"
#include "unit/media/audio.h"
#include "unit/media/party.h"

namespace baton::media::test {
namespace {

using sdp::Codec;

// A party that speaks a steady tone in its codec.
struct Speaker : Party {
  Speaker(EndpointId id_, Codec codec_, double hz_ = 1'000)
      : Party(id_, codec_),
        hz(hz_),
        encoder(codec_, natural_rate(codec_)),
        decoder(codec_, natural_rate(codec_)) {}

  void talk() {
    const unsigned rate = natural_rate(codec);
    std::vector<std::int16_t> samples(rate / 50);
    for (auto& sample : samples) {
      const double phase = 2.0 * std::numbers::pi * hz * static_cast<double>(spoken++) / rate;
      sample = static_cast<std::int16_t>(std::lround(8'000 * std::sin(phase)));
    }
    std::array<std::uint8_t, encoded_bytes_max> payload{};
    send(next, {payload.data(), encoder.encode(samples, payload.data())});
    ++next.sequence;
    next.timestamp += sdp::clock_rate(codec) / 50;
  }

  // Takes what came; how loud the tone of that frequency is in it.
  double loudness(double heard_hz) {
    std::vector<std::int16_t> all;
    for (const Heard& one : hear_all()) {
      std::vector<std::int16_t> part(16 * packet_ms_max);
      part.resize(decoder.decode(one.payload, part.data()));
      all.insert(all.end(), part.begin(), part.end());
      headers.push_back(one.header);
    }
    return all.empty() ? 0 : amplitude_at(heard_hz * 8'000.0 / natural_rate(codec), all);
  }

  double hz;
  std::size_t spoken = 0;
  Encoder encoder;
  Decoder decoder;
  std::vector<RtpHeader> headers;
};

class RelayTranscode : public RelayTest {
 protected:
  void talk(std::initializer_list<Speaker*> speakers, int packets) {
    for (int i = 0; i < packets; ++i) {
      for (Speaker* speaker : speakers) speaker->talk();
      pump();
      pass(20ms);
    }
  }

  static void expect_one_stream(const Speaker& listener) {
    for (std::size_t i = 1; i < listener.headers.size(); ++i) {
      const RtpHeader& before = listener.headers[i - 1];
      const RtpHeader& header = listener.headers[i];
      ASSERT_EQ(header.ssrc, before.ssrc);
      ASSERT_EQ(header.sequence, static_cast<std::uint16_t>(before.sequence + 1)) << i;
      ASSERT_GT(static_cast<std::int32_t>(header.timestamp - before.timestamp), 0) << i;
    }
  }
};

class EveryPair : public RelayTranscode, public ::testing::WithParamInterface<std::tuple<Codec, Codec>> {};

TEST_P(EveryPair, IsHeard) {
  Speaker a(1, std::get<0>(GetParam()), 700), b(2, std::get<1>(GetParam()), 1'300);
  bridge(a, b);
  talk({&a, &b}, 20);
  (void)a.loudness(0), (void)b.loudness(0);
  talk({&a, &b}, 50);
  EXPECT_NEAR(a.loudness(1'300), 8'000, 1'500);
  EXPECT_NEAR(b.loudness(700), 8'000, 1'500);
  EXPECT_EQ(a.headers.size(), b.headers.size());
  EXPECT_GE(a.headers.size(), 69U);
  expect_one_stream(a);
  expect_one_stream(b);
  for (const RtpHeader& header : a.headers)
    EXPECT_EQ(header.payload_type, sdp::default_payload_type(a.codec));
}

INSTANTIATE_TEST_SUITE_P(All, EveryPair,
                         ::testing::Combine(::testing::ValuesIn(sdp::all_codecs),
                                            ::testing::ValuesIn(sdp::all_codecs)),
                         [](const auto& tested) {
                           return std::string(sdp::encoding_name(std::get<0>(tested.param))) + "_" +
                                  std::string(sdp::encoding_name(std::get<1>(tested.param)));
                         });

TEST_F(RelayTranscode, ToneInEveryCodec) {
  for (const Codec codec : sdp::all_codecs) {
    Speaker listener(static_cast<EndpointId>(codec) + 10, codec);
    join(listener);
    ring(listener, "FR");
    pass(1s);
    EXPECT_GT(listener.loudness(440), 1'000) << sdp::encoding_name(codec);
    EXPECT_EQ(listener.headers.size(), 51U);
    expect_one_stream(listener);
    hush(listener);
  }
}

TEST_F(RelayTranscode, OneStreamOverEverySwitch) {
  for (const Codec codec : sdp::all_codecs) {
    const auto id = static_cast<EndpointId>(codec) * 10;
    Speaker listener(id + 1, codec), same(id + 2, codec, 600),
        other(id + 3, codec == Codec::opus ? Codec::pcmu : Codec::opus, 900),
        third(id + 4, codec == Codec::g722 ? Codec::pcma : Codec::g722, 1'400);
    for (Speaker* one : {&listener, &same, &other, &third}) join(*one);
    for (int round = 0; round < 3; ++round) {
      for (Speaker* source : {&same, &other, &third}) {
        hear(listener, *source);
        talk({&same, &other, &third}, 10);
        (void)listener.loudness(0);
        talk({&same, &other, &third}, 15);
        EXPECT_GT(listener.loudness(source->hz), 6'000) << source->hz;
      }
      ring(listener, "FR");
      talk({&same, &other, &third}, 10);
    }
    (void)listener.loudness(0);
    expect_one_stream(listener);
  }
}

TEST_F(RelayTranscode, AListenersCodecMayChange) {
  Speaker source(1, Codec::pcmu), listener(2, Codec::opus);
  bridge(source, listener);
  talk({&source}, 20);
  EXPECT_GT(listener.loudness(1'000), 5'000);
  Configure now_g711 = listener.configure();
  now_g711.format = {Codec::pcmu, 0};
  now_g711.accepted.add(now_g711.format);
  perform(now_g711);
  talk({&source}, 20);
  const auto heard = listener.hear_all();
  ASSERT_GE(heard.size(), 18U);
  for (const Heard& one : heard) {
    listener.headers.push_back(one.header);
    EXPECT_EQ(one.header.payload_type, 0);
  }
  expect_one_stream(listener);
}

TEST_F(RelayTranscode, PacketTimesOfTheirOwn) {
  for (const unsigned ptime : {10U, 30U, 40U, 60U}) {
    Speaker source(ptime * 2, Codec::opus), listener(ptime * 2 + 1, Codec::pcma);
    bridge(source, listener);
    Configure configure = listener.configure();
    configure.ptime_ms = ptime;
    perform(configure);
    talk({&source}, 10);
    (void)listener.hear_all();
    talk({&source}, 60);
    const auto heard = listener.hear_all();
    EXPECT_NEAR(static_cast<double>(heard.size()), 1'200.0 / ptime, 1.1);
    for (const Heard& one : heard) EXPECT_EQ(one.payload.size(), ptime * 8);
  }
}

TEST_F(RelayTranscode, SilenceEndsAndBeginsAgain) {
  Speaker source(1, Codec::g722), listener(2, Codec::pcmu);
  bridge(source, listener);
  talk({&source}, 20);
  pass(10s);
  (void)listener.loudness(0);
  const auto sent = relay->counters().sent;
  EXPECT_LT(sent, 20U + 60U) << "nothing is sent for one who says nothing";
  source.next.timestamp += 80'000;
  talk({&source}, 30);
  EXPECT_GT(listener.loudness(1'000), 5'000);
  expect_one_stream(listener);
}

TEST_F(RelayTranscode, ComfortNoise) {
  Speaker source(1, Codec::pcmu), wide(2, Codec::g722), alike(3, Codec::pcma);
  join(source);
  join(wide);
  join(alike);
  hear(wide, source);
  hear(alike, source);
  talk({&source}, 20);
  (void)wide.loudness(0);
  (void)alike.loudness(0);
  const std::uint8_t level[] = {30};
  RtpHeader noise = source.next;
  noise.payload_type = sdp::comfort_noise_payload_type;
  source.send(noise, level);
  ++source.next.sequence;
  pump();
  pass(500ms);
  EXPECT_TRUE(alike.hear_all().empty()) << "it passes neither as audio nor as itself";
  std::vector<std::int16_t> heard;
  for (const Heard& one : wide.hear_all()) {
    std::vector<std::int16_t> part(16 * packet_ms_max);
    part.resize(wide.decoder.decode(one.payload, part.data()));
    heard.insert(heard.end(), part.begin(), part.end());
    wide.headers.push_back(one.header);
  }
  EXPECT_GE(heard.size(), 6'000U);
  EXPECT_NEAR(rms(std::span(heard).subspan(2'000)), 1'036, 400);
  source.next.timestamp += 4'000;
  talk({&source}, 20);
  EXPECT_GT(wide.loudness(1'000), 5'000);
  (void)alike.loudness(0);
  expect_one_stream(wide);
  expect_one_stream(alike);
}

TEST_F(RelayTranscode, NonsenseFromAnyCodecIsSurvived) {
  Rng rng(3);
  for (const Codec codec : sdp::all_codecs) {
    const auto id = static_cast<EndpointId>(codec) * 2 + 100;
    Speaker source(id, codec), listener(id + 1, codec == Codec::opus ? Codec::g722 : Codec::opus);
    bridge(source, listener);
    for (int i = 0; i < 400; ++i) {
      std::vector<std::uint8_t> payload(1 + rng.below(i % 20 == 0 ? 4'000 : i % 3 == 0 ? 1 : 333));
      for (auto& octet : payload) octet = static_cast<std::uint8_t>(rng.next());
      source.send(source.next, payload);
      source.next.sequence =
          static_cast<std::uint16_t>(source.next.sequence + (i % 50 == 0 ? rng.below(500) : 1));
      source.next.timestamp += i % 70 == 0 ? static_cast<std::uint32_t>(rng.next()) : 160;
      pump();
      pass(20ms);
    }
    talk({&source}, 60);
    (void)listener.loudness(0);
    talk({&source}, 50);
    EXPECT_GT(listener.loudness(1'000), 5'000) << sdp::encoding_name(codec) << " recovers";
  }
}

}  // namespace
}  // namespace baton::media::test
