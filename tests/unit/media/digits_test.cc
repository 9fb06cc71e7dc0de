// Digits: what a party's telephone-events amount to, how ours are paced, tones made and found.
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "media/digits/player.h"
#include "media/digits/telephone_event.h"
#include "media/digits/tones.h"

namespace baton::media {
namespace {

TEST(TelephoneEvents, PayloadReadsBack) {
  const TelephoneEvent event{11, true, 63, 0xfedc};
  std::uint8_t bytes[telephone_event_bytes];
  write_telephone_event(event, bytes);
  EXPECT_EQ(bytes[1], 0xbf);
  EXPECT_EQ(read_telephone_event(bytes), event);
  EXPECT_FALSE(read_telephone_event({bytes, 3}));
}

TEST(TelephoneEvents, KeysAndTheirNumbers) {
  const std::string keys = "0123456789*#ABCD";
  for (std::uint8_t event = 0; event < digit_events; ++event) {
    EXPECT_EQ(key_of(event), keys[event]);
    EXPECT_EQ(event_of(keys[event]), event);
  }
  EXPECT_EQ(event_of('c'), 14);
  EXPECT_EQ(key_of(16), '\0');
  EXPECT_FALSE(event_of('E'));
  EXPECT_FALSE(event_of('\0'));
}

// Feeds packets and notes what became of them, "+5" for a digit that begins, "-5:160" for its end.
std::string story(EventReader& reader, const std::vector<std::pair<std::uint32_t, TelephoneEvent>>& packets) {
  std::string text;
  for (const auto& [timestamp, event] : packets) {
    const std::uint8_t before = reader.event();
    const auto change = reader.take(timestamp, event);
    if (change.before_lasted)
      text += std::string("-") + key_of(before) + ":" + std::to_string(*change.before_lasted) + " ";
    if (change.begins) text += std::string("+") + key_of(*change.begins) + " ";
    if (change.lasted)
      text += std::string("-") + key_of(reader.event()) + ":" + std::to_string(*change.lasted) + " ";
  }
  return text;
}

TEST(EventReader, EachDigitOnceHoweverOftenItsPacketsCome) {
  EventReader reader;
  EXPECT_EQ(story(reader, {{100, {5, false, 10, 160}},
                           {100, {5, false, 10, 160}},
                           {100, {5, false, 10, 480}},
                           {100, {5, false, 10, 320}},
                           {100, {5, true, 10, 800}},
                           {100, {5, true, 10, 800}},
                           {100, {5, false, 10, 640}},
                           {100, {5, true, 10, 800}}}),
            "+5 -5:800 ");
  // The same key again is another digit.
  EXPECT_EQ(story(reader, {{2'000, {5, true, 10, 400}}, {2'000, {5, true, 10, 400}}}), "+5 -5:400 ");
}

TEST(EventReader, LostEndsAndLatePackets) {
  EventReader reader;
  EXPECT_EQ(story(reader, {{100, {1, false, 10, 160}},
                           {100, {1, false, 10, 640}},
                           {2'000, {2, false, 10, 160}},
                           {100, {1, true, 10, 800}},
                           {4'000, {3, true, 10, 320}}}),
            "+1 -1:640 +2 -2:160 +3 -3:320 ");
}

TEST(EventReader, LongOnesComeInSegments) {
  EventReader reader;
  EXPECT_EQ(story(reader, {{100, {9, false, 10, 0xffff}},
                           {100 + 0xffff, {9, false, 10, 160}},
                           {100 + 2 * 0xffff, {9, false, 10, 160}},
                           {100 + 2 * 0xffff, {9, true, 10, 320}}}),
            "+9 -9:" + std::to_string(2 * 0xffff + 320) + " ");
}

// The packets of a long one stay away for a while: it is over then, and its later segments are no other one.
TEST(EventReader, WhatWasGivenUpDoesNotBeginAgain) {
  for (const std::uint32_t segments : {1U, 2U}) {
    EventReader reader;
    EXPECT_EQ(story(reader, {{100, {9, false, 10, 0xf000}}}), "+9 ");
    EXPECT_EQ(reader.give_up(), 0xf000U);
    EXPECT_EQ(story(reader, {{100 + segments * 0xffff, {9, false, 10, 160}},
                             {100 + 3 * 0xffff, {9, false, 10, 160}},
                             {100 + 3 * 0xffff, {9, true, 10, 320}},
                             {100 + 3 * 0xffff, {9, true, 10, 320}}}),
              "");
    EXPECT_FALSE(reader.open());
    EXPECT_EQ(story(reader, {{100 + 4 * 0xffff, {9, true, 10, 320}}}), "+9 -9:320 ") << "pressed again";
  }
}

TEST(EventReader, WhatIsNoDigitChangesNothing) {
  EventReader reader;
  EXPECT_EQ(story(reader, {{1, {16, false, 10, 160}}, {2, {255, true, 0, 160}}, {3, {5, false, 10, 0}}}), "");
}

// "s" sounds, "E" ended, "." pause; a capital S for the first packet.
std::string run(DigitPlayer& player, Time now, std::vector<DigitPlayer::Packet>* packets = nullptr) {
  std::string text;
  while (player.busy() && text.size() < 1'000) {
    const auto packet = player.next(now, 20ms);
    using Kind = DigitPlayer::Packet::Kind;
    text += packet.kind == Kind::pause ? '.' : packet.kind == Kind::ended ? 'E' : packet.first ? 'S' : 's';
    if (packets != nullptr) packets->push_back(packet);
    now += 20ms;
  }
  return text;
}

const Time start = from_micros(1'000'000'000);

TEST(DigitPlayer, ADigitOfKnownLength) {
  DigitPlayer player;
  std::vector<DigitPlayer::Packet> packets;
  player.play(start, 7, 100ms);
  EXPECT_EQ(run(player, start, &packets), "SsssEEE...");
  EXPECT_EQ(packets[0].lasted, 20ms);
  EXPECT_EQ(packets[3].lasted, 80ms);
  for (std::size_t i = 4; i < 7; ++i) EXPECT_EQ(packets[i].lasted, 100ms);
  EXPECT_EQ(packets[4].sounds_from, 80ms);
  EXPECT_EQ(packets[5].sounds_from, 100ms);
}

TEST(DigitPlayer, ShortOnesAreLongEnoughToBeHeard) {
  DigitPlayer player;
  player.play(start, 7, 1ms);
  player.play(start, 8, 1ms);
  EXPECT_EQ(run(player, start), "SsEEE...SsEEE...");
}

TEST(DigitPlayer, AKeyThatIsHeldSoundsUntilItIsLetGo) {
  DigitPlayer player;
  player.begin(start, 3);
  Time now = start;
  for (int i = 0; i < 50; ++i, now += 20ms) {
    player.hold(now);
    EXPECT_EQ(player.next(now, 20ms).kind, DigitPlayer::Packet::Kind::sounds);
  }
  player.end(1'020ms);
  std::vector<DigitPlayer::Packet> packets;
  EXPECT_EQ(run(player, now, &packets), "EEE...");
  EXPECT_EQ(packets[0].lasted, 1'020ms);
}

TEST(DigitPlayer, AForgottenKeyIsLetGo) {
  DigitPlayer player;
  player.begin(start, 3);
  const std::string text = run(player, start);
  EXPECT_EQ(text.substr(text.size() - 6), "EEE...");
  EXPECT_LE(text.size(), 40U);
}

TEST(DigitPlayer, AnotherKeyEndsTheOneBefore) {
  DigitPlayer player;
  player.begin(start, 3);
  static_cast<void>(player.next(start, 20ms));
  player.begin(start, 4);
  player.end(60ms);
  EXPECT_EQ(run(player, start), "sEEE...SsEEE...");
}

TEST(DigitPlayer, TheRowIsBounded) {
  DigitPlayer player;
  for (int i = 0; i < 1'000; ++i) player.play(start, 1, 60ms);
  EXPECT_EQ(run(player, start).size(), 32U * 8);
}

// ---- Tones ----

std::string digits_in(ToneDetector& detector, const std::vector<std::int16_t>& samples) {
  std::string found;
  for (std::size_t at = 0; at < samples.size(); at += 160) {
    const std::size_t size = std::min<std::size_t>(160, samples.size() - at);
    for (const auto& change : detector.take({samples.data() + at, size})) {
      if (change.event) {
        found += key_of(*change.event);
      } else {
        EXPECT_NEAR(static_cast<double>(change.lasted) / 8, 80, 30);
        found += ' ';
      }
    }
  }
  return found;
}

TEST(Tones, EveryDigitIsFoundOnceAndEnds) {
  ToneDetector detector;
  std::vector<std::int16_t> samples(800);
  for (std::uint8_t event = 0; event < digit_events; ++event) {
    const std::size_t at = samples.size();
    samples.resize(at + 640);
    // In pieces, as it is sent.
    for (std::size_t from = 0; from < 640; from += 160) {
      make_digit_tone(event, from, {samples.data() + at + from, 160});
    }
    samples.resize(samples.size() + 640);
  }
  EXPECT_EQ(digits_in(detector, samples), "0 1 2 3 4 5 6 7 8 9 * # A B C D ");
}

TEST(Tones, NoneInSilenceOrASteadyTone) {
  ToneDetector detector;
  std::vector<std::int16_t> samples(8'000);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    samples[i] =
        static_cast<std::int16_t>(8'000 * std::sin(2 * 3.14159265 * 440 * static_cast<double>(i) / 8'000));
  }
  EXPECT_EQ(digits_in(detector, std::vector<std::int16_t>(8'000)), "");
  EXPECT_EQ(digits_in(detector, samples), "");
  EXPECT_FALSE(detector.sounding());
}

}  // namespace
}  // namespace baton::media
