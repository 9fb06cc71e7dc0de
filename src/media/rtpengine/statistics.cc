#include "media/rtpengine/statistics.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "media/rtpengine/requests.h"

namespace baton::media::rtpengine {
namespace {

// Whatever it says, sums of these stay in range.
constexpr std::int64_t us_max = 600'000'000;
constexpr std::int64_t count_max = 1'000'000;
constexpr std::int64_t us_in_ms = 1'000;
// RFC 3550 6.4.1: the cumulative number of packets lost is a signed number of 24 bits, which rtpengine passes
// on without its sign. Packets that came twice make it negative.
constexpr std::int64_t negative_lost = 0x800000;

const Dictionary* dictionary_in(const Dictionary& outer, std::string_view key) {
  const auto found = outer.find(key);
  return found == outer.end() ? nullptr : found->second.dictionary();
}

const List* list_in(const Dictionary& outer, std::string_view key) {
  const auto found = outer.find(key);
  return found == outer.end() ? nullptr : found->second.list();
}

const Dictionary* first_in(const Dictionary& outer, std::string_view key) {
  const List* list = list_in(outer, key);
  return list == nullptr || list->empty() ? nullptr : list->front().dictionary();
}

// A tag's RTP: its first medium's first stream.
const Dictionary* stream_of(const Dictionary& tags, std::string_view tag) {
  const Dictionary* one = dictionary_in(tags, tag);
  const Dictionary* medium = one == nullptr ? nullptr : first_in(*one, "medias");
  return medium == nullptr ? nullptr : first_in(*medium, "streams");
}

std::uint64_t count_of(const Dictionary* stream, std::string_view key) {
  const Dictionary* stats = stream == nullptr ? nullptr : dictionary_in(*stream, "stats");
  if (stats == nullptr) return 0;
  return static_cast<std::uint64_t>(std::max<std::int64_t>(integer_of(*stats, key), 0));
}

std::uint32_t jitter_in(const Dictionary& report) {
  const std::int64_t ms = std::clamp<std::int64_t>(integer_of(report, "jitter"), 0, us_max / us_in_ms);
  return static_cast<std::uint32_t>(ms * us_in_ms);
}

std::uint32_t round_trip_in(const Dictionary& report) {
  return static_cast<std::uint32_t>(
      std::clamp<std::int64_t>(integer_of(report, "round-trip time leg"), 0, us_max));
}

std::optional<Reports> read_reports(const Dictionary& answer, const Dictionary* party) {
  const std::int64_t ssrc = party == nullptr ? 0 : integer_of(*party, "SSRC");
  const Dictionary* ssrcs = dictionary_in(answer, "SSRC");
  const Dictionary* one = ssrcs == nullptr ? nullptr : dictionary_in(*ssrcs, std::to_string(ssrc));
  const Dictionary* mean = one == nullptr ? nullptr : dictionary_in(*one, "average MOS");
  if (mean == nullptr) return std::nullopt;
  Reports reports;
  reports.ssrc = static_cast<std::uint32_t>(ssrc);
  reports.count =
      static_cast<std::uint64_t>(std::clamp<std::int64_t>(integer_of(*mean, "samples"), 0, count_max));
  if (reports.count == 0) return std::nullopt;
  const std::int64_t lost = integer_of(*one, "cumulative loss");
  if (lost > 0 && lost < negative_lost) reports.lost = static_cast<std::uint64_t>(lost);
  reports.jitter_us = jitter_in(*mean);
  reports.round_trip_us = round_trip_in(*mean);
  const auto hold_against = [&reports](const Dictionary* report) {
    if (report == nullptr) return;
    reports.jitter_us_max = std::max(reports.jitter_us_max, jitter_in(*report));
    reports.round_trip_us_max = std::max(reports.round_trip_us_max, round_trip_in(*report));
  };
  hold_against(mean);
  hold_against(dictionary_in(*one, "lowest MOS"));
  const Dictionary* progression = dictionary_in(*one, "MOS progression");
  const List* entries = progression == nullptr ? nullptr : list_in(*progression, "entries");
  if (entries == nullptr) return reports;
  for (const Value& entry : *entries) hold_against(entry.dictionary());
  return reports;
}

}  // namespace

std::optional<Totals> read_totals(const Dictionary& answer) {
  const Dictionary* tags = dictionary_in(answer, "tags");
  if (tags == nullptr) return std::nullopt;
  const Dictionary* party = stream_of(*tags, party_tag);
  return Totals{count_of(party, "packets"), count_of(party, "errors"),
                count_of(stream_of(*tags, void_tag), "packets"), read_reports(answer, party)};
}

ReportTally::Sums ReportTally::sums() const {
  Sums all = before_;
  if (last_) {
    all.count += last_->count;
    all.jitter_us += last_->count * last_->jitter_us;
    all.round_trip_us += last_->count * last_->round_trip_us;
  }
  return all;
}

void ReportTally::add(const Reports& reports) {
  if (last_ && last_->ssrc != reports.ssrc) before_ = sums();
  if (last_ && reports.lost < last_->lost) lost_before_ += last_->lost;
  last_ = reports;
  jitter_us_max_ = std::max(jitter_us_max_, reports.jitter_us_max);
  round_trip_us_max_ = std::max(round_trip_us_max_, reports.round_trip_us_max);
}

void ReportTally::describe(std::uint64_t given, Closed& closed) const {
  const Sums all = sums();
  if (all.count == 0) return;
  const auto mean = [&all](std::uint64_t sum) { return static_cast<std::uint32_t>(sum / all.count); };
  const std::uint64_t lost = std::min(lost_before_ + last_->lost, given);
  closed.reported = Reception{given - lost, lost, mean(all.jitter_us), jitter_us_max_};
  closed.round_trip_us = mean(all.round_trip_us);
  closed.round_trip_us_max = round_trip_us_max_;
}

}  // namespace baton::media::rtpengine
