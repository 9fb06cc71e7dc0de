#include "store/rows.h"

#include <SQLiteCpp/Column.h>

#include <string>
#include <string_view>

#include "store/steps.h"

namespace baton::store {
namespace {

// Fills the places of a statement from left to right.
class Binder {
 public:
  explicit Binder(SQLite::Statement& statement) : statement_(statement) {}
  Binder& operator<<(const std::string& text) {
    statement_.bindNoCopy(++place_, text);
    return *this;
  }
  Binder& operator<<(std::int64_t number) {
    statement_.bind(++place_, number);
    return *this;
  }
  Binder& operator<<(Time time) { return *this << to_micros(time); }
  Binder& operator<<(const std::optional<Time>& time) {
    if (time) return *this << *time;
    statement_.bind(++place_);
    return *this;
  }
  Binder& operator<<(const std::optional<std::int64_t>& number) {
    if (number) return *this << *number;
    statement_.bind(++place_);
    return *this;
  }
  Binder& copy(std::string_view text) {
    statement_.bind(++place_, std::string(text));
    return *this;
  }
  Binder& blob(const std::string& bytes) {
    statement_.bindNoCopy(++place_, bytes.data(), static_cast<int>(bytes.size()));
    return *this;
  }

 private:
  SQLite::Statement& statement_;
  int place_ = 0;
};

// Reads the columns of a row from left to right.
class Row {
 public:
  explicit Row(const SQLite::Statement& statement) : statement_(statement) {}
  Row& operator>>(std::string& text) {
    text = next().getString();
    return *this;
  }
  Row& operator>>(int& number) {
    number = next().getInt();
    return *this;
  }
  Row& operator>>(unsigned& number) {
    number = static_cast<unsigned>(next().getInt64());
    return *this;
  }
  Row& operator>>(std::int64_t& number) {
    number = next().getInt64();
    return *this;
  }
  Row& operator>>(Time& time) {
    time = from_micros(next().getInt64());
    return *this;
  }
  Row& operator>>(std::optional<Time>& time) {
    const SQLite::Column column = next();
    time = column.isNull() ? std::nullopt : std::optional(from_micros(column.getInt64()));
    return *this;
  }
  Row& operator>>(std::optional<std::int64_t>& number) {
    const SQLite::Column column = next();
    number = column.isNull() ? std::nullopt : std::optional(column.getInt64());
    return *this;
  }
  std::string text() { return next().getString(); }

