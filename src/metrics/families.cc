#include "metrics/families.h"

#include <string>
#include <utility>

#include "call/hangup.h"

namespace baton::metrics {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

using Labels = std::vector<ClientMetric::Label>;

class Page {
 public:
  [[nodiscard]] std::vector<MetricFamily> take() { return std::move(families_); }

  void family(MetricType type, const char* name, const char* help) {
    MetricFamily& added = families_.emplace_back();
    added.name = name;
    added.help = help;
    added.type = type;
  }
  // Of the family that was begun last.
  template <typename Number>
  void value(Number number, Labels labels = {}) {
    ClientMetric& metric = add(std::move(labels));
    const auto plain = static_cast<double>(number);
    (families_.back().type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = plain;
  }
  template <std::size_t N>
  void histogram(const Histogram<N>& histogram, Labels labels = {}) {
    ClientMetric::Histogram& form = add(std::move(labels)).histogram;
    std::uint64_t so_far = 0;
    for (std::size_t i = 0; i < N; ++i) {
      so_far += histogram.count(i);
      form.bucket.push_back({so_far, histogram.bounds()[i]});
    }
    // The total is what was counted just now, so that no bucket is above it.
    form.sample_count = so_far + histogram.count(N);
    form.sample_sum = histogram.sum();
  }
  template <typename Number>
  void counter(const char* name, const char* help, Number number) {
    family(MetricType::Counter, name, help);
    value(number);
  }
  template <typename Number>
  void gauge(const char* name, const char* help, Number number) {
    family(MetricType::Gauge, name, help);
    value(number);
  }

 private:
  ClientMetric& add(Labels labels) {
    ClientMetric& metric = families_.back().metric.emplace_back();
    metric.label = std::move(labels);
    return metric;
  }

  std::vector<MetricFamily> families_;
};

template <std::size_t N>
void words(Page& page, const char* label, const Words<N>& counted, const Labels& more = {}) {
  for (std::size_t i = 0; i < counted.size(); ++i) {
    Labels labels = more;
    labels.push_back({label, std::string(counted.word(i))});
    page.value(counted.count(i), std::move(labels));
  }
}

void add_calls(Page& page, const Snapshot& now, const Tally& tally) {
  const engine::Census& census = now.shard.census;
  const engine::Counters& counters = now.shard.counters;
  page.gauge("baton_calls", "Calls at the moment.", census.calls);
  page.gauge("baton_legs", "Legs whose party is there at the moment.", census.live_legs);
  page.gauge("baton_transfers", "Transfers in progress.", census.transfers);
  page.gauge("baton_transactions", "SIP transactions, those included that only wait for repetitions.",
             census.transactions);
  page.counter("baton_calls_started_total", "Calls that were let in.", counters.calls_started);
  page.counter("baton_calls_answered_total", "Calls that were answered.", counters.calls_answered);
  page.counter("baton_calls_queued_total", "Calls that waited for their account's rate.",
               counters.calls_queued);
  page.family(MetricType::Counter, "baton_call_records_total",
              "Call records by the leg they are of and the hang-up cause.");
  for (const auto& [leg, spans] : {std::pair{"original", &tally.original}, {"transfer", &tally.transfer}}) {
    for (std::size_t i = 0; i < spans->by_cause.size(); ++i) {
      const std::uint64_t count = spans->by_cause[i].load(std::memory_order_relaxed);
      if (count == 0) continue;  // most causes never come up
      const int code = cause_at(i);
      const std::string cause = code == 0 ? "other" : std::string(to_string(static_cast<call::Hangup>(code)));
      page.value(count, {{"leg", leg}, {"code", std::to_string(code)}, {"cause", cause}});
    }
  }
  page.family(MetricType::Histogram, "baton_talk_seconds", "From answer to end, of answered calls, by leg.");
  page.histogram(tally.original.talked, {{"leg", "original"}});
  page.histogram(tally.transfer.talked, {{"leg", "transfer"}});
  page.family(MetricType::Histogram, "baton_answer_seconds",
              "From the start to the answer of the original leg.");
  page.histogram(tally.original.set_up);
  page.family(MetricType::Counter, "baton_transfers_total", "Transfers that are over, by outcome.");
  words(page, "outcome", tally.transfers);
  page.family(MetricType::Histogram, "baton_transfer_seconds",
              "From the REFER to the end of the transfer, of those that succeeded.");
  page.histogram(tally.transfer_took);
}

void add_media(Page& page, const Tally& tally) {
  const std::pair<const char*, const Tally::Way*> ways[] = {{"received", &tally.received},
                                                            {"sent", &tally.sent}};
  page.family(MetricType::Counter, "baton_rtp_packets_total",
              "RTP packets of legs that have ended, by what their party was sent.");
  for (const auto& [name, way] : ways) words(page, "codec", way->packets, {{"way", name}});
  page.family(MetricType::Counter, "baton_rtp_lost_total",
              "Packets that did not arrive; of those sent, as the party reports it.");
  for (const auto& [name, way] : ways) words(page, "codec", way->lost, {{"way", name}});
  page.family(MetricType::Counter, "baton_rtp_dropped_total",
              "Packets that were not passed on: not of the party, above its rate, not understood.");
  words(page, "codec", tally.packets_dropped);
  page.family(MetricType::Histogram, "baton_leg_mos",
              "Estimated mean opinion score of each leg and way (G.107).");
  for (const auto& [name, way] : ways) page.histogram(way->mos, {{"way", name}});
  page.family(MetricType::Histogram, "baton_leg_loss_ratio", "Lost packets of each leg and way, 0 to 1.");
  for (const auto& [name, way] : ways) page.histogram(way->loss, {{"way", name}});
  page.family(MetricType::Histogram, "baton_leg_jitter_seconds",
              "Jitter of each leg and way (RFC 3550 6.4.1).");
  for (const auto& [name, way] : ways) page.histogram(way->jitter, {{"way", name}});
  page.family(MetricType::Histogram, "baton_leg_round_trip_seconds", "Round trip to each party, from RTCP.");
  page.histogram(tally.round_trip);
  page.family(MetricType::Counter, "baton_recordings_total", "Recordings that are over, by status.");
  words(page, "status", tally.recordings);
}

void add_network(Page& page, const Snapshot& now) {
  const net::Probe& net = now.shard.net;
  const engine::Counters& counters = now.shard.counters;
  page.counter("baton_sip_messages_received_total", "SIP messages received.", counters.messages_in);
  page.counter("baton_sip_malformed_total", "Messages that could not be read, and were not answered.",
               counters.malformed_dropped);
  page.family(MetricType::Counter, "baton_datagrams_total", "UDP datagrams of SIP.");
  page.value(net.datagrams_in, {{"way", "received"}});
  page.value(net.datagrams_out, {{"way", "sent"}});
  page.counter("baton_datagrams_lost_total", "Datagrams that the kernel dropped because we were slow.",
               net.datagrams_lost_in_kernel);
  page.gauge("baton_connections", "TCP and TLS connections that are up.", now.shard.connections);
  page.counter("baton_connects_failed_total", "Connections of ours that did not come up.",
               net.connects_failed);
  page.counter("baton_accepts_refused_total", "Connections of others that there was no room for.",
               net.accepts_refused);
  page.counter("baton_tls_handshakes_failed_total", "TLS handshakes that failed or took too long.",
               net.handshakes_failed + net.handshakes_slow);
  page.counter("baton_names_failed_total", "Names that could not be looked up.",
               net.resolves_failed + net.resolves_timed_out);
  page.counter("baton_strangers_limited_total", "Messages of unknown sources above their rate.",
               counters.strangers_limited);
  page.counter("baton_sources_silenced_total", "Unknown sources that are no longer answered.",
               counters.sources_silenced);
  page.counter("baton_logins_failed_total", "Requests with wrong credentials.", counters.logins_failed);
  page.counter("baton_overload_refused_total", "Calls refused with 503 because of overload.",
               counters.overload_refused);
}

void add_process(Page& page, const Snapshot& now) {
  if (const auto& loads = now.shard.media_loads; !loads.empty()) {
    page.family(MetricType::Gauge, "baton_media_thread_endpoints",
                "Parties whose audio each thread carries.");
    for (std::size_t i = 0; i < loads.size(); ++i) page.value(loads[i], {{"thread", std::to_string(i)}});
  }
  page.counter("baton_shard_rounds_total", "Rounds of the shard's loop.", now.shard.probe.rounds);
  page.counter("baton_shard_steps_slow_total", "Inputs that held up all calls for more than 50 ms.",
               now.shard.probe.steps_slow);
  page.counter("baton_shard_steps_failed_total", "Inputs whose handling failed.",
               now.shard.probe.steps_failed);
  page.gauge("baton_shard_heard_timestamp_seconds",
             "When the shard last published its state; a shard that is stuck does not.",
             static_cast<double>(to_micros(now.shard.at)) / 1e6);
  page.gauge("baton_store_waiting", "Records that wait to be written.", now.store.queued);
  page.gauge("baton_store_healthy", "1 while the store takes records, 0 while it refuses.",
             now.store.healthy ? 1 : 0);
  page.counter("baton_store_written_total", "Records written.", now.store.written);
  page.counter("baton_store_traces_dropped_total", "Trace messages shed because the store could not keep up.",
               now.store.traces_dropped);
}

}  // namespace

std::vector<MetricFamily> families(const Snapshot& snapshot, const Tally& tally) {
  Page page;
  add_calls(page, snapshot, tally);
  add_media(page, tally);
  add_network(page, snapshot);
  add_process(page, snapshot);
  return page.take();
}

}  // namespace baton::metrics
