// Calls: recordings. One lasts at most as long as a stretch of a call: when somebody is put in another's
// place it stops, before the new party can be heard in it.
#include <algorithm>

#include "base/assert.h"
#include "base/uuid.h"
#include "call/calls.h"

namespace baton::call {

// A number's own setting goes before that of the trunk.
bool Calls::wants_recording(const std::string& trunk_id, const std::string& own_number) const {
  const trunk::Number* number = cx_.model->number(own_number);
  if (number != nullptr && number->record) return *number->record;
  const trunk::Trunk* trunk = cx_.model->trunk(trunk_id);
  return trunk != nullptr && trunk->recording.enabled;
}

// The call has been answered.
void Calls::begin_recording(Call& call) {
  const std::string& own = call.inbound ? call.callee_id.number : call.caller_id.number;
  if (wants_recording(call.span.cdr.trunk_id, own)) start_recording(call);
}

// Another party has come into the call and a new stretch has begun.
void Calls::continue_recording(Call& call, const Span& before, bool wanted) {
  const trunk::Trunk* trunk = cx_.model->trunk(before.cdr.trunk_id);
  const bool chained = trunk != nullptr && trunk->recording.through_transfers && before.recordings;
  if (chained) {
    call.span.recordings = std::make_unique<Span::Recordings>(*before.recordings);
    call.span.recordings->count = 0;
  }
  if (wanted || chained) start_recording(call);
}

void Calls::start_recording(Call& call) {
  const Leg* left = legs_.find(call.caller);
  const Leg* right = legs_.find(call.callee);
  Span& span = call.span;
  if (span.recording != 0 || !span.open || left == nullptr || right == nullptr) return;
  span.recording = ++next_recording_;
  if (!span.recordings) span.recordings = std::make_unique<Span::Recordings>();
  Span::Recordings& made = *span.recordings;
  ++made.count;
  RecordingRecord& record = recordings_[span.recording];
  record.recording_id = uuid_at(cx_.now, cx_.rng);
  if (made.chain_id.empty()) made.chain_id = record.recording_id;
  record.chain_id = made.chain_id;
  record.segment = ++made.segment;
  record.call_uuid = span.cdr.call_uuid;
  record.root_call_uuid = span.cdr.root_call_uuid;
  record.transfer_id = span.cdr.transfer_id;
  record.account_id = span.cdr.account_id;
  record.trunk_id = span.cdr.trunk_id;
  record.started_at = record.ended_at = cx_.now;
  std::string name = span.cdr.call_uuid;
  if (made.count > 1) name += "-" + std::to_string(made.count);
  cx_.world.media(media::Record{span.recording, left->media, right->media, std::move(name)});
  log(Severity::info, "recording.started", {{"call", call.root_uuid}, {"recording", record.recording_id}});
}

void Calls::stop_recording(Span& span) {
  if (span.recording == 0) return;
  const auto it = recordings_.find(span.recording);
  if (it != recordings_.end()) it->second.ended_at = cx_.now;
  cx_.world.media(media::StopRecording{span.recording});
  span.recording = 0;
}

void Calls::recorded(const media::Recorded& result) {
  const auto it = recordings_.find(result.id);
  if (it == recordings_.end()) return;
  RecordingRecord record = std::move(it->second);
  recordings_.erase(it);
  record.file = result.file;
  record.reason = result.error;
  record.duration_ms = result.lasted / 1ms;
  record.bytes = static_cast<std::int64_t>(result.bytes);
  record.packets_dropped = static_cast<std::int64_t>(result.packets_dropped);
  const bool whole = result.error.empty() && result.packets_dropped == 0;
  record.status = whole ? "complete" : result.lasted > Duration::zero() ? "incomplete" : "failed";
  if (!whole && record.reason.empty()) record.reason = "the disk was too slow";
  ++(whole ? cx_.counters.recordings : cx_.counters.recordings_failed);
  if (!whole) {
    log(Severity::warning, "recording.incomplete",
        {{"call", record.root_call_uuid}, {"file", record.file}, {"why", record.reason}});
  }
  cx_.world.write(std::move(record));
}

// By the call record's id; the root call's means its present stretch.
void Calls::record_call(const std::string& call_uuid, bool on) {
  CallHandle found;
  calls_.for_each([&](CallHandle handle, const Call& call) {
    if (call.span.open && (call.span.cdr.call_uuid == call_uuid || call.root_uuid == call_uuid))
      found = handle;
  });
  Call* call = calls_.find(found);
  if (call == nullptr || !call->answered) return;
  if (!on) return stop_recording(call->span);
  start_recording(*call);
}

}  // namespace baton::call
