#include "store/unwritten.h"

#include <cstdint>
#include <optional>
#include <utility>
#include <variant>

namespace baton::store {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

void add(Fields& fields, const char* name, const std::string& value) {
  if (!value.empty()) fields.emplace_back(name, value);
}

void describe(Fields& fields, const call::Cdr& cdr) {
  add(fields, "record", "cdr");
  add(fields, "call_uuid", cdr.call_uuid);
  add(fields, "root_call_uuid", cdr.root_call_uuid);
  add(fields, "transfer_id", cdr.transfer_id);
  add(fields, "leg_role", cdr.leg_role);
  add(fields, "account_id", cdr.account_id);
  add(fields, "trunk_id", cdr.trunk_id);
  add(fields, "trunk_domain", cdr.trunk_domain);
  add(fields, "carrier_id", cdr.carrier_id);
  add(fields, "call_direction", cdr.direction);
  add(fields, "from_number", cdr.from_number);
  add(fields, "to_number", cdr.to_number);
  add(fields, "from_country", cdr.from_country);
  add(fields, "to_country", cdr.to_country);
  add(fields, "initiation_time", to_iso8601(cdr.initiated_at));
  if (cdr.answered_at) add(fields, "answer_time", to_iso8601(*cdr.answered_at));
  add(fields, "end_time", to_iso8601(cdr.ended_at));
  add(fields, "sip_status", std::to_string(cdr.sip_status));
  add(fields, "hangup_cause_code", std::to_string(cdr.hangup_code));
  add(fields, "hangup_cause_name", cdr.hangup_cause);
  add(fields, "hangup_source", call::to_string(cdr.hangup_source));
  add(fields, "transport_protocol", cdr.transport);
  add(fields, "caller_sip_call_id", cdr.caller_sip_call_id);
  add(fields, "destination_sip_call_id", cdr.destination_sip_call_id);
  add(fields, "price_micros", std::to_string(cdr.price_micros));
}

void describe(Fields& fields, const call::TransferRecord& transfer) {
  add(fields, "record", "transfer");
  add(fields, "transfer_id", transfer.transfer_id);
  add(fields, "call_uuid", transfer.call_uuid);
  add(fields, "root_call_uuid", transfer.root_call_uuid);
  add(fields, "account_id", transfer.account_id);
  add(fields, "trunk_id", transfer.trunk_id);
  add(fields, "transferor", transfer.transferor);
  add(fields, "transferee", transfer.transferee);
  add(fields, "refer_to", transfer.refer_to);
  add(fields, "target_number", transfer.target_number);
  add(fields, "referred_by", transfer.referred_by);
  add(fields, "caller_id", transfer.caller_id);
  add(fields, "carrier_id", transfer.carrier_id);
  add(fields, "outcome", transfer.outcome);
  add(fields, "refer_status", std::to_string(transfer.refer_status));
  add(fields, "final_status", std::to_string(transfer.final_status));
  add(fields, "refused_by", transfer.refused_by);
  add(fields, "reason", transfer.reason);
  add(fields, "depth", std::to_string(transfer.depth));
  add(fields, "started_at", to_iso8601(transfer.started_at));
  add(fields, "ended_at", to_iso8601(transfer.ended_at));
  for (const call::TransferStep& step : transfer.steps) {
    add(fields, "step",
        to_iso8601(step.at) + " " + step.what + " " + std::to_string(step.status) + " " + step.detail);
  }
}

void add(Fields& fields, const char* name, const std::optional<std::int64_t>& value) {
  if (value) fields.emplace_back(name, std::to_string(*value));
}

void describe(Fields& fields, const call::LegQuality& leg) {
  add(fields, "record", "leg_quality");
  add(fields, "call_uuid", leg.call_uuid);
  add(fields, "root_call_uuid", leg.root_call_uuid);
  add(fields, "party", leg.party);
  add(fields, "sip_call_id", leg.sip_call_id);
  add(fields, "codec", leg.codec);
  add(fields, "ended_at", to_iso8601(leg.ended_at));
  add(fields, "packets_received", std::to_string(leg.packets_received));
  add(fields, "packets_sent", std::to_string(leg.packets_sent));
  add(fields, "packets_dropped", std::to_string(leg.packets_dropped));
  add(fields, "lost", leg.lost);
  add(fields, "jitter_us", leg.jitter_us);
  add(fields, "jitter_us_max", leg.jitter_us_max);
  add(fields, "mos", leg.mos);
  add(fields, "reported_lost", leg.reported_lost);
  add(fields, "reported_jitter_us", leg.reported_jitter_us);
  add(fields, "reported_jitter_us_max", leg.reported_jitter_us_max);
  add(fields, "reported_mos", leg.reported_mos);
  add(fields, "round_trip_us", leg.round_trip_us);
  add(fields, "round_trip_us_max", leg.round_trip_us_max);
}

void describe(Fields& fields, const call::RecordingRecord& recording) {
  add(fields, "record", "recording");
  add(fields, "recording_id", recording.recording_id);
  add(fields, "call_uuid", recording.call_uuid);
  add(fields, "root_call_uuid", recording.root_call_uuid);
  add(fields, "transfer_id", recording.transfer_id);
  add(fields, "chain_id", recording.chain_id);
  add(fields, "segment", std::to_string(recording.segment));
  add(fields, "account_id", recording.account_id);
  add(fields, "trunk_id", recording.trunk_id);
  add(fields, "file", recording.file);
  add(fields, "status", recording.status);
  add(fields, "why", recording.reason);
  add(fields, "started_at", to_iso8601(recording.started_at));
  add(fields, "ended_at", to_iso8601(recording.ended_at));
  add(fields, "duration_ms", std::to_string(recording.duration_ms));
  add(fields, "bytes", std::to_string(recording.bytes));
  add(fields, "packets_dropped", std::to_string(recording.packets_dropped));
}

void describe(Fields& fields, const call::TraceMessage& message) {
  add(fields, "record", "trace");
  add(fields, "root_call_uuid", message.root_call_uuid);
  add(fields, "sequence", std::to_string(message.sequence));
  add(fields, "bytes", std::to_string(message.bytes.size()));
}

}  // namespace

engine::Log unwritten(const Record& record, const std::string& why) {
  engine::Log log{engine::Severity::error, "store.unwritten", {{"reason", why}}};
  std::visit([&log](const auto& value) { describe(log.fields, value); }, record);
  return log;
}

}  // namespace baton::store
