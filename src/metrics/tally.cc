#include "metrics/tally.h"

#include <algorithm>
#include <variant>

#include "call/hangup.h"

namespace baton::metrics {
namespace {

using call::Hangup;

constexpr std::array causes = {Hangup::normal,
                               Hangup::rtp_timeout,
                               Hangup::transferred,
                               Hangup::user_busy,
                               Hangup::user_cancelled,
                               Hangup::normal_callee,
                               Hangup::bad_request,
                               Hangup::unauthorized,
                               Hangup::insufficient_credits,
                               Hangup::forbidden,
                               Hangup::trunk_not_found,
                               Hangup::route_not_found,
                               Hangup::destination_not_found,
                               Hangup::destination_invalid,
                               Hangup::proxy_auth_required,
                               Hangup::request_timeout,
                               Hangup::unknown_caller_id,
                               Hangup::unsupported_uri_scheme,
                               Hangup::uri_invalid,
                               Hangup::temporarily_unavailable,
                               Hangup::call_does_not_exist,
                               Hangup::loop_detected,
                               Hangup::too_many_hops,
                               Hangup::sdp_not_acceptable,
                               Hangup::request_terminated,
                               Hangup::request_pending,
                               Hangup::barred_country,
                               Hangup::no_more_destinations,
                               Hangup::not_implemented,
                               Hangup::cps_limit_reached,
                               Hangup::concurrent_call_limit_exceeded,
                               Hangup::server_timeout,
                               Hangup::nomedia,
                               Hangup::internal_error,
                               Hangup::bad_gateway,
                               Hangup::unavailable,
                               Hangup::busy_everywhere,
                               Hangup::declined};

constexpr std::size_t other_cause = std::tuple_size_v<decltype(Tally::Spans::by_cause)> - 1;
static_assert(causes.size() <= other_cause);

double seconds(Duration span) {
  return static_cast<double>(span / 1us) / 1e6;
}

std::uint64_t at_least_0(std::int64_t value) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(value, 0));
}

struct Reception {
  std::int64_t packets, expected;  // the latter: sent, however many came
  std::optional<std::int64_t> lost, jitter_us, mos;
};

void add_way(Tally::Way& way, std::string_view codec, const Reception& seen) {
  if (seen.packets > 0) way.packets.add(codec, at_least_0(seen.packets));
  if (seen.lost) {
    way.lost.add(codec, at_least_0(*seen.lost));
    if (seen.expected > 0) {
      way.loss.observe(static_cast<double>(at_least_0(*seen.lost)) / static_cast<double>(seen.expected));
    }
  }
  if (seen.jitter_us) way.jitter.observe(static_cast<double>(*seen.jitter_us) / 1e6);
  if (seen.mos) way.mos.observe(static_cast<double>(*seen.mos) / 100);
}

}  // namespace

std::size_t cause_index(int hangup_code) {
  const auto found = std::find(causes.begin(), causes.end(), static_cast<Hangup>(hangup_code));
  return found == causes.end() ? other_cause : static_cast<std::size_t>(found - causes.begin());
}

int cause_at(std::size_t index) {
  return index < causes.size() ? static_cast<int>(causes[index]) : 0;
}

void Tally::count(const store::Record& record) {
  std::visit([this](const auto& one) { add(one); }, record);
}

void Tally::add(const call::Cdr& cdr) {
  Spans& spans = cdr.transfer_id.empty() ? original : transfer;
  spans.by_cause[cause_index(cdr.hangup_code)].fetch_add(1, std::memory_order_relaxed);
  if (!cdr.answered_at) return;
  spans.talked.observe(seconds(cdr.ended_at - *cdr.answered_at));
  spans.set_up.observe(seconds(*cdr.answered_at - cdr.initiated_at));
}

void Tally::add(const call::TransferRecord& record) {
  transfers.add(record.outcome);
  if (record.outcome == outcomes[0]) transfer_took.observe(seconds(record.ended_at - record.started_at));
}

void Tally::add(const call::LegQuality& quality) {
  const std::string_view codec = quality.codec.empty() ? std::string_view("none") : quality.codec;
  add_way(received, codec,
          {quality.packets_received, quality.packets_received + quality.lost.value_or(0), quality.lost,
           quality.jitter_us, quality.mos});
  add_way(sent, codec,
          {quality.packets_sent, quality.packets_sent, quality.reported_lost, quality.reported_jitter_us,
           quality.reported_mos});
  if (quality.packets_dropped > 0) packets_dropped.add(codec, at_least_0(quality.packets_dropped));
  if (quality.round_trip_us) round_trip.observe(static_cast<double>(*quality.round_trip_us) / 1e6);
}

void Tally::add(const call::RecordingRecord& record) {
  recordings.add(record.status);
}

}  // namespace baton::metrics
