// Records as rows. The column lists are the order of bind() and read_*() alike.
#pragma once

#include <SQLiteCpp/Statement.h>

#include <cstdint>

#include "call/records.h"

namespace baton::store {

inline constexpr char cdr_columns[] =
    "call_uuid, root_call_uuid, transfer_id, leg_role, account_id, trunk_id, trunk_domain, carrier_id, "
    "direction, "
    "from_number, to_number, from_country, to_country, initiated_at, answered_at, ended_at, sip_status, "
    "hangup_code, "
    "hangup_cause, hangup_source, transport, caller_sip_call_id, destination_sip_call_id, price_micros";
inline constexpr int cdr_column_count = 24;

inline constexpr char transfer_columns[] =
    "transfer_id, call_uuid, root_call_uuid, account_id, trunk_id, transferor, transferee, refer_to, "
    "target_number, "
    "referred_by, caller_id, carrier_id, outcome, refer_status, final_status, refused_by, reason, depth, "
    "started_at, "
    "ended_at, steps";
inline constexpr int transfer_column_count = 21;

inline constexpr char trace_columns[] =
    "root_call_uuid, sequence, party, at, sent, transport, local, remote, bytes";
inline constexpr int trace_column_count = 9;

inline constexpr char leg_quality_columns[] =
    "call_uuid, root_call_uuid, party, sip_call_id, codec, ended_at, packets_received, packets_sent, "
    "packets_dropped, lost, jitter_us, jitter_us_max, mos, reported_lost, reported_jitter_us, "
    "reported_jitter_us_max, reported_mos, round_trip_us, round_trip_us_max";
inline constexpr int leg_quality_column_count = 19;

inline constexpr char recording_columns[] =
    "recording_id, call_uuid, root_call_uuid, transfer_id, chain_id, segment, account_id, trunk_id, file, "
    "status, reason, started_at, ended_at, duration_ms, bytes, packets_dropped";
inline constexpr int recording_column_count = 16;

// The record must live until the statement has been executed: text is not copied.
void bind(SQLite::Statement& statement, const call::Cdr& cdr);
void bind(SQLite::Statement& statement, const call::TransferRecord& transfer);
void bind(SQLite::Statement& statement, const call::TraceMessage& message);
void bind(SQLite::Statement& statement, const call::LegQuality& leg);
void bind(SQLite::Statement& statement, const call::RecordingRecord& recording);

[[nodiscard]] call::Cdr read_cdr(const SQLite::Statement& statement);  // without its legs
[[nodiscard]] call::TransferRecord read_transfer(const SQLite::Statement& statement);
[[nodiscard]] call::TraceMessage read_trace(const SQLite::Statement& statement);
[[nodiscard]] call::LegQuality read_leg_quality(const SQLite::Statement& statement);
[[nodiscard]] call::RecordingRecord read_recording(const SQLite::Statement& statement);

}  // namespace baton::store
