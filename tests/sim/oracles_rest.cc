// What must hold when every party has left and nothing is pending.
#include <algorithm>
#include <set>

#include "oracles.h"
#include "peer.h"
#include "world.h"

namespace baton::sim {

using sip::Method;

namespace {

// A 200 repeated later than 64*T1 finds no transaction any more (RFC 6026 7.1).
constexpr Duration transaction_life_for_acks = 31s;

}  // namespace

void Oracles::at_rest() {
  before_step();
  const engine::Census census = world_.engine().census();
  if (!census.empty()) {
    violation("at rest the engine still has " + std::to_string(census.calls) + " calls, " +
              std::to_string(census.legs) + " legs, " + std::to_string(census.transfers) + " transfers, " +
              std::to_string(census.transactions) + " transactions, " +
              std::to_string(census.media_endpoints) + " media endpoints, " + std::to_string(census.tickets) +
              " tickets");
  }
  if (world_.media().open_count() != 0) violation("at rest a media endpoint is open");
  if (const auto deadline = world_.engine().next_deadline()) violation("at rest a timer is pending");
  for (const auto& peer : world_.peers()) {
    for (const Party& party : peer->parties()) {
      if (!party.seen.over && !party.script.silent)
        violation("at rest " + party.role() + " still thinks it is in a call");
    }
  }
  rest_requests();
  rest_transfers();
  rest_calls();
  rest_traces();
}

void Oracles::rest_requests() {
  for (const auto& [key, asked] : asked_) {
    if (asked.final.empty() && !asked.optional)
      violation(asked.method_text + " was never answered (" + key + ")");
  }
  for (const auto& [key, success] : successes_) {
    const bool late = success.last - success.first > transaction_life_for_acks;
    if (!success.acked || (!success.ack_since && !late))
      violation("a 200 to INVITE was not acknowledged (" + key + ")");
  }
  for (const auto& [key, own] : own_) {
    if (own.method == Method::invite && own.final >= 300 && !own.acked_non_2xx) {
      violation("a " + std::to_string(own.final) + " to INVITE was not acknowledged (" + key + ")");
    }
  }
}

void Oracles::rest_transfers() {
  for (const Transfer& transfer : transfers_) {
    if (!transfer.accepted()) continue;
    if (transfer.finals > 1) violation("a REFER got more than one final NOTIFY");
    // A BYE of the transferor takes the subscription's dialog away; the final NOTIFY may still come.
    const bool excused = transfer.no_subscription || transfer.peer_ended_subscription ||
                         !transfer.outstanding.empty() ||
                         (transfer.transferor->over && transfer.transferor->over_by_peer);
    if (transfer.finals == 0 && !excused)
      violation("an accepted REFER got no final NOTIFY: " + transfer.refer_to);
  }
}

void Oracles::rest_calls() {
  std::set<std::string> roots, uuids;
  for (const Leg& leg : legs_) {
    if (!leg.root.empty()) roots.insert(leg.root);
    if (leg.root.empty() && leg.answered) violation("an answered dialog is in no trace");
  }
  for (const call::Cdr& cdr : world_.cdrs()) {
    if (!uuids.insert(cdr.call_uuid).second) violation("two CDRs have the same call_uuid");
    if (!roots.contains(cdr.root_call_uuid)) violation("a CDR of a call that never was");
    if (cdr.ended_at < cdr.initiated_at) violation("a CDR ends before it starts");
    if (cdr.answered_at && (*cdr.answered_at < cdr.initiated_at || *cdr.answered_at > cdr.ended_at)) {
      violation("a CDR is answered outside its time");
    }
  }
  for (const call::RecordingRecord& recording : world_.recordings()) {
    if (!uuids.contains(recording.call_uuid)) violation("a recording belongs to no CDR");
  }
  for (const auto& [id, recording] : world_.media().recordings()) {
    if (recording.running) violation("a recording goes on after its call");
  }
  // Each leg's audio belongs to one record, and each transfer's record has some, unless its target was handed
  // on: it may have gone into another call, where its audio belongs to what it did last. (A call that was
  // joined while it rang may have none either: its one leg is another call's by then.)
  std::set<std::string> heard, legs;
  for (const call::LegQuality& leg : world_.qualities()) {
    if (!uuids.contains(leg.call_uuid)) violation("the audio of a leg belongs to no CDR");
    if (!legs.insert(leg.call_uuid + " " + leg.sip_call_id).second) violation("a leg's audio is told twice");
    heard.insert(leg.call_uuid);
  }
  for (const call::Cdr& cdr : world_.cdrs()) {
    const bool stayed = cdr.leg_role == "transfer" && cdr.hangup_cause != "transferred";
    if (stayed && !heard.contains(cdr.call_uuid)) violation("a transfer's CDR without audio");
  }
  for (const std::string& root : roots) {
    rest_call(root);
    if (call_of(root) == root) rest_transfer_legs(root);
  }
}

void Oracles::rest_call(const std::string& root) {
  std::vector<const call::Cdr*> originals;
  for (const call::Cdr& cdr : world_.cdrs()) {
    if (cdr.root_call_uuid == root && cdr.leg_role == "original") originals.push_back(&cdr);
  }
  if (originals.size() != 1) {
    violation("a call has " + std::to_string(originals.size()) + " original CDRs");
    return;
  }
  const call::Cdr& cdr = *originals.front();
  if (cdr.call_uuid != root || !cdr.transfer_id.empty())
    violation("the original CDR does not start its chain");
  const Leg* caller = nullptr;
  const Leg* callee = nullptr;
  for (const Leg& leg : legs_) {
    if (leg.root != root) continue;
    if (!leg.server_called && caller == nullptr) caller = &leg;
    if (leg.server_called && callee == nullptr && leg.call_id == cdr.destination_sip_call_id) callee = &leg;
    if (leg.server_called && callee == nullptr && leg.call_id == cdr.caller_sip_call_id) callee = &leg;
  }
  if (caller == nullptr) {
    violation("a call without a caller");
    return;
  }
  const bool ids_known =
      cdr.caller_sip_call_id == caller->call_id || cdr.destination_sip_call_id == caller->call_id;
  if (!ids_known) violation("the original CDR does not name its caller's Call-ID");
  // Where the answer crossed a CANCEL either account of it is true.
  if (cdr.answered_at.has_value() != caller->answered && !caller->cancelled) {
    violation(std::string("the original CDR says ") + (cdr.answered_at ? "answered" : "unanswered") +
              ", the caller saw otherwise");
  }
  if (cdr.answered_at && cdr.sip_status / 100 != 2) violation("an answered CDR without a 2xx status");
  if (!cdr.answered_at && cdr.sip_status / 100 == 2 && !caller->cancelled)
    violation("an unanswered CDR with a 2xx status");
  const bool transferred = std::any_of(
      world_.cdrs().begin(), world_.cdrs().end(),
      [&](const call::Cdr& other) { return other.root_call_uuid == root && other.leg_role != "original"; });
  if (!cdr.answered_at || callee == nullptr || byes_excused_) return;
  if ((transferred || joined_to_another(root)) && cdr.hangup_cause == "transferred") return;
  // Who hung up: the first of the two whose BYE came, as the server saw it.
  const Leg* first = nullptr;
  for (const Leg* leg : {caller, callee}) {
    if (leg->over && leg->over_by_peer && (first == nullptr || leg->over_order < first->over_order))
      first = leg;
  }
  if (first == nullptr || lost(*first)) return;
  const auto expected =
      first->peer->name().starts_with("carrier") ? call::HangupSource::carrier : call::HangupSource::customer;
  if (cdr.hangup_source != expected && !transferred) {
    violation(std::string("the original CDR says ") + call::to_string(cdr.hangup_source) +
              " hung up, it was " + first->peer->name());
  }
}

void Oracles::rest_transfer_legs(const std::string& root) {
  std::vector<const Transfer*> asked;
  unsigned optional_count = 0;
  for (const Transfer& transfer : transfers_) {
    if (call_of(transfer.transferor->root) != root) continue;
    // Asking for credentials refuses nothing, and one from outside may be about nobody's call; a REFER in a
    // dialog that is over may be beyond anybody's call.
    const bool optional = transfer.status == 401 || transfer.status == 407 || transfer.status == 481 ||
                          transfer.status == 500 ||
                          (transfer.subscriber != transfer.transferor && !transfer.accepted());
    if (optional)
      ++optional_count;
    else
      asked.push_back(&transfer);
  }
  std::vector<const call::TransferRecord*> records;
  std::set<std::string> ids;
  for (const call::TransferRecord& record : world_.transfers()) {
    if (call_of(record.root_call_uuid) != root) continue;
    records.push_back(&record);
    if (!ids.insert(record.transfer_id).second) violation("a transfer is recorded twice");
  }
  if (records.size() < asked.size() || records.size() > asked.size() + optional_count) {
    violation(std::to_string(asked.size()) + " REFERs have " + std::to_string(records.size()) +
              " transfer records");
  }
  std::size_t transferred = 0;
  for (const call::TransferRecord* record : records) {
    const bool success = record->outcome == "transferred";
    if (success) ++transferred;
    if (record->outcome.empty()) violation("a transfer record without an outcome");
    // One that was not answered yet when it was given up is answered no, but was not refused.
    const bool answered_no = record->refer_status >= 300;
    if ((record->outcome == "refused" && !answered_no) ||
        (answered_no && (success || record->outcome == "failed"))) {
      violation("a transfer record says " + record->outcome + " of a REFER answered " +
                std::to_string(record->refer_status));
    }
    if (!success && record->reason.empty()) violation("a failed transfer is recorded without a reason");
    const auto same = std::find_if(asked.begin(), asked.end(), [&](const Transfer* transfer) {
      return transfer->refer_to == record->refer_to && transfer->status == record->refer_status &&
             (transfer->finals == 0 || transfer->unsubscribed ||
              transfer->final_status == record->final_status);
    });
    if (same == asked.end()) {
      if (optional_count == 0) violation("a transfer record agrees with no REFER: " + record->refer_to);
      continue;
    }
    if (success && (*same)->finals > 0 && !(*same)->unsubscribed && (*same)->final_status / 100 != 2)
      violation("transferred, but the NOTIFY said no");
    if (!success && (*same)->final_status / 100 == 2)
      violation("the NOTIFY said 200, the record " + record->outcome);
    asked.erase(same);
    const auto cdrs = std::count_if(world_.cdrs().begin(), world_.cdrs().end(), [&](const call::Cdr& cdr) {
      return cdr.transfer_id == record->transfer_id && cdr.leg_role == "transfer";
    });
    if (success && cdrs != 1) violation("a transfer has " + std::to_string(cdrs) + " CDRs");
    if (!success && cdrs > 1) violation("a failed transfer has CDRs");
  }
  const auto legs = std::count_if(world_.cdrs().begin(), world_.cdrs().end(), [&](const call::Cdr& cdr) {
    return call_of(cdr.root_call_uuid) == root && cdr.leg_role != "original";
  });
  if (static_cast<std::size_t>(legs) < transferred) violation("a transferred call lacks a CDR");
}

// Every request of the server is traced, without the keys in it. (Repetitions after the end of the call
// belong to none any more.)
void Oracles::rest_traces() {
  std::map<std::string, unsigned> traced;
  for (const call::TraceMessage& trace : world_.traces()) {
    if (trace.sent) ++traced[trace.bytes];
  }
  for (const auto& [bytes, count] : sent_requests_) {
    std::string without_keys = bytes;
    sdp::mask_keys(without_keys);
    const auto found = traced.find(without_keys);
    const unsigned times = found == traced.end() ? 0 : found->second;
    if (times == 0 || times > count) {
      violation("a request was sent " + std::to_string(count) + " times and traced " + std::to_string(times) +
                " times:\n" + bytes.substr(0, bytes.find('\r')));
    }
  }
}

}  // namespace baton::sim
