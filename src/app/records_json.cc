#include "app/records_json.h"

#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "app/text.h"

namespace baton::app {
namespace {

using Json = nlohmann::ordered_json;

Json or_null(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}
Json or_null(int number) {
  return number == 0 ? Json(nullptr) : Json(number);
}
Json or_null(const std::optional<Time>& time) {
  return time ? Json(to_iso8601(*time)) : Json(nullptr);
}

// Money is text: a binary fraction can not hold a cent.
std::string amount(std::int64_t micros) {
  const auto magnitude = static_cast<unsigned long long>(micros < 0 ? -micros : micros);
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "%s%llu.%06llu", micros < 0 ? "-" : "", magnitude / 1'000'000,
                magnitude % 1'000'000);
  return text.data();
}

Json or_null(const std::optional<std::int64_t>& number) {
  return number ? Json(*number) : Json(nullptr);
}

// Tenths of a millisecond are what jitter is good for.
Json milliseconds(const std::optional<std::int64_t>& micros) {
  if (!micros) return nullptr;
  return static_cast<double>((*micros + 50) / 100) / 10;
}

Json score(const std::optional<std::int64_t>& hundredths) {
  return hundredths ? Json(static_cast<double>(*hundredths) / 100) : Json(nullptr);
}

Json json_of(const call::LegQuality& leg) {
  return Json{
      {"party", leg.party},
      {"sip_call_id", leg.sip_call_id},
      {"codec", or_null(leg.codec)},
      {"packets_received", leg.packets_received},
      {"packets_sent", leg.packets_sent},
      {"packets_dropped", leg.packets_dropped},
      {"packets_lost", or_null(leg.lost)},
      {"jitter_ms", milliseconds(leg.jitter_us)},
      {"jitter_max_ms", milliseconds(leg.jitter_us_max)},
      {"mos", score(leg.mos)},
      {"reported_packets_lost", or_null(leg.reported_lost)},
      {"reported_jitter_ms", milliseconds(leg.reported_jitter_us)},
      {"reported_jitter_max_ms", milliseconds(leg.reported_jitter_us_max)},
      {"reported_mos", score(leg.reported_mos)},
      {"round_trip_ms", milliseconds(leg.round_trip_us)},
      {"round_trip_max_ms", milliseconds(leg.round_trip_us_max)},
  };
}

Json json_of(const call::RecordingRecord& recording) {
  return Json{
      {"recording_id", recording.recording_id},
      {"call_uuid", recording.call_uuid},
      {"root_call_uuid", recording.root_call_uuid},
      {"transfer_id", or_null(recording.transfer_id)},
      {"chain_id", recording.chain_id},
      {"segment", recording.segment},
      {"account_id", recording.account_id},
      {"trunk_id", recording.trunk_id},
      {"file", or_null(recording.file)},
      {"status", recording.status},
      {"reason", or_null(recording.reason)},
      {"started_at", to_iso8601(recording.started_at)},
      {"ended_at", to_iso8601(recording.ended_at)},
      {"duration_ms", recording.duration_ms},
      {"bytes", recording.bytes},
      {"packets_dropped", recording.packets_dropped},
  };
}

Json json_of(const call::Cdr& cdr) {
  Json recordings = Json::array();
  for (const call::RecordingRecord& one : cdr.recordings) recordings.push_back(json_of(one));
  Json media = Json::array();
  for (const call::LegQuality& leg : cdr.media) media.push_back(json_of(leg));
  const Duration answered = cdr.answered_at ? cdr.ended_at - *cdr.answered_at : Duration{0};
  return Json{
      {"call_uuid", cdr.call_uuid},
      {"root_call_uuid", cdr.root_call_uuid},
      {"transfer_id", or_null(cdr.transfer_id)},
      {"leg_role", cdr.leg_role},
      {"account_id", cdr.account_id},
      {"trunk_id", cdr.trunk_id},
      {"trunk_domain", cdr.trunk_domain},
      {"carrier_id", or_null(cdr.carrier_id)},
      {"call_direction", cdr.direction},
      {"from_number", cdr.from_number},
      {"to_number", cdr.to_number},
      {"from_country", or_null(cdr.from_country)},
      {"to_country", or_null(cdr.to_country)},
      {"initiation_time", to_iso8601(cdr.initiated_at)},
      {"answer_time", or_null(cdr.answered_at)},
      {"end_time", to_iso8601(cdr.ended_at)},
      {"call_duration", begun_seconds(cdr.ended_at - cdr.initiated_at)},
      {"bill_duration", begun_seconds(answered)},
      {"sip_status", or_null(cdr.sip_status)},
      {"hangup_cause_name", cdr.hangup_cause},
      {"hangup_cause_code", cdr.hangup_code},
      {"hangup_source", call::to_string(cdr.hangup_source)},
      {"transport_protocol", cdr.transport},
      {"total_amount", amount(cdr.price_micros)},
      {"caller_sip_call_id", cdr.caller_sip_call_id},
      {"destination_sip_call_id", cdr.destination_sip_call_id},
      {"media", std::move(media)},
      {"recordings", std::move(recordings)},
  };
}

Json json_of(const call::TransferStep& step) {
  return Json{{"at", to_iso8601(step.at)},
              {"what", step.what},
              {"status", or_null(step.status)},
              {"detail", or_null(step.detail)}};
}

Json json_of(const call::TransferRecord& transfer) {
  Json steps = Json::array();
  for (const call::TransferStep& step : transfer.steps) steps.push_back(json_of(step));
  return Json{
      {"transfer_id", transfer.transfer_id},
      {"call_uuid", transfer.call_uuid},
      {"root_call_uuid", transfer.root_call_uuid},
      {"account_id", transfer.account_id},
      {"trunk_id", transfer.trunk_id},
      {"transferor", transfer.transferor},
      {"transferee", transfer.transferee},
      {"refer_to", transfer.refer_to},
      {"target_number", or_null(transfer.target_number)},
      {"referred_by", or_null(transfer.referred_by)},
      {"caller_id", or_null(transfer.caller_id)},
      {"carrier_id", or_null(transfer.carrier_id)},
      {"outcome", transfer.outcome},
      {"refer_status", or_null(transfer.refer_status)},
      {"final_status", or_null(transfer.final_status)},
      {"refused_by", or_null(transfer.refused_by)},
      {"reason", or_null(transfer.reason)},
      {"depth", transfer.depth},
      {"started_at", to_iso8601(transfer.started_at)},
      {"ended_at", to_iso8601(transfer.ended_at)},
      {"steps", std::move(steps)},
  };
}

Json json_of(const call::TraceMessage& message) {
  return Json{{"sequence", message.sequence},
              {"at", to_iso8601(message.at)},
              {"party", message.party},
              {"sent", message.sent},
              {"transport", to_string(message.transport)},
              {"local", message.local.to_string()},
              {"remote", message.remote.to_string()},
              {"message", message.bytes}};
}

template <typename T>
Json array_of(const std::vector<T>& records) {
  Json array = Json::array();
  for (const T& record : records) array.push_back(json_of(record));
  return array;
}

// Bytes of a peer that are not UTF-8 are replaced: the output must be JSON whatever came in.
std::string text_of(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string to_json(const std::vector<call::Cdr>& cdrs) {
  return text_of(array_of(cdrs));
}

std::string to_json(const std::vector<call::TransferRecord>& transfers) {
  return text_of(array_of(transfers));
}

std::string to_json(const std::vector<call::RecordingRecord>& recordings) {
  return text_of(array_of(recordings));
}

std::string to_json(const store::History& history) {
  return text_of(Json{{"root_call_uuid", history.root_call_uuid},
                      {"calls", array_of(history.cdrs)},
                      {"transfers", array_of(history.transfers)},
                      {"messages", array_of(history.trace)}});
}

}  // namespace baton::app
