#include "media/codec/coder.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "base/rng.h"
#include "unit/media/audio.h"

namespace baton::media::test {
namespace {

using sdp::Codec;
using Samples = std::vector<std::int16_t>;

Samples sine_at(double hz, unsigned rate, double seconds) {
  // test::sine() samples 8000 times a second.
  return sine(hz * 8'000.0 / rate, 8'000, static_cast<std::size_t>(seconds * rate));
}

double amplitude(double hz, unsigned rate, std::span<const std::int16_t> samples) {
  return amplitude_at(hz * 8'000.0 / rate, samples);
}

// Encodes at one rate in packets of 20 ms, decodes at another.
Samples through(Codec codec, unsigned in_rate, unsigned out_rate, const Samples& samples) {
  Encoder encoder(codec, in_rate);
  Decoder decoder(codec, out_rate);
  const std::size_t frame = in_rate / 50;
  Samples heard;
  for (std::size_t at = 0; at + frame <= samples.size(); at += frame) {
    std::array<std::uint8_t, encoded_bytes_max> payload{};
    const std::size_t size = encoder.encode({samples.data() + at, frame}, payload.data());
    EXPECT_GT(size, 0U);
    EXPECT_EQ(duration(codec, {payload.data(), size}), sdp::clock_rate(codec) / 50);
    Samples part(16 * packet_ms_max);
    part.resize(decoder.decode({payload.data(), size}, part.data()));
    EXPECT_EQ(part.size(), out_rate / 50);
    heard.insert(heard.end(), part.begin(), part.end());
  }
  return heard;
}

class EveryCodec : public ::testing::TestWithParam<Codec> {};

TEST_P(EveryCodec, IsAsLoudAtEitherRate) {
  for (const unsigned in_rate : {8'000U, 16'000U}) {
    for (const unsigned out_rate : {8'000U, 16'000U}) {
      if (is_g711(GetParam()) && (in_rate != 8'000 || out_rate != 8'000)) continue;
      const Samples heard = through(GetParam(), in_rate, out_rate, sine_at(1'000, in_rate, 1.0));
      const std::span<const std::int16_t> settled = std::span(heard).subspan(heard.size() / 2);
      const double loud = amplitude(1'000, out_rate, settled);
      EXPECT_NEAR(loud, 8'000, 1'200) << in_rate << " to " << out_rate;
      const double all = rms(settled);
      EXPECT_GT(loud * loud / 2 / (all * all), 0.985) << in_rate << " to " << out_rate;
    }
  }
}

TEST_P(EveryCodec, WhatIsMissingFadesAway) {
  const unsigned rate = natural_rate(GetParam());
  Encoder encoder(GetParam(), rate);
  Decoder decoder(GetParam(), rate);
  const Samples said = sine_at(400, rate, 0.4);
  std::array<std::uint8_t, encoded_bytes_max> payload{};
  Samples out(16 * packet_ms_max);
  for (std::size_t at = 0; at + rate / 50 <= said.size(); at += rate / 50) {
    const std::size_t size = encoder.encode({said.data() + at, rate / 50}, payload.data());
    ASSERT_EQ(decoder.decode({payload.data(), size}, out.data()), rate / 50);
  }
  decoder.conceal(rate / 100, {}, out.data());
  EXPECT_GT(rms({out.data(), rate / 100}), 1'000) << "the first ten milliseconds are like what was said";
  for (int i = 0; i < 100; ++i) decoder.conceal(rate / 100, {}, out.data());
  EXPECT_LT(rms({out.data(), rate / 100}), 300);
}

// Whatever comes, nothing but a number of samples that fits comes out.
TEST_P(EveryCodec, NonsenseDoesNoHarm) {
  Decoder decoder(GetParam(), natural_rate(GetParam()));
  Samples out(16 * packet_ms_max);
  EXPECT_EQ(decoder.decode({}, out.data()), 0U);
  EXPECT_FALSE(duration(GetParam(), {}));
  const std::vector<std::uint8_t> huge(65'507, 0xff);
  EXPECT_FALSE(duration(GetParam(), huge));
  EXPECT_EQ(decoder.decode(huge, out.data()), 0U);
  Rng rng(11);
  for (int i = 0; i < 3'000; ++i) {
    std::vector<std::uint8_t> payload(1 + rng.below(i % 10 == 0 ? 2'000 : 120));
    for (auto& octet : payload) octet = static_cast<std::uint8_t>(rng.next());
    const auto length = duration(GetParam(), payload);
    const std::size_t count = decoder.decode(payload, out.data());
    ASSERT_LE(count, out.size());
    ASSERT_TRUE(length || count == 0);
    if (i % 7 == 0) decoder.conceal(160, payload, out.data());
  }
}

INSTANTIATE_TEST_SUITE_P(All, EveryCodec, ::testing::ValuesIn(sdp::all_codecs),
                         [](const auto& tested) { return std::string(sdp::encoding_name(tested.param)); });

TEST(Coder, OddOctetsOfG722) {
  Decoder wide(Codec::g722, 16'000), narrow(Codec::g722, 8'000);
  Samples out(16 * packet_ms_max);
  const std::vector<std::uint8_t> payload(161, 0x5a);
  EXPECT_EQ(duration(Codec::g722, payload), 161U);
  EXPECT_EQ(wide.decode(payload, out.data()), 322U);
  EXPECT_EQ(narrow.decode(payload, out.data()), 161U);
}

TEST(Coder, PacketTimesThatOpusHas) {
  EXPECT_EQ(frame_ms(Codec::opus, 30), 20U);
  EXPECT_EQ(frame_ms(Codec::opus, 50), 40U);
  EXPECT_EQ(frame_ms(Codec::opus, 60), 60U);
  EXPECT_EQ(frame_ms(Codec::opus, 10), 10U);
  EXPECT_EQ(frame_ms(Codec::pcmu, 30), 30U);
  EXPECT_EQ(frame_ms(Codec::pcmu, 5), 10U);
  EXPECT_EQ(frame_ms(Codec::g722, 200), 60U);
}

TEST(Coder, RatesThatTwoShare) {
  EXPECT_EQ(common_rate(Codec::pcmu, Codec::opus), 8'000U);
  EXPECT_EQ(common_rate(Codec::g722, Codec::pcma), 8'000U);
  EXPECT_EQ(common_rate(Codec::g722, Codec::opus), 16'000U);
}

TEST(ComfortNoise, IsAsLoudAsSaid) {
  ComfortNoise noise;
  Samples out(8'000);
  noise.fill(out);
  EXPECT_EQ(rms(out), 0) << "silence until something is said";
  noise.set_level(40);
  noise.fill(out);
  EXPECT_NEAR(rms(out), 327.67, 33);
  noise.set_level(127);
  noise.fill(out);
  EXPECT_LE(rms(out), 1);
}

}  // namespace
}  // namespace baton::media::test
