// What a call leaves behind, as values. Written by the store, shown by the command line and the API.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/time.h"

namespace baton::call {

enum class HangupSource : std::uint8_t { customer, carrier, baton };
[[nodiscard]] const char* to_string(HangupSource source);

// How the audio of one leg was: what we received from its party, and what the party reported of what we sent.
// Nothing: not known. MOS in hundredths, see quality.h.
struct LegQuality {
  std::string call_uuid;  // of the call record the leg belongs to
  std::string root_call_uuid;
  std::string party;        // "caller", "endpoint", "target" …
  std::string sip_call_id;  // of the leg
  std::string codec;        // what its party was sent last; empty: nothing was agreed
  Time ended_at{};
  std::int64_t packets_received = 0, packets_sent = 0, packets_dropped = 0;
  std::optional<std::int64_t> lost, jitter_us, jitter_us_max, mos;
  std::optional<std::int64_t> reported_lost, reported_jitter_us, reported_jitter_us_max, reported_mos;
  std::optional<std::int64_t> round_trip_us, round_trip_us_max;
  bool operator==(const LegQuality&) const = default;
};

// What two parties said, in a file.
struct RecordingRecord {
  std::string recording_id;
  std::string call_uuid;  // of the call record it belongs to
  std::string root_call_uuid;
  std::string transfer_id;  // the transfer that made that leg; empty on the original
  std::string chain_id;     // the first recording's of those that belong together
  unsigned segment = 1;     // its place among them
  std::string account_id, trunk_id;
  std::string file;  // its path; empty: there is none
  std::string
      status;  // "complete", "incomplete" (the rest could not be written), "failed" (there is no audio)
  std::string reason;  // why it is not complete
  Time started_at{}, ended_at{};
  std::int64_t duration_ms = 0;  // of audio in the file
  std::int64_t bytes = 0;
  std::int64_t packets_dropped = 0;  // that there was no time to write
  bool operator==(const RecordingRecord&) const = default;
};

// One call detail record: the span in which one destination leg served the call. The original leg's runs from
// the start until the transferor was disconnected; a transfer leg's from the target's answer to the end.
struct Cdr {
  std::string call_uuid;       // of this leg pair
  std::string root_call_uuid;  // of the first one; equal to call_uuid on the original leg
  std::string transfer_id;     // the transfer that made this leg; empty on the original
  std::string leg_role;        // "original" or "transfer"
  std::string account_id;
  std::string trunk_id;
  std::string trunk_domain;
  std::string carrier_id;  // who carried the destination leg or the caller's; empty: none
  std::string direction;   // "inbound" or "outbound"
  std::string from_number;
  std::string to_number;
  std::string from_country, to_country;
  Time initiated_at{};
  std::optional<Time> answered_at;
  Time ended_at{};
  int sip_status = 0;        // the final status of the destination leg, 0 when none came
  int hangup_code = 0;       // 3000 …
  std::string hangup_cause;  // "normal_hangup", "transferred" …
  HangupSource hangup_source = HangupSource::baton;
  std::string transport;           // of the endpoint's leg
  std::string caller_sip_call_id;  // SIP Call-ID of the leg towards the transferee
  std::string destination_sip_call_id;
  std::int64_t price_micros = 0;
  // Written apart: of its legs, when each one's ports are given back; when each one is complete.
  std::vector<LegQuality> media;
  std::vector<RecordingRecord> recordings;
};

struct TransferStep {
  Time at{};
  std::string what;  // "accepted", "queued", "dialing", "ringing", "early_media", "answered", "failed" …
  int status = 0;    // the SIP status that caused it; 0: none
  std::string detail;
};

// One REFER and everything it caused; refused and failed ones too.
struct TransferRecord {
  std::string transfer_id;
  std::string call_uuid;  // of the leg pair it was sent on
  std::string root_call_uuid;
  std::string account_id;
  std::string trunk_id;
  std::string transferor;     // who sent the REFER: From of its leg
  std::string transferee;     // the number that stays
  std::string refer_to;       // as sent
  std::string target_number;  // E.164, when it got that far
  std::string referred_by;
  std::string caller_id;   // what the target was shown; "anonymous" for a private caller
  std::string carrier_id;  // which carrier took the leg
  std::string outcome;     // "transferred", "failed", "refused", "superseded", "abandoned", "cancelled"
  int refer_status = 0;    // what the REFER was answered
  int final_status = 0;    // what the last NOTIFY said
  std::string refused_by;  // "baton", "carrier", "target", "transferor", "transferee"; empty on success
  std::string reason;
  unsigned depth = 0;  // 1 for the first transfer of a call
  Time started_at{};
  Time ended_at{};
  std::vector<TransferStep> steps;
};

// One SIP message of a call, as it was on the wire.
struct TraceMessage {
  std::string root_call_uuid;
  std::string party;           // "caller", "endpoint", "target" …: the column of the ladder
  std::uint64_t sequence = 0;  // order within the server
  Time at{};
  bool sent = false;  // by Baton
  Transport transport = Transport::udp;
  SocketAddress local, remote;
  std::string bytes;
};

}  // namespace baton::call
