#include "media/relay/g711.h"

#include <gtest/gtest.h>

#include "unit/media/audio.h"

namespace baton::media {
namespace {

using sdp::Codec;

TEST(G711, BothLawsKeepTheSignal) {
  const auto said = test::sine(1'000, 8'000, 1'600);
  for (const Codec codec : {Codec::pcmu, Codec::pcma}) {
    EXPECT_GT(test::signal_to_noise_db(said, decode(codec, encode(codec, said))), 35.0);
  }
}

TEST(G711, ConversionKeepsTheSignal) {
  const auto said = test::sine(700, 5'000, 1'600);
  for (const auto& [from, to] : {std::pair{Codec::pcmu, Codec::pcma}, std::pair{Codec::pcma, Codec::pcmu}}) {
    const auto octets = encode(from, said);
    std::vector<std::uint8_t> converted(octets.size());
    transcode(from, to, octets, converted.data());
    EXPECT_NE(converted, octets);
    EXPECT_GT(test::signal_to_noise_db(said, decode(to, converted)), 30.0);
  }
}

TEST(G711, SameLawIsACopy) {
  const std::vector<std::uint8_t> octets{0, 1, 0x7f, 0x80, 0xff};
  std::vector<std::uint8_t> copy(octets.size());
  transcode(Codec::pcma, Codec::pcma, octets, copy.data());
  EXPECT_EQ(copy, octets);
}

TEST(G711, SilenceStaysSilence) {
  const std::vector<std::int16_t> nothing(80);
  for (const auto& [from, to] : {std::pair{Codec::pcmu, Codec::pcma}, std::pair{Codec::pcma, Codec::pcmu}}) {
    const auto octets = encode(from, nothing);
    std::vector<std::uint8_t> converted(octets.size());
    transcode(from, to, octets, converted.data());
    EXPECT_LT(test::rms(decode(to, converted)), 10.0);
  }
}

}  // namespace
}  // namespace baton::media
