#include "sdp/codec.h"

#include <gtest/gtest.h>

#include <vector>

namespace baton::sdp {
namespace {

TEST(Codec, NamesAndNumbers) {
  EXPECT_EQ(encoding_name(Codec::pcmu), "PCMU");
  EXPECT_EQ(encoding_name(Codec::pcma), "PCMA");
  EXPECT_EQ(default_payload_type(Codec::pcmu), 0);
  EXPECT_EQ(default_payload_type(Codec::pcma), 8);
  EXPECT_EQ(clock_rate(Codec::pcma), 8'000U);
  EXPECT_EQ(clock_rate(Codec::g722), 8'000U) << "RFC 3551 4.5.2";
  EXPECT_EQ(default_payload_type(Codec::g722), 9);
  EXPECT_EQ(clock_rate(Codec::opus), 48'000U);
  EXPECT_EQ(channels(Codec::opus), 2U);
}

TEST(Codec, FoundByNameAndRate) {
  EXPECT_EQ(find_codec("pcmU", 8'000), Codec::pcmu);
  EXPECT_EQ(find_codec("PCMA", 8'000), Codec::pcma);
  EXPECT_FALSE(find_codec("PCMA", 16'000));
  EXPECT_FALSE(find_codec("PCM", 8'000));
  EXPECT_FALSE(find_codec("", 8'000));
  EXPECT_EQ(find_codec("g722", 8'000), Codec::g722);
  EXPECT_FALSE(find_codec("G722", 16'000));
  EXPECT_EQ(find_codec("OPUS", 48'000, 2), Codec::opus);
  EXPECT_FALSE(find_codec("opus", 48'000)) << "RFC 7587 7: two channels, always";
  EXPECT_EQ(static_codec(9), Codec::g722);
  EXPECT_FALSE(static_codec(111));
}

TEST(CodecNumberSets, GiveBackWhatWasAdded) {
  CodecNumberSets sets{{Codec::opus, 111}, {Codec::pcmu, 0}};
  sets.add({Codec::opus, 63});
  sets.add({Codec::opus, 64});
  sets.add({Codec::opus, 111});
  sets.add({Codec::pcma, 127});
  std::vector<Format> all;
  sets.for_each([&](const Format& format) { all.push_back(format); });
  EXPECT_EQ(
      all,
      (std::vector<Format>{
          {Codec::pcmu, 0}, {Codec::pcma, 127}, {Codec::opus, 63}, {Codec::opus, 64}, {Codec::opus, 111}}));
  EXPECT_NE(sets, (CodecNumberSets{{Codec::opus, 111}, {Codec::pcmu, 0}}));
}

TEST(Direction, MirrorIsTheAnswer) {
  EXPECT_EQ(mirror(Direction::sendrecv), Direction::sendrecv);
  EXPECT_EQ(mirror(Direction::sendonly), Direction::recvonly);
  EXPECT_EQ(mirror(Direction::recvonly), Direction::sendonly);
  EXPECT_EQ(mirror(Direction::inactive), Direction::inactive);
}

TEST(Direction, Names) {
  EXPECT_EQ(to_string(Direction::recvonly), "recvonly");
  EXPECT_EQ(to_string(Direction::inactive), "inactive");
}

}  // namespace
}  // namespace baton::sdp
