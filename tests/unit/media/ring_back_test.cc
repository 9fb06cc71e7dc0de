#include "media/relay/ring_back.h"

#include <gtest/gtest.h>

#include "media/relay/g711.h"
#include "unit/media/audio.h"

namespace baton::media {
namespace {

using sdp::Codec;

std::vector<std::int16_t> played(const char* country, Codec codec = Codec::pcmu) {
  return decode(codec, render(ring_back_plan(country), codec));
}

std::span<const std::int16_t> part(const std::vector<std::int16_t>& samples, unsigned from_ms,
                                   unsigned to_ms) {
  return std::span(samples).subspan(from_ms * 8U, (to_ms - from_ms) * 8U);
}

// -19 dBm0 against a full scale of +3.15 dBm0.
constexpr double level = 2'558;

TEST(RingBack, NorthAmerica) {
  const auto samples = played("US");
  ASSERT_EQ(samples.size(), 6'000U * 8);
  EXPECT_NEAR(test::amplitude_at(440, part(samples, 0, 2000)), level, level * 0.03);
  EXPECT_NEAR(test::amplitude_at(480, part(samples, 0, 2000)), level, level * 0.03);
  EXPECT_LT(test::amplitude_at(425, part(samples, 0, 2000)), level * 0.02);
  EXPECT_LT(test::rms(part(samples, 2000, 6000)), 10);
}

TEST(RingBack, Germany) {
  const auto samples = played("DE", Codec::pcma);
  ASSERT_EQ(samples.size(), 5'000U * 8);
  EXPECT_NEAR(test::amplitude_at(425, part(samples, 0, 1000)), level, level * 0.03);
  EXPECT_LT(test::rms(part(samples, 1000, 5000)), 10);
}

TEST(RingBack, BritainRingsTwice) {
  const auto samples = played("GB");
  ASSERT_EQ(samples.size(), 3'000U * 8);
  for (const unsigned start : {0U, 600U}) {
    EXPECT_NEAR(test::amplitude_at(400, part(samples, start, start + 400)), level, level * 0.03);
    EXPECT_NEAR(test::amplitude_at(450, part(samples, start, start + 400)), level, level * 0.03);
  }
  EXPECT_LT(test::rms(part(samples, 400, 600)), 10);
  EXPECT_LT(test::rms(part(samples, 1000, 3000)), 10);
}

TEST(RingBack, IndiaSwellsAtTwentyFive) {
  const auto samples = played("IN");
  EXPECT_NEAR(test::amplitude_at(400, part(samples, 0, 400)), level, level * 0.03);
  EXPECT_NEAR(test::amplitude_at(375, part(samples, 0, 400)), level / 2, level * 0.03);
  EXPECT_NEAR(test::amplitude_at(425, part(samples, 0, 400)), level / 2, level * 0.03);
}

TEST(RingBack, Cadences) {
  const struct {
    const char* country;
    unsigned first_hz, cycle_ms;
  } cases[] = {{"FR", 440, 5000}, {"JP", 400, 3000}, {"AU", 413, 3000}, {"CN", 450, 5000}, {"ZA", 400, 3000},
               {"ES", 425, 4500}, {"KR", 440, 3000}, {"CA", 440, 6000}, {"AE", 400, 3000}, {"AT", 420, 6000}};
  for (const auto& c : cases) {
    const RingBackPlan& plan = ring_back_plan(c.country);
    EXPECT_EQ(plan.first_hz, c.first_hz) << c.country;
    EXPECT_EQ(render(plan, Codec::pcmu).size(), c.cycle_ms * 8U) << c.country;
  }
}

TEST(RingBack, UnknownCountriesHearTheDefault) {
  for (const char* country : {"", "XX", "us", "A", "ZZZZ", "DE", "PL"}) {
    EXPECT_EQ(ring_back_plan(country).first_hz, 425U) << country;
    EXPECT_EQ(ring_back_plan(country).bursts[0].off_ms, 4000U) << country;
  }
}

TEST(RingBack, LibraryRendersOnce) {
  RingBackLibrary library;
  const auto& first = library.cadence(ring_back_plan("US"), Codec::pcmu);
  EXPECT_NE(&library.cadence(ring_back_plan("US"), Codec::pcma), &first);
  EXPECT_EQ(&library.cadence(ring_back_plan("CA"), Codec::pcmu), &first);
}

}  // namespace
}  // namespace baton::media
