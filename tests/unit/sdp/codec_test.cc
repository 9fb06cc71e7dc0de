#include "sdp/codec.h"

#include <gtest/gtest.h>

namespace baton::sdp {
namespace {

TEST(Codec, NamesAndNumbers) {
  EXPECT_EQ(encoding_name(Codec::pcmu), "PCMU");
  EXPECT_EQ(encoding_name(Codec::pcma), "PCMA");
  EXPECT_EQ(default_payload_type(Codec::pcmu), 0);
  EXPECT_EQ(default_payload_type(Codec::pcma), 8);
  EXPECT_EQ(clock_rate(Codec::pcma), 8'000U);
}

TEST(Codec, FoundByNameAndRate) {
  EXPECT_EQ(find_codec("pcmU", 8'000), Codec::pcmu);
  EXPECT_EQ(find_codec("PCMA", 8'000), Codec::pcma);
  EXPECT_FALSE(find_codec("PCMA", 16'000));
  EXPECT_FALSE(find_codec("PCM", 8'000));
  EXPECT_FALSE(find_codec("", 8'000));
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
