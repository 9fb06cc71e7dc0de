// Calls: an INVITE with Replaces (RFC 3891). Its sender takes the place of a leg that its account has in a
// call here: another phone of the same PBX, or a transferee that was sent to us.
#include <algorithm>
#include <utility>

#include "base/uuid.h"
#include "call/calls.h"

namespace baton::call {
namespace {

constexpr const char* replaced = "SIP;cause=200;text=\"Replaced\"";

bool on_list(const trunk::Trunk& trunk, const IpAddress& source) {
  return std::any_of(trunk.acl.begin(), trunk.acl.end(),
                     [&](const IpNetwork& network) { return network.contains(source); });
}

}  // namespace

// Who it is: by the trunk domain that the Request-URI names or, as such an INVITE is sent to our Contact, any
// outbound trunk of the account whose call it is. Null: `rejection` says why, or asks for credentials.
const trunk::Trunk* Calls::authorise_outsider(Leg& leg, const sip::Message& request,
                                              const std::string& account_id, Rejection& rejection) {
  const auto uri = sip::Uri::parse(request.request_uri());
  const trunk::Trunk* named = uri ? cx_.model->trunk_by_domain(uri->host) : nullptr;
  if (named != nullptr && named->direction != trunk::TrunkDirection::outbound) named = nullptr;
  rejection = {.status = 481,
               .code = Hangup::call_does_not_exist,
               .text = "No call of the sender's is here by that name",
               .unproven = true};
  bool challenged = false;
  for (const trunk::Trunk& trunk : cx_.model->trunks) {
    if (trunk.direction != trunk::TrunkDirection::outbound || !trunk.enabled) continue;
    if (named != nullptr ? &trunk != named : trunk.account_id != account_id) continue;
    if (!trunk.acl.empty() && !on_list(trunk, leg.source.remote.ip)) continue;
    if (trunk.credentials.empty()) {
      if (!trunk.acl.empty()) return &trunk;
      continue;
    }
    Rejection challenge;
    if (authenticate(leg, trunk, request, challenge)) {
      leg.authenticated = true;
      return &trunk;
    }
    if (!std::exchange(challenged, true)) rejection = challenge;
  }
  return nullptr;
}

Leg* Calls::subject_of(const LegReferred& event, Leg& referrer, const sip::Message& refer) {
  Leg* about = legs_.find(event.about);
  const auto refuse = [&](const Rejection& rejection) -> Leg* {
    log(Severity::warning, "refer.refused",
        {{"source", referrer.source.remote.to_string()}, {"status", std::to_string(rejection.status)}});
    legs_.answer_refer(referrer.self, event.txn, rejection);
    legs_.release_referrer(referrer.self);
    return nullptr;
  };
  Rejection rejection;
  const trunk::Trunk* trunk =
      authorise_outsider(referrer, refer, about == nullptr ? std::string{} : about->account_id, rejection);
  if (trunk == nullptr) return refuse(rejection);
  if (about == nullptr || about->account_id != trunk->account_id || about->trunk_id.empty()) {
    return refuse({.status = 403,
                   .code = Hangup::forbidden,
                   .text = "Target-Dialog names no endpoint's leg of the sender's account"});
  }
  referrer.root_call_uuid = about->root_call_uuid;
  referrer.account_id = about->account_id;
  return about;
}

void Calls::on_replacing(Leg& leg) {
  const sip::Message& invite = *leg.request;
  const auto refuse = [&](int status, Hangup code, std::string text, unsigned retry_after_s = 0) {
    log(Severity::info, "replaces.refused",
        {{"source", leg.source.remote.to_string()}, {"status", std::to_string(status)}, {"why", text}});
    legs_.reject(leg.self,
                 {.status = status, .code = code, .text = std::move(text), .retry_after_s = retry_after_s});
  };
  // RFC 3891 3: more than one is a 400.
  if (invite.count(sip::HeaderId::replaces) != 1) {
    return refuse(400, Hangup::bad_request, "More than one Replaces; send exactly one");
  }
  const auto id = sip::DialogId::parse_replaces(invite.header(sip::HeaderId::replaces));
  if (!id) return refuse(400, Hangup::bad_request, "Replaces: " + std::string(id.error().reason));
  const LegHandle match = legs_.find_dialog_id(*id);
  const Leg* old = legs_.find(match);
  const LegRemains* known = legs_.find_remains(match);
  const std::string account_id = known != nullptr ? known->account_id : std::string{};

  const trunk::Carrier* carrier = cx_.model->carrier_by_source(leg.source.remote.ip);
  const bool trusted = carrier != nullptr && carrier->trusted_to_transfer;
  const trunk::Trunk* trunk = nullptr;
  if (!trusted) {
    Rejection rejection;
    trunk = authorise_outsider(leg, invite, account_id, rejection);
    if (trunk == nullptr) return legs_.reject(leg.self, rejection);
  }
  const Named named = find_named(*id, trusted ? account_id : trunk->account_id, trusted ? carrier->id : "");
  if (named.refusal) return refuse(named.refusal->status, named.refusal->code, named.refusal->text);
  // RFC 3891 3: an early dialog that we did not start can not be replaced.
  if (!named.leg || named.ringing) {
    const int status = named.ours && !named.ringing ? named.status : 481;
    return refuse(status, Hangup::call_does_not_exist,
                  named.why.empty() ? "Replaces names no call here that can be taken over" : named.why);
  }
  const Call* call = calls_.find(CallHandle::unpack(old->call));
  if (trusted) trunk = cx_.model->trunk(call->span.cdr.trunk_id);
  if (trunk == nullptr || !trunk->transfer.attended) {
    return refuse(403, Hangup::forbidden, "Attended transfers are disabled on this trunk");
  }
  const Transfer* pending = transfers_.find(call->pending);
  if ((pending != nullptr && pending->transferor != match) || call->joiner) {
    return refuse(491, Hangup::request_pending, "The call that Replaces names is being transferred", 1);
  }
  if (const auto refusal = legs_.set_terms(leg.self, trusted ? carrier->sip : trunk->sip,
                                           trusted ? carrier->media : trunk->media)) {
    return legs_.reject(leg.self, *refusal);
  }
  if (trusted) {
    leg.carrier_id = carrier->id;
  } else {
    leg.trunk_id = trunk->id;
  }
  leg.account_id = call->account_id;
  leg.root_call_uuid = call->root_uuid;
  leg.party = "replacement";
  leg.number = old->number;
  replacing_.emplace(leg.self.pack(), match);
  legs_.prepare(leg.self, legs_.endpoint_of(match));
}

// The place may be gone by now.
void Calls::on_ready(Leg& leg) {
  const auto it = replacing_.find(leg.self.pack());
  if (it == replacing_.end()) return;
  Leg* old = legs_.find(it->second);
  replacing_.erase(it);
  Call* call = old == nullptr ? nullptr : calls_.find(CallHandle::unpack(old->call));
  const bool in_it = call != nullptr && call->answered && call->has(old->self) && call->other(old->self);
  const bool sought = call != nullptr && !call->answered && call->sought() == old->self;
  if (!old || !old->alive() || (!in_it && !sought)) {
    return legs_.reject(leg.self, {.status = 481,
                                   .code = Hangup::call_does_not_exist,
                                   .text = "The call that Replaces names has ended"});
  }
  const Leg* stays = in_it ? legs_.find(call->other(old->self)) : nullptr;
  // A transfer has come to wait for this very answer, or the caller has not been answered yet.
  if ((sought && call->joiner) || (stays != nullptr && answer_waits(*stays))) {
    return legs_.reject(leg.self, {.status = 491,
                                   .code = Hangup::request_pending,
                                   .text = "The call that Replaces names is being transferred",
                                   .retry_after_s = 1});
  }
  leg.call = call->self.pack();
  log(Severity::info, "call.replaced", {{"call", call->root_uuid}});
  if (in_it) {
    take_place(leg, *old, *call);
  } else {
    pick_up(leg, *old, *call);
  }
}

// A new stretch of the call begins; the old one ends when the replaced party is gone.
void Calls::take_place(Leg& leg, Leg& old, Call& call) {
  if (call.pending)
    fire(call.pending, TransferEvent::cancelled, 487, "The transferor was replaced", "transferor");
  const LegHandle stays = call.other(old.self);
  Span span;
  span.open = true;
  span.ticket = admission_.split(cx_.now, call.span.ticket);
  span.cdr = call.span.cdr;
  span.cdr.call_uuid = uuid_at(cx_.now, cx_.rng);
  span.cdr.transfer_id.clear();
  span.cdr.leg_role = "replacement";
  span.cdr.initiated_at = cx_.now;
  span.cdr.answered_at = cx_.now;
  if (span.cdr.destination_sip_call_id == old.dialog.call_id) {
    span.cdr.destination_sip_call_id = leg.dialog.call_id;
  } else {
    span.cdr.caller_sip_call_id = leg.dialog.call_id;
  }
  leg.call_uuid = span.cdr.call_uuid;
  stop_recording(call.span);
  const auto left = leaving_.emplace(old.self.pack(), std::exchange(call.span, std::move(span))).first;
  (call.caller == old.self ? call.caller : call.callee) = leg.self;
  if (call.return_to && call.return_to->target == old.self) call.return_to.reset();
  old.call = 0;
  legs_.answer(leg.self, spoken(stays));
  bring_together(stays, leg.self);
  hear_silence(old.self);
  continue_recording(call, left->second, left->second.recordings && left->second.recordings->count != 0);
  legs_.hang_up(old.self, {.code = Hangup::transferred, .reason = replaced});
}

// It still rang: the new leg answers in place of the one that is called (RFC 3891 3).
void Calls::pick_up(Leg& leg, Leg& old, Call& call) {
  end_hunt(call);
  call.callee = leg.self;
  call.answered = true;
  call.span.cdr.answered_at = cx_.now;
  call.span.cdr.sip_status = 200;
  call.span.cdr.destination_sip_call_id = leg.dialog.call_id;
  admission_.answered(cx_.now, call.span.ticket);
  ++cx_.counters.calls_answered;
  log(Severity::info, "call.answered", {{"call", call.root_uuid}});
  old.call = 0;
  legs_.hang_up(old.self, {.code = Hangup::transferred, .reason = replaced});
  legs_.answer(leg.self, spoken(call.caller));
  hear(leg.self, call.caller);
  hear(call.caller, leg.self);
  legs_.answer(call.caller, spoken(leg.self));
  begin_recording(call);
}

}  // namespace baton::call
