// Calls: attended transfer (RFC 5589 7). Replaces names a call of the transferor's that is here already, so
// its two far ends are joined in our own media and nobody is called.
#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "call/calls.h"

namespace baton::call {
namespace {

constexpr const char* call_transferred = "SIP;cause=200;text=\"Call transferred\"";

}  // namespace

// RFC 3891 3, with the checks of our own: a call of another account, or the leg of somebody else, is nobody's
// to give away.
Calls::Named Calls::find_named(const sip::DialogId& id, const std::string& account_id,
                               const std::string& carrier_id) {
  Named named;
  const auto no_such = [&](int status, std::string why) {
    named.ours = true;
    named.status = status;
    named.why = std::move(why);
    return named;
  };
  const auto forbidden = [&](std::string why) {
    named.ours = true;
    named.refusal = Rejection{.status = 403, .code = Hangup::forbidden, .text = std::move(why)};
    return named;
  };
  const LegHandle handle = legs_.find_dialog_id(id);
  const LegRemains* known = legs_.find_remains(handle);
  if (known == nullptr || known->account_id.empty()) {
    if (!legs_.knows_call_id(id.call_id, account_id)) return named;
    return no_such(481, "Replaces names a call of this server with tags that are not its own");
  }
  if (known->account_id != account_id) return forbidden("Replaces names a call of another account");
  const bool own = carrier_id.empty() ? !known->trunk_id.empty() : known->carrier_id == carrier_id;
  if (!own) return forbidden("Replaces names the leg of another party; it must name the sender's own");
  const Leg* leg = legs_.find(handle);
  const Call* call = leg == nullptr ? nullptr : calls_.find(CallHandle::unpack(leg->call));
  const bool party = call != nullptr && (call->has(handle) || call->sought() == handle);
  if (!party || !leg->alive()) return no_such(603, "The call that Replaces names has ended");
  const auto not_yet = [&] {
    named.ours = true;
    named.refusal = Rejection{.status = 491,
                              .code = Hangup::request_pending,
                              .text = "The call that Replaces names is still being set up",
                              .retry_after_s = 1};
    return named;
  };
  if (call->returning) return not_yet();
  if (call->farewell) return no_such(603, "The call that Replaces names is ending");
  const Leg* other = legs_.find(call->answered ? call->other(handle) : call->caller);
  if (other == nullptr || !other->alive()) return no_such(603, "The call that Replaces names is ending");
  if (other != leg && answer_waits(*other)) return not_yet();
  if (id.early_only && call->answered) {
    return no_such(486, "Replaces asks for a call that is not answered yet; this one is");
  }
  named.ours = true;
  named.leg = handle;
  named.ringing = !call->answered && call->caller == handle;
  return named;
}

Calls::Named Calls::find_consultation(const Call& call, const Leg& transferor, const std::string& replaces) {
  const auto id = sip::DialogId::parse_replaces(replaces);
  Named named;
  if (!id) {
    named.refusal = Rejection{
        .status = 400, .code = Hangup::uri_invalid, .text = "Replaces: " + std::string(id.error().reason)};
    return named;
  }
  const bool endpoint = !transferor.trunk_id.empty();
  named = find_named(*id, call.account_id, endpoint ? std::string{} : transferor.carrier_id);
  if (!named.leg) return named;
  const Leg* leg = legs_.find(named.leg);
  const Call* other = calls_.find(CallHandle::unpack(leg->call));
  if (other == &call) {
    named.refusal = Rejection{.status = 400,
                              .code = Hangup::uri_invalid,
                              .text = "Replaces names the very call that is to be transferred"};
    return named;
  }
  const Transfer* pending = transfers_.find(other->pending);
  const bool taken = (pending != nullptr && pending->transferor != named.leg) ||
                     (other->joiner && other->joiner != call.pending);
  if (taken) {
    named.refusal = Rejection{.status = 491,
                              .code = Hangup::request_pending,
                              .text = "The call that Replaces names is being transferred itself",
                              .retry_after_s = 1};
  }
  return named;
}

void Calls::begin_attended(Transfer& transfer, const Named& named) {
  const TransferHandle handle = transfer.self;
  Call* call = calls_.find(CallHandle::unpack(legs_.find(named.leg)->call));
  BATON_ASSERT(call != nullptr);
  // The transferor has made up its mind: what else it wanted of that call is over.
  if (call->pending) {
    fire(call->pending, TransferEvent::superseded, 487, "Replaced by an attended transfer", "transferor");
  }
  transfer.consultation = named.leg;
  const bool called = named.leg == call->caller;
  transfer.destination.number = called ? call->callee_id.number : call->caller_id.number;
  transfer.record.target_number = transfer.destination.number;
  // The target knows the transferor from the consultation; the record of its stretch shows whom it got.
  const Call* own = calls_.find(transfer.call);
  transfer.hunt.caller = transfer.transferee == own->caller ? own->caller_id : own->callee_id;
  transfer.record.caller_id = called ? call->caller_id.number : std::string{};
  call->joiner = handle;
  fire(handle, named.ringing ? TransferEvent::consultation_ringing : TransferEvent::consultation_answered,
       200);
}

void Calls::await_consultation(Transfer& transfer) {
  arm(transfer, TransferTimer::ring, transfer.ring_timeout);
  step(transfer, "consultation_rings", 0, transfer.destination.number);
  const Leg* target = legs_.find(sought(transfer));
  if (target == nullptr || target->dialog.remote_tag.empty()) return;
  const bool early_media = target->early_media;
  fire(transfer.self, early_media ? TransferEvent::target_early_media : TransferEvent::target_ringing,
       early_media ? 183 : 180);
}

// The target moves from the consultation call to this one. The transferor's leg there is let go with the one
// here, and its record waits for that.
void Calls::join_consultation(Transfer& transfer) {
  Leg* own = legs_.find(transfer.consultation);
  BATON_ASSERT(own != nullptr);
  Call* other = calls_.find(CallHandle::unpack(own->call));
  BATON_ASSERT(other != nullptr);
  other->joiner = {};
  transfer.target = other->answered ? other->other(own->self) : other->caller;
  if (!other->answered) {
    // It still rang at the transferor: the transferee takes the call in its place.
    other->answered = true;
    other->span.cdr.answered_at = cx_.now;
    other->span.cdr.sip_status = 200;
    other->span.cdr.destination_sip_call_id = own->dialog.call_id;
    admission_.answered(cx_.now, other->span.ticket);
    ++cx_.counters.calls_answered;
    end_hunt(*other);
    legs_.answer(transfer.target, spoken(transfer.transferee));
  }
  transfer.ticket = admission_.split(cx_.now, other->span.ticket);
  step(transfer, "joined", 0, other->root_uuid);
  log(Severity::info, "transfer.joined",
      {{"transfer", transfer.record.transfer_id},
       {"call", transfer.record.root_call_uuid},
       {"consultation", other->root_uuid}});
  own->call = 0;
  Call* call = calls_.find(transfer.call);
  if (Leg* target = legs_.find(transfer.target)) {
    // From here on its messages are this call's.
    target->call = call->self.pack();
    target->root_call_uuid = call->root_uuid;
    target->party = transfer.hunt.party;
  }
  stop_recording(other->span);
  leaving_.emplace(own->self.pack(), std::move(other->span));
  other->span.open = false;
  other->caller = {};
  other->callee = {};
  call->depth = std::max(call->depth, other->depth);
  // Those that are to hang up themselves once they have handed over that call wait for the end of this one.
  for (const TransferHandle linger : std::exchange(other->lingering, {})) call->lingering.push_back(linger);
  erase_if_over(*other);
  if (!own->in_call()) legs_.hang_up(own->self, {.code = Hangup::transferred, .reason = call_transferred});
}

// After the join the transferor's leg goes; before it, the consultation is the transferor's own affair.
void Calls::leave_consultation(Transfer& transfer) {
  const LegHandle handle = std::exchange(transfer.consultation, {});
  const Leg* own = legs_.find(handle);
  if (own == nullptr) return;
  if (Call* call = calls_.find(CallHandle::unpack(own->call))) {
    if (call->joiner == transfer.self) call->joiner = {};
    return;
  }
  legs_.hang_up(handle, {.code = Hangup::transferred, .reason = call_transferred});
}

// A party that was let go is gone: so ends the stretch of the call that it served.
void Calls::close_leaving(const Leg& leg) {
  const auto it = leaving_.find(leg.self.pack());
  if (it == leaving_.end()) return;
  if (!leg.outgoing && leg.final_status / 100 != 2) never_answered(it->second, leg.final_status);
  close_span(it->second, leg.ended_at.value_or(cx_.now),
             {.code = Hangup::transferred, .source = HangupSource::baton});
  leaving_.erase(it);
}

// Whom the transferee waits for: the leg being tried, here or in the consultation call.
LegHandle Calls::sought(const Transfer& transfer) {
  const Leg* own = legs_.find(transfer.consultation);
  if (own == nullptr) return transfer.hunt.leg;
  const Call* call = calls_.find(CallHandle::unpack(own->call));
  return call == nullptr ? LegHandle{} : call->sought();
}

void Calls::tell_joiner(Call& call, TransferEvent event, int status, std::string reason, std::string who) {
  if (transfers_.find(call.joiner) == nullptr) return;
  fire(call.joiner, event, status, std::move(reason), std::move(who));
}

}  // namespace baton::call
