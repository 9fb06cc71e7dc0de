// Calls: the transfer table at work. What happens is in transfer_table.h; how each action is done is here.
#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/uuid.h"
#include "call/calls.h"

namespace baton::call {
namespace {

constexpr Duration notify_wait = 2s;           // how long the BYE waits for the answer to the final NOTIFY
constexpr Duration subscription_margin = 15s;  // beyond the ring timeout

// What a NOTIFY can say about an answer from the target's side: redirects are not followed, so they are
// failures.
int reported_status(int status) {
  if (status >= 300 && status < 400) return 502;
  return status >= 400 && status <= 699 ? status : 503;
}

}  // namespace

void Calls::fire(TransferHandle transfer, TransferEvent event, int status, std::string reason,
                 std::string refused_by) {
  fired_.push_back({transfer, event, status, std::move(reason), std::move(refused_by)});
  if (!firing_) run_fired();
}

// One row at a time: what an action brings about waits until its row is done.
void Calls::run_fired() {
  firing_ = true;
  while (!fired_.empty()) {
    const Fired fired = std::move(fired_.front());
    fired_.pop_front();
    Transfer* transfer = transfers_.find(fired.transfer);
    if (transfer == nullptr || transfer->state == TransferState::ended) continue;
    const TransferRow& row = transfer_row(transfer->state, fired.event);
    BATON_ASSERT(row.verdict != Verdict::impossible);
    if (row.verdict == Verdict::ignored) continue;
    transfer->status = fired.status;
    transfer->reason = fired.reason;
    transfer->refused_by = fired.refused_by;
    const TransferState from = std::exchange(transfer->state, row.to);
    if (from == TransferState::lingering && row.to != from) disarm(*transfer, TransferTimer::bye);
    log(Severity::debug, "transfer.step",
        {{"transfer", transfer->record.transfer_id},
         {"from", std::string(to_string(from))},
         {"event", std::string(to_string(fired.event))},
         {"state", std::string(to_string(row.to))}});
    if (row.to == TransferState::parting) {
      parting_[transfer->transferor.pack()] = transfer->self;
      notifying_[transfer->notifier.pack()] = transfer->self;
    }
    const bool pending = row.to == TransferState::checking || row.to == TransferState::dialing ||
                         row.to == TransferState::ringing || row.to == TransferState::orphaned;
    if (!pending) {
      disarm(*transfer, TransferTimer::ring);
      disarm(*transfer, TransferTimer::turn);
      disarm(*transfer, TransferTimer::announcement);
      if (Call* call = calls_.find(transfer->call); call != nullptr && call->pending == transfer->self)
        call->pending = {};
    }
    for (const TransferAction action : row.actions) perform(*transfer, action);
    if (row.to == TransferState::ended) finish_transfer(*transfer);
  }
  firing_ = false;
}

void Calls::perform(Transfer& transfer, TransferAction action) {
  using A = TransferAction;
  const int failure = reported_status(transfer.status);
  switch (action) {
    case A::none:
      return;
    case A::accept_refer: {
      std::vector<sip::Draft::Field> headers;
      if (transfer.no_subscription_by_require) {
        headers.push_back({sip::HeaderId::require, {}, "nosub"});
      } else if (!transfer.subscribed) {
        headers.push_back({sip::HeaderId::refer_sub, {}, "false"});
      }
      const int code = transfer.no_subscription_by_require ? 200 : transfer.accept_code;
      transfer.record.refer_status = code;
      step(transfer, "accepted", code);
      legs_.answer_refer(transfer.notifier, transfer.refer, {.status = code}, headers);
      if (transfer.subscribed) {
        legs_.subscribe(transfer.notifier, transfer.refer_cseq,
                        (transfer.ring_timeout + transfer.turn_wait_max) *
                                static_cast<int>(1 + transfer.fallbacks.size()) +
                            subscription_margin,
                        transfer.notify_id_first);
      }
      return;
    }
    case A::refuse_refer: {
      const int status = transfer.status != 0 ? transfer.status : 487;
      transfer.record.refer_status = status;
      return legs_.answer_refer(
          transfer.notifier, transfer.refer,
          {.status = status, .code = hangup_for_status(status), .text = transfer.reason});
    }
    case A::notify_trying:
      return legs_.notify(transfer.notifier, transfer.refer_cseq, 100);
    case A::notify_progress:
      step(transfer, transfer.status == 183 ? "progress" : "ringing", transfer.status);
      if (!transfer.notify_progress) return;
      return legs_.notify(transfer.notifier, transfer.refer_cseq, transfer.status);
    case A::notify_success:
      transfer.record.final_status = 200;
      return legs_.notify(transfer.notifier, transfer.refer_cseq, 200);
    case A::notify_failure:
      return legs_.notify(transfer.notifier, transfer.refer_cseq, failure);
    case A::notify_timeout:
      transfer.status = 408;
      transfer.reason = "The target did not answer in time";
      transfer.refused_by = "target";
      return legs_.notify(transfer.notifier, transfer.refer_cseq, 408);
    case A::notify_gone:
      return legs_.notify(transfer.notifier, transfer.refer_cseq, 487);
    case A::await_notify:
      if (!transfer.subscribed || legs_.notify_settled(transfer.notifier, transfer.refer_cseq)) {
        return settled(transfer);
      }
      return arm(transfer, TransferTimer::notify, notify_wait);
    case A::call_target:
      return call_target(transfer);
    case A::call_next_target:
      return call_next_target(transfer);
    case A::await_consultation:
      return await_consultation(transfer);
    case A::cancel_target:
      if (transfer.consultation) return leave_consultation(transfer);
      if (transfer.hunt.active()) step(transfer, "target_cancelled");
      return abandon_hunt(transfer.hunt,
                          {.code = Hangup::normal, .reason = "SIP;cause=487;text=\"Transfer ended\""});
    case A::promote_target:
      return promote_target(transfer);
    case A::acknowledge_target:
      return legs_.acknowledge(transfer.target);
    case A::announce:
      return announce(transfer);
    case A::play_ring_back:
      // A 180 after early media does not take it away again.
      if (const Leg* target = legs_.find(sought(transfer)); target != nullptr && target->early_media) return;
      return transferee_hears(transfer, Transfer::Heard::ring_back);
    case A::play_target:
      step(transfer, "early_media", transfer.status);
      return transferee_hears(transfer, Transfer::Heard::target);
    case A::bridge_media:
      bring_together(transfer.transferee, transfer.target, bool{transfer.consultation});
      hear_silence(transfer.transferor);
      return hear_silence(transfer.consultation);
    case A::restore_media:
      return hear(transfer.transferee, transfer.transferor);
    case A::bye_transferor:
      leave_consultation(transfer);
      return legs_.hang_up(transfer.transferor, {.code = Hangup::transferred,
                                                 .reason = "SIP;cause=200;text=\"Call transferred\"",
                                                 .notified = true});
    case A::await_bye:
      return await_bye(transfer);
    case A::excuse_transferor:
      return excuse_transferor(transfer);
    case A::end_call:
      return end_orphaned_call(transfer);
    case A::drop_transferee:
      return legs_.hang_up(
          transfer.transferee,
          {.code = Hangup::normal,
           .reason = "SIP;cause=487;text=\"The transferor hung up before the transfer was complete\""});
    case A::record_transferred:
      return record(transfer, "transferred", 200);
    case A::record_failed:
      return record(transfer, "failed", reported_status(transfer.status));
    case A::record_refused:
      return record(transfer, "refused", 0);
    case A::record_abandoned:
      // A dialog of the REFER's own is still there to be told, whoever hung up.
      return record(
          transfer, "abandoned",
          transfer.state == TransferState::parting || transfer.notifier != transfer.transferor ? 487 : 0);
    case A::record_superseded:
      return record(transfer, "superseded", 487);
    case A::record_cancelled:
      return record(transfer, "cancelled", 487);
  }
}

void Calls::call_target(Transfer& transfer) {
  const auto failed = [&](int status, std::string reason) {
    target_failed(transfer, status, std::move(reason), "baton");
  };
  Call* call = calls_.find(transfer.call);
  BATON_ASSERT(call != nullptr);
  if (transfer.replaces_status != 0) return failed(transfer.replaces_status, transfer.record.reason);
  const trunk::Trunk* trunk = cx_.model->trunk(transfer.record.trunk_id);
  const trunk::Account* account = cx_.model->account(call->account_id);
  if (trunk == nullptr || account == nullptr) return failed(503, "The trunk was removed");
  Hunt& hunt = transfer.hunt;
  if (transfer.destination.resolve_host.empty()) {
    hunt.routes = trunk::routes_to(*cx_.model, transfer.destination.number);
  } else {
    trunk::Route route;
    route.uri = transfer.destination.foreign_uri();
    hunt.routes.push_back(std::move(route));
    hunt.next_route = 1;  // its targets are known and checked
  }
  if (hunt.routes.empty()) return failed(404, "No carrier serves this number");
  // Before those that merely wait for their turn; among them where too many have started.
  const std::int64_t rate = hunt.routes.front().rate_per_minute_micros;
  auto ticket = admission_.admit(cx_.now, *account, *trunk, rate);
  if (!ticket && transfer.turn_wait_max > Duration{}) {
    ticket = admission_.admit(cx_.now, *account, *trunk, rate, transfer.turn_wait_max);
  }
  if (!ticket) return failed(ticket.error().status, ticket.error().text);
  transfer.ticket = *ticket;
  if (ticket->starts_at <= cx_.now) return dial_target(transfer);
  step(transfer, "queued");
  ++cx_.counters.calls_queued;
  arm(transfer, TransferTimer::turn, ticket->starts_at - cx_.now);
}

void Calls::dial_target(Transfer& transfer) {
  const Call* call = calls_.find(transfer.call);
  BATON_ASSERT(call != nullptr);
  step(transfer, "dialing", 0, transfer.destination.number);
  arm(transfer, TransferTimer::ring, transfer.ring_timeout);
  if (advance_hunt(transfer.hunt, call->self.pack(), call->root_uuid, call->account_id) ==
      HuntResult::exhausted) {
    target_failed(transfer, 503, "No carrier is reachable", "baton");
  }
}

// The target takes the transferor's place; its stretch of the call begins. The transferor's ends when it is
// gone.
void Calls::promote_target(Transfer& transfer) {
  if (transfer.consultation) join_consultation(transfer);
  Call* call = calls_.find(transfer.call);
  BATON_ASSERT(call != nullptr);
  Leg* target = legs_.find(transfer.consultation ? transfer.target : transfer.hunt.leg);
  BATON_ASSERT(target != nullptr);
  transfer.target = target->self;
  transfer.hunt.leg = {};
  const bool was_caller = transfer.transferor_called;
  const trunk::CallerId leaves = was_caller ? call->caller_id : call->callee_id;
  call->return_to.reset();
  if (transfer.returns) {
    call->return_to = std::make_unique<const ReturnPath>(
        ReturnPath{target->self, leaves.number, transfer.record.transfer_id});
  }
  (was_caller ? call->caller : call->callee) = target->self;
  call->diversions.assign(transfer.hunt.diversions.begin(), transfer.hunt.diversions.end());
  (was_caller ? call->caller_id : call->callee_id) = trunk::CallerId{transfer.destination.number, {}, false};
  if (Leg* transferor = legs_.find(transfer.transferor)) transferor->call = 0;

  stop_recording(call->span);
  if (!transfer.transferor_left_at) transfer.old_span = std::move(call->span);
  const Leg* transferee = legs_.find(transfer.transferee);
  Span span;
  span.open = true;
  span.ticket = transfer.ticket;
  transfer.ticket = {};
  admission_.answered(cx_.now, span.ticket);
  Cdr& cdr = span.cdr;
  const Cdr& old = transfer.old_span.cdr;
  cdr.call_uuid = uuid_at(cx_.now, cx_.rng);
  cdr.root_call_uuid = call->root_uuid;
  cdr.transfer_id = transfer.record.transfer_id;
  cdr.leg_role = "transfer";
  cdr.account_id = call->account_id;
  cdr.trunk_id = target->trunk_id.empty() ? transfer.record.trunk_id : target->trunk_id;
  if (const trunk::Trunk* trunk = cx_.model->trunk(cdr.trunk_id)) cdr.trunk_domain = trunk->domain;
  cdr.carrier_id = target->carrier_id;
  cdr.direction = old.direction;
  cdr.from_number = transfer.hunt.caller.number;
  cdr.to_number = transfer.destination.number;
  cdr.from_country = cx_.model->country_of(cdr.from_number);
  cdr.to_country = cx_.model->country_of(cdr.to_number);
  cdr.initiated_at = cx_.now;
  cdr.answered_at = cx_.now;
  cdr.sip_status = 200;
  cdr.transport = to_string(target->source.transport);
  cdr.caller_sip_call_id = transferee != nullptr ? transferee->dialog.call_id : old.caller_sip_call_id;
  cdr.destination_sip_call_id = target->dialog.call_id;
  target->call_uuid = cdr.call_uuid;
  call->span = std::move(span);
  // Its own number's setting, or its trunk's; who is reached over a carrier has neither.
  const trunk::Number* own = cx_.model->number(transfer.destination.number);
  continue_recording(*call, transfer.old_span, own != nullptr && wants_recording(own->trunk_id, own->e164));
  transfer.record.carrier_id = target->carrier_id;
  ++cx_.counters.transfers_bridged;
  step(transfer, "answered", 200);
}

void Calls::finish_transfer(Transfer& transfer) {
  parting_.erase(transfer.transferor.pack());
  notifying_.erase(transfer.notifier.pack());
  if (transfer.notifier != transfer.transferor) {
    // A subscription of its own outlives the transferor's leg: it hears how things stand.
    const int failed = transfer.record.final_status != 0 ? transfer.record.final_status : 487;
    legs_.notify(transfer.notifier, transfer.refer_cseq, transfer.target ? 200 : failed);
    legs_.release_referrer(transfer.notifier);
  }
  if (transfer.query != 0) queries_.erase(transfer.query);
  abandon_hunt(transfer.hunt, {});
  leave_consultation(transfer);
  if (transfer.ticket) admission_.release(cx_.now, transfer.ticket);
  const Leg* transferor = legs_.find(transfer.transferor);
  Time left_at = transferor != nullptr && transferor->ended_at ? *transferor->ended_at : cx_.now;
  if (transfer.transferor_left_at) left_at = *transfer.transferor_left_at;
  const bool orphan_failed = transfer.transferor_left_at && !transfer.target;
  close_span(transfer.old_span, left_at,
             {.code = orphan_failed ? Hangup::normal : Hangup::transferred,
              .source = orphan_failed ? transfer.left_source : HangupSource::baton});
  Call* call = calls_.find(transfer.call);
  const TransferHandle self = transfer.self;
  transfers_.erase(self);
  if (call == nullptr) return;
  call->lingering.erase_if([self](TransferHandle one) { return one == self; });
  --call->transfers_live;
  erase_if_over(*call);
}

void Calls::record(Transfer& transfer, const char* outcome, int final_status) {
  if (transfer.recorded) return;
  transfer.recorded = true;
  const bool success = final_status == 200;
  if (!success) ++cx_.counters.transfers_failed;
  TransferRecord& record = transfer.record;
  record.outcome = outcome;
  record.final_status = final_status;
  if (!success) {
    record.reason = transfer.reason;
    record.refused_by = transfer.refused_by;
  }
  step(transfer, outcome, final_status, success ? std::string{} : transfer.reason);
  record.ended_at = cx_.now;
  log(Severity::info, success ? "transfer.done" : "transfer.failed",
      {{"transfer", record.transfer_id},
       {"call", record.root_call_uuid},
       {"outcome", outcome},
       {"status", std::to_string(final_status)},
       {"why", record.reason}});
  cx_.world.write(record);
  if (transfer.ticket && !success) {
    admission_.release(cx_.now, transfer.ticket);
    transfer.ticket = {};
  }
}

void Calls::step(Transfer& transfer, const char* what, int status, std::string detail) {
  constexpr std::size_t steps_max = 64;
  if (transfer.record.steps.size() < steps_max) {
    transfer.record.steps.push_back({cx_.now, what, status, std::move(detail)});
  }
}

void Calls::cancel_transfer(const std::string& transfer_id) {
  TransferHandle found;
  transfers_.for_each([&](TransferHandle handle, const Transfer& transfer) {
    if (transfer.record.transfer_id == transfer_id) found = handle;
  });
  if (found) fire(found, TransferEvent::cancelled, 487, "Cancelled", "baton");
}

// ---- Timers -----------------------------------------------------------------------------------------

void Calls::arm(Transfer& transfer, TransferTimer timer, Duration after) {
  const auto kind = static_cast<std::size_t>(timer);
  transfer.deadlines[kind] = cx_.now + after;
  timers_.arm(transfer.deadlines[kind], transfer.self.pack(), static_cast<std::uint8_t>(kind));
}

void Calls::disarm(Transfer& transfer, TransferTimer timer) {
  transfer.deadlines[static_cast<std::size_t>(timer)] = Time{};
}

std::optional<Time> Calls::next_deadline() const {
  const auto a = timers_.next_deadline(), b = turns_.next_deadline();
  return a && b ? std::min(*a, *b) : a ? a : b;
}

void Calls::advance() {
  while (const auto turn = turns_.pop_due(cx_.now)) {
    Call* call = calls_.find(CallHandle::unpack(turn->owner));
    if (turn->kind == farewell_timer) {
      if (call != nullptr && call->farewell && call->farewell->at == turn->at) end_farewell(*call);
      continue;
    }
    if (call != nullptr && call->dials_at == turn->at && call->caller) dial_callee(*call);
  }
  while (const auto entry = timers_.pop_due(cx_.now)) {
    Transfer* transfer = transfers_.find(TransferHandle::unpack(entry->owner));
    if (transfer == nullptr || transfer->deadlines[entry->kind] != entry->at) continue;
    transfer->deadlines[entry->kind] = Time{};
    switch (static_cast<TransferTimer>(entry->kind)) {
      case TransferTimer::turn:
        dial_target(*transfer);
        break;
      case TransferTimer::ring:
        ring_timed_out(*transfer);
        break;
      case TransferTimer::bye:
        fire(transfer->self, TransferEvent::bye_overdue);
        break;
      case TransferTimer::notify:
        // Its predecessor may still be unanswered: the final word goes out all the same, and is waited for as
        // long.
        (void)legs_.flush_notify(transfer->notifier, transfer->refer_cseq);
        if (const auto sent = legs_.final_notify_at(transfer->notifier, transfer->refer_cseq);
            sent && *sent + notify_wait > cx_.now) {
          arm(*transfer, TransferTimer::notify, *sent + notify_wait - cx_.now);
        } else {
          settled(*transfer);
        }
        break;
      case TransferTimer::announcement:
        hear_next(*transfer);
        break;
      case TransferTimer::count:
        break;
    }
  }
}

// ---- Invariants -------------------------------------------------------------------------------------

std::string Calls::check_invariants() {
  std::string broken;
  const auto note = [&](const std::string& text) {
    if (broken.empty()) broken = text;
  };
  calls_.for_each([&](CallHandle handle, const Call& call) {
    const std::string name = "call " + call.root_uuid + ": ";
    if (call.self != handle) note(name + "does not know itself");
    if (call.caller && legs_.find(call.caller) == nullptr) note(name + "its caller leg is gone");
    if (call.callee && legs_.find(call.callee) == nullptr) note(name + "its callee leg is gone");
    const Transfer* sought = transfers_.find(call.pending);
    const bool orphaned = sought != nullptr && sought->state == TransferState::orphaned;
    const bool awaited = orphaned || (call.returning && call.seeks());
    if (call.answered && !awaited && (call.caller || call.callee) && !(call.caller && call.callee)) {
      note(name + "somebody is left alone in it");
    }
    if (call.pending && transfers_.find(call.pending) == nullptr) note(name + "its pending transfer is gone");
    if ((call.caller || call.callee) && !call.span.open && !orphaned) note(name + "goes on without a record");
  });
  transfers_.for_each([&](TransferHandle, const Transfer& transfer) {
    const std::string name = "transfer " + transfer.record.transfer_id + ": ";
    if (calls_.find(transfer.call) == nullptr) note(name + "its call is gone");
    if (transfer.state == TransferState::ended) note(name + "ended but not erased");
    const bool decided = transfer.state == TransferState::parting ||
                         transfer.state == TransferState::lingering ||
                         transfer.state == TransferState::releasing;
    if (decided != transfer.recorded) note(name + "decided and recorded disagree");
    const bool queued = transfer.deadlines[static_cast<std::size_t>(TransferTimer::turn)] != Time{};
    if (!decided && !queued && !transfer.hunt.active() && !transfer.consultation &&
        transfer.state != TransferState::checking)
      note(name + "waits for nobody");
  });
  return broken;
}

}  // namespace baton::call
