#include "app/records_table.h"

#include <algorithm>

#include "app/output.h"
#include "app/text.h"

namespace baton::app {
namespace {

// An id begins with its time: so much of it tells the calls of a second apart.
constexpr std::size_t id_length = 13;

std::string or_dash(const std::string& text) {
  return text.empty() ? "-" : printable(text);
}
std::string or_dash(int number) {
  return number == 0 ? "-" : std::to_string(number);
}

// Who a SIP URI means; its host is the trunk's and in every row the same.
std::string user_of(const std::string& uri) {
  const std::size_t colon = uri.find(':');
  const std::size_t at = uri.find('@');
  if (colon == std::string::npos || at == std::string::npos || at < colon + 2) return or_dash(uri);
  return printable(uri.substr(colon + 1, at - colon - 1));
}

std::string short_direction(const std::string& direction) {
  if (direction == "inbound") return "in";
  if (direction == "outbound") return "out";
  return printable(direction);
}

std::string talk_time(const call::Cdr& cdr) {
  return cdr.answered_at ? short_duration(cdr.ended_at - *cdr.answered_at) : "-";
}

// Why a transfer came to nothing, and whose doing that was.
std::string blame(const call::TransferRecord& transfer) {
  if (transfer.refused_by.empty()) return or_dash(transfer.reason);
  const std::string by = printable(transfer.refused_by);
  return transfer.reason.empty() ? "by the " + by : by + ": " + printable(transfer.reason);
}

std::string one_line(const call::Cdr& cdr) {
  return "  " + pad(printable(cdr.leg_role), 9) + printable(cdr.from_number) + " -> " +
         printable(cdr.to_number) + ", talked " + talk_time(cdr) + ", " + printable(cdr.hangup_cause) +
         " by " + call::to_string(cdr.hangup_source) + "\n";
}

std::string one_line(const call::TransferRecord& transfer) {
  const std::string target = transfer.target_number.empty() ? transfer.refer_to : transfer.target_number;
  std::string text = "  REFER    to " + printable(target) + ": " + printable(transfer.outcome);
  if (transfer.final_status != 0) text += " " + std::to_string(transfer.final_status);
  if (!transfer.reason.empty() || !transfer.refused_by.empty()) text += ", " + blame(transfer);
  return text + "\n";
}

// The worse of the two directions, so far as they are known.
std::optional<std::int64_t> worst_mos(const call::LegQuality& leg) {
  if (!leg.mos) return leg.reported_mos;
  return leg.reported_mos ? std::min(*leg.mos, *leg.reported_mos) : *leg.mos;
}

std::string decimal(std::int64_t value, std::int64_t unit) {
  return std::to_string(value / unit) + "." + std::to_string(value % unit * 10 / unit);
}

std::string one_line(const call::LegQuality& leg) {
  std::string text = "    audio of the " + printable(leg.party) + ": " + or_dash(leg.codec) + ", " +
                     std::to_string(leg.packets_received) + " packets in, " +
                     std::to_string(leg.packets_sent) + " out";
  if (leg.lost) text += ", lost " + std::to_string(*leg.lost) + " in";
  if (leg.reported_lost) {
    text += (leg.lost ? " and " : ", lost ") + std::to_string(*leg.reported_lost) + " out";
  }
  if (leg.jitter_us) text += ", jitter " + decimal(*leg.jitter_us, 1'000) + " ms";
  if (leg.round_trip_us) text += ", round trip " + decimal(*leg.round_trip_us, 1'000) + " ms";
  if (const auto mos = worst_mos(leg)) text += ", MOS " + decimal(*mos, 100);
  return text + "\n";
}

std::string one_line(const call::RecordingRecord& recording) {
  std::string text = "    recording: " + or_dash(recording.file) + ", " + printable(recording.status);
  if (!recording.reason.empty()) text += " (" + printable(recording.reason) + ")";
  return text + ", " + short_duration(std::chrono::milliseconds(recording.duration_ms)) + "\n";
}

}  // namespace

std::string calls_table(const std::vector<call::Cdr>& cdrs) {
  if (cdrs.empty()) return "no calls\n";
  std::vector<std::string> ids;
  for (const call::Cdr& cdr : cdrs) ids.push_back(printable(cdr.call_uuid));
  ids = abbreviate(ids, id_length);
  std::vector<std::vector<std::string>> rows;
  for (std::size_t i = 0; i < cdrs.size(); ++i) {
    const call::Cdr& cdr = cdrs[i];
    rows.push_back({ids[i], short_time(cdr.initiated_at), short_direction(cdr.direction),
                    or_dash(cdr.from_number), or_dash(cdr.to_number), talk_time(cdr), printable(cdr.leg_role),
                    or_dash(cdr.sip_status), or_dash(cdr.hangup_cause), call::to_string(cdr.hangup_source)});
  }
  return table({{"CALL"},
                {"START (UTC)"},
                {"DIR"},
                {"FROM", true},
                {"TO", true},
                {"TALK"},
                {"LEG"},
                {"SIP"},
                {"ENDED", true},
                {"BY"}},
               rows, columns_default);
}

std::string transfers_table(const std::vector<call::TransferRecord>& transfers) {
  if (transfers.empty()) return "no transfers\n";
  std::vector<std::string> ids;
  for (const call::TransferRecord& transfer : transfers) ids.push_back(printable(transfer.transfer_id));
  ids = abbreviate(ids, id_length);
  std::vector<std::vector<std::string>> rows;
  for (std::size_t i = 0; i < transfers.size(); ++i) {
    const call::TransferRecord& transfer = transfers[i];
    const std::string target = transfer.target_number.empty() ? transfer.refer_to : transfer.target_number;
    rows.push_back({ids[i], short_time(transfer.started_at), user_of(transfer.transferor),
                    or_dash(transfer.transferee), or_dash(target), or_dash(transfer.refer_status),
                    or_dash(transfer.final_status), printable(transfer.outcome), blame(transfer)});
  }
  return table({{"TRANSFER"},
                {"START (UTC)"},
                {"BY", true},
                {"PARTY", true},
                {"TARGET", true},
                {"REFER"},
                {"FINAL"},
                {"OUTCOME"},
                {"REASON", true}},
               rows, columns_default);
}

std::string recordings_table(const std::vector<call::RecordingRecord>& recordings) {
  if (recordings.empty()) return "no recordings\n";
  std::vector<std::string> ids;
  for (const call::RecordingRecord& one : recordings) ids.push_back(printable(one.recording_id));
  ids = abbreviate(ids, id_length);
  std::vector<std::string> calls;
  for (const call::RecordingRecord& one : recordings) calls.push_back(printable(one.call_uuid));
  calls = abbreviate(calls, id_length);
  std::vector<std::vector<std::string>> rows;
  for (std::size_t i = 0; i < recordings.size(); ++i) {
    const call::RecordingRecord& one = recordings[i];
    rows.push_back(
        {ids[i], short_time(one.started_at), calls[i],
         short_duration(std::chrono::milliseconds(one.duration_ms)), std::to_string(one.segment),
         one.reason.empty() ? printable(one.status) : printable(one.status) + ": " + printable(one.reason),
         or_dash(one.file)});
  }
  return table(
      {{"RECORDING"}, {"START (UTC)"}, {"CALL"}, {"LENGTH"}, {"PART"}, {"STATUS", true}, {"FILE", true}},
      rows, columns_default);
}

std::string history_summary(const store::History& history) {
  std::string text = "Call " + printable(history.root_call_uuid);
  if (!history.trace.empty()) text += ", " + short_time(history.trace.front().at) + " UTC";
  text += "\n";
  if (history.cdrs.empty()) text += "  no call record yet: the call goes on, or was not kept\n";
  for (const call::Cdr& cdr : history.cdrs) {
    text += one_line(cdr);
    for (const call::LegQuality& leg : cdr.media) text += one_line(leg);
    for (const call::RecordingRecord& one : cdr.recordings) text += one_line(one);
  }
  for (const call::TransferRecord& transfer : history.transfers) text += one_line(transfer);
  return text;
}

}  // namespace baton::app
