#include "call/quality.h"

#include <gtest/gtest.h>

namespace baton::call {
namespace {

TEST(Quality, ACleanCallIsAsGoodAsG711Gets) {
  // R = 93.2 - 0.024 * 20 ms = 92.72.
  EXPECT_EQ(estimate_mos({}), 440);
}

TEST(Quality, KnownPointsOfTheModel) {
  // 5 % loss: Ie,eff = 95 * 5 / 30.1 = 15.78, R = 76.94.
  EXPECT_NEAR(estimate_mos({.loss = 0.05}), 390, 1);
  // 400 ms one way and 20 ms of packet: Id = 10.08 + 26.697, R = 56.42.
  EXPECT_NEAR(estimate_mos({.round_trip_us = 800'000}), 291, 1);
}

TEST(Quality, WorseIsNeverRatedBetter) {
  int last = 450;
  for (int percent = 0; percent <= 100; ++percent) {
    const int mos = estimate_mos({.loss = percent / 100.0});
    EXPECT_LE(mos, last);
    last = mos;
  }
  EXPECT_LT(last, 200);
  last = 450;
  for (std::uint32_t ms = 0; ms <= 3'000; ms += 50) {
    const int mos = estimate_mos({.jitter_us = ms * 500, .round_trip_us = ms * 1'000});
    EXPECT_LE(mos, last);
    last = mos;
  }
  EXPECT_EQ(last, 100);
}

TEST(Quality, OnlyWhatWasMeasuredIsSaid) {
  media::Closed closed{1, 10, 20, 3};
  LegQuality quality;
  describe(closed, quality);
  EXPECT_EQ(quality.packets_received, 10);
  EXPECT_EQ(quality.packets_sent, 20);
  EXPECT_EQ(quality.packets_dropped, 3);
  EXPECT_EQ(quality.codec, "");
  for (const auto& figure : {quality.lost, quality.mos, quality.jitter_us, quality.reported_lost,
                             quality.reported_mos, quality.round_trip_us}) {
    EXPECT_FALSE(figure);
  }
  closed.codec = sdp::Codec::pcma;
  closed.received = media::Reception{90, 10, 2'000, 9'000};
  closed.reported = media::Reception{20, 0, 500, 600};
  closed.round_trip_us = 30'000;
  describe(closed, quality);
  EXPECT_EQ(quality.codec, "PCMA");
  EXPECT_EQ(quality.lost, 10);
  EXPECT_EQ(quality.jitter_us, 2'000);
  EXPECT_EQ(quality.jitter_us_max, 9'000);
  EXPECT_EQ(quality.reported_lost, 0);
  EXPECT_LT(*quality.mos, *quality.reported_mos);
  EXPECT_EQ(quality.round_trip_us, 30'000);
  closed.received = media::Reception{};
  describe(closed, quality);
  EXPECT_FALSE(quality.mos);
}

}  // namespace
}  // namespace baton::call
