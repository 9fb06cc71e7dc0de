// What each payload number of a party means.
#include "media/relay/payload_meanings.h"

#include <gtest/gtest.h>

namespace baton::media {
namespace {

TEST(PayloadMeanings, SaysNothingOfWhatWasNotSet) {
  PayloadMeanings meanings;
  for (std::uint8_t number = 0; number < PayloadMeanings::numbers; ++number) {
    EXPECT_EQ(meanings.of(number), Meaning::nothing);
  }
}

TEST(PayloadMeanings, KeepsEachNumberApartFromItsNeighbours) {
  for (std::uint8_t number = 0; number < PayloadMeanings::numbers; ++number) {
    PayloadMeanings meanings;
    meanings.set(number, sdp::Codec::opus);
    for (std::uint8_t other = 0; other < PayloadMeanings::numbers; ++other) {
      EXPECT_EQ(meanings.of(other), other == number ? Meaning::audio : Meaning::nothing);
    }
    meanings.clear();
    EXPECT_EQ(meanings.of(number), Meaning::nothing);
  }
}

TEST(PayloadMeanings, TellsCodecsAndClocksApart) {
  PayloadMeanings meanings;
  std::uint8_t number = 0;
  for (const sdp::Codec codec : sdp::all_codecs) meanings.set(number++, codec);
  for (const sdp::EventClock clock : sdp::event_clocks) meanings.set(number++, clock);
  meanings.set_comfort_noise(number);
  number = 0;
  for (const sdp::Codec codec : sdp::all_codecs) {
    EXPECT_EQ(meanings.of(number), Meaning::audio);
    EXPECT_EQ(meanings.codec(number++), codec);
  }
  for (const sdp::EventClock clock : sdp::event_clocks) {
    EXPECT_EQ(meanings.of(number), Meaning::telephone_event);
    EXPECT_EQ(meanings.events_clock(number++), sdp::clock_rate(clock));
  }
  EXPECT_EQ(meanings.of(number), Meaning::comfort_noise);
}

TEST(PayloadMeanings, BelievesTheLatest) {
  PayloadMeanings meanings;
  meanings.set(101, sdp::Codec::g722);
  meanings.set(101, sdp::EventClock::at_48000);
  EXPECT_EQ(meanings.of(101), Meaning::telephone_event);
  EXPECT_EQ(meanings.events_clock(101), 48'000U);
  meanings.set(101, sdp::EventClock::at_8000);
  EXPECT_EQ(meanings.events_clock(101), 8'000U);
}

}  // namespace
}  // namespace baton::media
