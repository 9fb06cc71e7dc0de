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
  EXPECT_EQ(numbers.known(), (CodecNumberSets{{Codec::g722, 9}, {Codec::opus, 111}}));
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
  EXPECT_EQ(numbers.known(), (CodecNumberSets{{Codec::opus, 96}, {Codec::opus, 111}}));
}

TEST(PayloadNumbers, TelephoneEventsAtEachClock) {
  PayloadNumbers numbers;
  EXPECT_EQ(numbers.event_number(EventClock::at_8000), 101);
  EXPECT_EQ(numbers.event_number(EventClock::at_48000), 110);
  numbers.learn(
      description("m=audio 4000 RTP/AVP 0 96 97\r\na=rtpmap:96 telephone-event/48000\r\n"
                  "a=rtpmap:97 telephone-event/8000\r\n"));
  EXPECT_EQ(numbers.event_number(EventClock::at_8000), 97);
  EXPECT_EQ(numbers.event_number(EventClock::at_48000), 96);
  const auto known = numbers.known_events();
  EventNumberSets expected;
  for (const unsigned number : {97U, 101U}) expected.add(EventClock::at_8000, number);
  for (const unsigned number : {96U, 110U}) expected.add(EventClock::at_48000, number);
  EXPECT_EQ(known, expected);
  EXPECT_TRUE(known.has(EventClock::at_8000, 97));
  EXPECT_FALSE(known.has(EventClock::at_8000, 96));
  EXPECT_FALSE(known.has(EventClock::at_8000, 0));
}

// A number means one thing: what it was said to mean last.
TEST(PayloadNumbers, TelephoneEventsUnderACodecsNumber) {
  PayloadNumbers numbers;
  EXPECT_EQ(numbers.format(Codec::opus).payload_type, 111);
  numbers.learn(description("m=audio 4000 RTP/AVP 0 111\r\na=rtpmap:111 telephone-event/8000\r\n"));
  EXPECT_EQ(numbers.event_number(EventClock::at_8000), 111);
  EXPECT_EQ(numbers.known(), (CodecNumberSets{{Codec::pcmu, 0}}));
  EXPECT_EQ(numbers.format(Codec::opus).payload_type, 127);
}

TEST(PayloadNumbers, ACodecUnderTheNumberOfTelephoneEvents) {
  PayloadNumbers numbers;
  EXPECT_EQ(numbers.event_number(EventClock::at_8000), 101);
  numbers.learn(description("m=audio 4000 RTP/AVP 101\r\na=rtpmap:101 opus/48000/2\r\n"));
  EXPECT_EQ(numbers.known_events(), EventNumberSets{});
  EXPECT_EQ(numbers.event_number(EventClock::at_8000), 127);
  EXPECT_EQ(numbers.format(Codec::opus).payload_type, 101);
}

TEST(PayloadNumbers, NoTelephoneEventsWithoutAFreeNumber) {
  PayloadNumbers numbers;
  for (unsigned number = 96; number < 128; ++number) numbers.reserve(static_cast<std::uint8_t>(number));
  EXPECT_FALSE(numbers.event_number(EventClock::at_8000));
}

TEST(PayloadNumbers, FullOfOthersTheFirstDynamicOneIsTaken) {
  PayloadNumbers numbers;
  for (unsigned number = 96; number < 128; ++number) numbers.reserve(static_cast<std::uint8_t>(number));
  EXPECT_EQ(numbers.format(Codec::opus).payload_type, 96);
}

}  // namespace
}  // namespace baton::sdp
