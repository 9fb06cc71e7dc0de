#include "media/rtpengine/statistics.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>

#include "rtpengine_world.h"

namespace baton::media::rtpengine {
namespace {

// What Debian's rtpengine 10.5 said of a call of 12 s whose party (SSRC 4369) did not send each tenth packet,
// and where both sides sent reports.
Dictionary recorded() {
  const auto path = std::filesystem::path(__FILE__).parent_path() / "rtpengine_answers/delete.bencode";
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  std::stringstream text;
  text << file.rdbuf();
  const auto value = decode(text.str());
  EXPECT_TRUE(value) << path;
  return value && value->dictionary() != nullptr ? *value->dictionary() : Dictionary{};
}

Dictionary& inner(Dictionary& outer, const std::string& key) {
  return const_cast<Dictionary&>(*outer.at(key).dictionary());
}

TEST(RtpengineStatistics, ReadsWhatTheDaemonSays) {
  const auto totals = read_totals(recorded());
  ASSERT_TRUE(totals);
  EXPECT_EQ(totals->received, 540U);
  EXPECT_EQ(totals->given, 600U);
  EXPECT_EQ(totals->errors, 0U);
  ASSERT_TRUE(totals->reports);
  const Reports expected{4369, 5, 9, 8'000, 12'000, 12'694, 35'983};
  EXPECT_EQ(*totals->reports, expected);
}

TEST(RtpengineStatistics, WithoutReportsThereAreCountsAlone) {
  for (const char* leave_out : {"SSRC", "4369", "average MOS", "samples"}) {
    Dictionary answer = recorded();
    Dictionary* at = &answer;
    for (const char* key : {"SSRC", "4369", "average MOS", "samples"}) {
      if (std::string_view(key) == leave_out) {
        at->erase(key);
        break;
      }
      at = &inner(*at, key);
    }
    const auto totals = read_totals(answer);
    ASSERT_TRUE(totals) << leave_out;
    EXPECT_EQ(totals->received, 540U);
    EXPECT_FALSE(totals->reports) << leave_out;
  }
  Dictionary answer = recorded();
  answer.erase("tags");
  EXPECT_FALSE(read_totals(answer));
}

TEST(RtpengineStatistics, AbsurdNumbersAreBounded) {
  Dictionary answer = recorded();
  Dictionary& one = inner(inner(answer, "SSRC"), "4369");
  one.erase("MOS progression");
  one.at("cumulative loss") = std::int64_t{0xFFFFFF};  // -1 in 24 bits: a packet came twice
  Dictionary& mean = inner(one, "average MOS");
  mean.at("jitter") = std::numeric_limits<std::int64_t>::max();
  mean.at("round-trip time leg") = std::int64_t{-1};
  const auto totals = read_totals(answer);
  ASSERT_TRUE(totals && totals->reports);
  EXPECT_EQ(totals->reports->lost, 0U);
  EXPECT_EQ(totals->reports->jitter_us, 600'000'000U);
  EXPECT_EQ(totals->reports->round_trip_us, 0U);
}

TEST(RtpengineStatistics, ATallyGoesOverStreamsAndSsrcs) {
  ReportTally tally;
  Closed closed;
  tally.describe(100, closed);
  EXPECT_FALSE(closed.reported);
  EXPECT_FALSE(closed.round_trip_us);
  tally.add({1, 4, 10, 5'000, 9'000, 20'000, 50'000});
  tally.add({1, 1, 20, 6'000, 8'000, 30'000, 40'000});  // another stream is heard
  tally.add({1, 2, 30, 6'000, 8'000, 30'000, 40'000});
  tally.add({2, 3, 10, 2'000, 2'000, 10'000, 10'000});  // and reported from another SSRC
  tally.describe(1'000, closed);
  ASSERT_TRUE(closed.reported);
  EXPECT_EQ(closed.reported->lost, 4U + 3U);
  EXPECT_EQ(closed.reported->packets, 993U);
  EXPECT_EQ(closed.reported->jitter_us, 5'000U);
  EXPECT_EQ(closed.reported->jitter_us_max, 9'000U);
  EXPECT_EQ(closed.round_trip_us, 25'000U);
  EXPECT_EQ(closed.round_trip_us_max, 50'000U);
  tally.describe(5, closed);
  EXPECT_EQ(closed.reported->packets, 0U) << "more is reported lost than was sent";
  EXPECT_EQ(closed.reported->lost, 5U);
}

TEST_F(RtpenginePlane, TheLastOfWhatPartiesReportIsInTheTotals) {
  const auto report = [this](std::int64_t lost, std::int64_t samples) {
    const Dictionary mean{
        {"samples", samples}, {"jitter", std::int64_t{7}}, {"round-trip time leg", std::int64_t{15'000}}};
    call(1).ssrc = 42;
    call(1).reports = {{"42", Dictionary{{"average MOS", mean}, {"cumulative loss", lost}}},
                       {"99", Dictionary{{"average MOS", mean}, {"cumulative loss", std::int64_t{1'000}}}}};
  };
  establish(1);
  establish(2);
  bridge(1, 2);
  call(1).received = 500;
  report(9, 3);
  run(6s);
  report(2, 5);
  perform(Close{1});
  perform(Close{2});
  const auto closed = take<Closed>();
  ASSERT_EQ(closed.size(), 2U);
  ASSERT_TRUE(closed[0].reported);
  EXPECT_EQ(closed[0].reported->lost, 11U) << "asked meanwhile, and at the end";
  EXPECT_EQ(closed[0].reported->packets, 496U);
  EXPECT_EQ(closed[0].reported->jitter_us, 7'000U);
  EXPECT_EQ(closed[0].round_trip_us, 15'000U);
  EXPECT_FALSE(closed[0].received);
  EXPECT_FALSE(closed[1].reported);
}

}  // namespace
}  // namespace baton::media::rtpengine