 private:
  SQLite::Column next() { return statement_.getColumn(place_++); }
  const SQLite::Statement& statement_;
  int place_ = 0;
};

call::HangupSource hangup_source(std::string_view text) {
  for (const auto source : {call::HangupSource::customer, call::HangupSource::carrier}) {
    if (text == call::to_string(source)) return source;
  }
  return call::HangupSource::baton;
}

}  // namespace

void bind(SQLite::Statement& statement, const call::Cdr& cdr) {
  Binder binder(statement);
  binder << cdr.call_uuid << cdr.root_call_uuid << cdr.transfer_id << cdr.leg_role << cdr.account_id
         << cdr.trunk_id << cdr.trunk_domain << cdr.carrier_id << cdr.direction << cdr.from_number
         << cdr.to_number << cdr.from_country << cdr.to_country << cdr.initiated_at << cdr.answered_at
         << cdr.ended_at << std::int64_t{cdr.sip_status} << std::int64_t{cdr.hangup_code} << cdr.hangup_cause;
  binder.copy(call::to_string(cdr.hangup_source));
  binder << cdr.transport << cdr.caller_sip_call_id << cdr.destination_sip_call_id << cdr.price_micros;
}

call::Cdr read_cdr(const SQLite::Statement& statement) {
  call::Cdr cdr;
  Row row(statement);
  row >> cdr.call_uuid >> cdr.root_call_uuid >> cdr.transfer_id >> cdr.leg_role >> cdr.account_id >>
      cdr.trunk_id >> cdr.trunk_domain >> cdr.carrier_id >> cdr.direction >> cdr.from_number >>
      cdr.to_number >> cdr.from_country >> cdr.to_country >> cdr.initiated_at >> cdr.answered_at >>
      cdr.ended_at >> cdr.sip_status >> cdr.hangup_code >> cdr.hangup_cause;
  cdr.hangup_source = hangup_source(row.text());
  row >> cdr.transport >> cdr.caller_sip_call_id >> cdr.destination_sip_call_id >> cdr.price_micros;
  return cdr;
}

void bind(SQLite::Statement& statement, const call::TransferRecord& transfer) {
  Binder binder(statement);
  binder << transfer.transfer_id << transfer.call_uuid << transfer.root_call_uuid << transfer.account_id
         << transfer.trunk_id << transfer.transferor << transfer.transferee << transfer.refer_to
         << transfer.target_number << transfer.referred_by << transfer.caller_id << transfer.carrier_id
         << transfer.outcome << std::int64_t{transfer.refer_status} << std::int64_t{transfer.final_status}
         << transfer.refused_by << transfer.reason << std::int64_t{transfer.depth} << transfer.started_at
         << transfer.ended_at;
  binder.copy(to_text(transfer.steps));
}

call::TransferRecord read_transfer(const SQLite::Statement& statement) {
  call::TransferRecord transfer;
  Row row(statement);
  row >> transfer.transfer_id >> transfer.call_uuid >> transfer.root_call_uuid >> transfer.account_id >>
      transfer.trunk_id >> transfer.transferor >> transfer.transferee >> transfer.refer_to >>
      transfer.target_number >> transfer.referred_by >> transfer.caller_id >> transfer.carrier_id >>
      transfer.outcome >> transfer.refer_status >> transfer.final_status >> transfer.refused_by >>
      transfer.reason >> transfer.depth >> transfer.started_at >> transfer.ended_at;
  transfer.steps = parse_steps(row.text());
  return transfer;
}

void bind(SQLite::Statement& statement, const call::TraceMessage& message) {
  Binder binder(statement);
  binder << message.root_call_uuid << static_cast<std::int64_t>(message.sequence) << message.party
         << message.at << std::int64_t{message.sent ? 1 : 0};
  binder.copy(to_string(message.transport)).copy(message.local.to_string()).copy(message.remote.to_string());
  binder.blob(message.bytes);
}

void bind(SQLite::Statement& statement, const call::LegQuality& leg) {
  Binder binder(statement);
  binder << leg.call_uuid << leg.root_call_uuid << leg.party << leg.sip_call_id << leg.codec << leg.ended_at
         << leg.packets_received << leg.packets_sent << leg.packets_dropped << leg.lost << leg.jitter_us
         << leg.jitter_us_max << leg.mos << leg.reported_lost << leg.reported_jitter_us
         << leg.reported_jitter_us_max << leg.reported_mos << leg.round_trip_us << leg.round_trip_us_max;
}

call::LegQuality read_leg_quality(const SQLite::Statement& statement) {
  call::LegQuality leg;
  Row(statement) >> leg.call_uuid >> leg.root_call_uuid >> leg.party >> leg.sip_call_id >> leg.codec >>
      leg.ended_at >> leg.packets_received >> leg.packets_sent >> leg.packets_dropped >> leg.lost >>
      leg.jitter_us >> leg.jitter_us_max >> leg.mos >> leg.reported_lost >> leg.reported_jitter_us >>
      leg.reported_jitter_us_max >> leg.reported_mos >> leg.round_trip_us >> leg.round_trip_us_max;
  return leg;
}

void bind(SQLite::Statement& statement, const call::RecordingRecord& recording) {
  Binder binder(statement);
  binder << recording.recording_id << recording.call_uuid << recording.root_call_uuid << recording.transfer_id
         << recording.chain_id << std::int64_t{recording.segment} << recording.account_id
         << recording.trunk_id << recording.file << recording.status << recording.reason
         << recording.started_at << recording.ended_at << recording.duration_ms << recording.bytes
         << recording.packets_dropped;
}

call::RecordingRecord read_recording(const SQLite::Statement& statement) {
  call::RecordingRecord recording;
  Row(statement) >> recording.recording_id >> recording.call_uuid >> recording.root_call_uuid >>
      recording.transfer_id >> recording.chain_id >> recording.segment >> recording.account_id >>
      recording.trunk_id >> recording.file >> recording.status >> recording.reason >> recording.started_at >>
      recording.ended_at >> recording.duration_ms >> recording.bytes >> recording.packets_dropped;
  return recording;
}

call::TraceMessage read_trace(const SQLite::Statement& statement) {
  call::TraceMessage message;
  std::int64_t sequence = 0;
  int sent = 0;
  Row row(statement);
  row >> message.root_call_uuid >> sequence >> message.party >> message.at >> sent;
  message.sequence = static_cast<std::uint64_t>(sequence);
  message.sent = sent != 0;
  message.transport = parse_transport(row.text()).value_or(Transport::udp);
  message.local = SocketAddress::parse(row.text()).value_or(SocketAddress{});
  message.remote = SocketAddress::parse(row.text()).value_or(SocketAddress{});
  row >> message.bytes;
  return message;
}

}  // namespace baton::store
