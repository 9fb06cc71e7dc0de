#include "sdp/payload_numbers.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace baton::sdp {
namespace {

RemoteAudio description(const std::string& media) {
  auto audio =
      read_description("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n" + media);
  EXPECT_TRUE(audio) << media;
  return audio ? *audio : RemoteAudio{};
}

TEST(PayloadNumbers, UsualOnesToBeginWith) {
  PayloadNumbers numbers;
  EXPECT_EQ(numbers.format(Codec::g722), (Format{Codec::g722, 9}));
  EXPECT_EQ(numbers.format(Codec::opus), (Format{Codec::opus, 111}));
  EXPECT_EQ(numbers.known(), (std::vector<Format>{{Codec::g722, 9}, {Codec::opus, 111}}));
  EXPECT_FALSE(numbers.named_by_peer(Codec::opus));
}

TEST(PayloadNumbers, ThePeersAreKept) {
  PayloadNumbers numbers;
  numbers.learn(description("m=audio 4000 RTP/AVP 0 107\r\na=rtpmap:107 opus/48000/2\r\n"));
  EXPECT_EQ(numbers.format(Codec::opus), (Format{Codec::opus, 107}));
  EXPECT_TRUE(numbers.named_by_peer(Codec::opus));
  EXPECT_FALSE(numbers.named_by_peer(Codec::pcma));
  numbers.learn(description("m=audio 4000 RTP/AVP 0\r\n"));
  EXPECT_EQ(numbers.format(Codec::opus), (Format{Codec::opus, 107})) << "RFC 6337 5.3";
}

TEST(PayloadNumbers, WhatIsTakenIsNotGivenToAnother) {
  PayloadNumbers numbers;
  numbers.learn(
      description("m=audio 4000 RTP/AVP 0 111 127\r\na=rtpmap:111 speex/16000\r\n"
                  "a=rtpmap:127 telephone-event/8000\r\n"));
  numbers.reserve(126);
  EXPECT_EQ(numbers.format(Codec::opus), (Format{Codec::opus, 125}));
  EXPECT_EQ(numbers.format(Codec::opus), (Format{Codec::opus, 125}));
}

TEST(PayloadNumbers, OursGoesOnWhenThePeerAnswersWithAnother) {
  PayloadNumbers numbers;
  EXPECT_EQ(numbers.format(Codec::opus).payload_type, 111);
  numbers.learn(description("m=audio 4000 RTP/AVP 96\r\na=rtpmap:96 opus/48000/2\r\n"));
  EXPECT_EQ(numbers.format(Codec::opus).payload_type, 96);
  EXPECT_EQ(numbers.known(), (std::vector<Format>{{Codec::opus, 96}, {Codec::opus, 111}}));
}

TEST(PayloadNumbers, FullOfOthersTheFirstDynamicOneIsTaken) {
  PayloadNumbers numbers;
  for (unsigned number = 96; number < 128; ++number) numbers.reserve(static_cast<std::uint8_t>(number));
  EXPECT_EQ(numbers.format(Codec::opus).payload_type, 96);
}

}  // namespace
}  // namespace baton::sdp
