// Calls: the course of a call between its two parties.
#include <algorithm>

#include "base/assert.h"
#include "call/calls.h"
#include "call/reason.h"
#include "sip/draft.h"

namespace baton::call {
namespace {

// What a caller may learn of the far side's failure: not its challenges, not its redirects.
int outward_status(int status) {
  if (status == 401 || status == 407) return 503;
  if (status >= 300 && status < 400) return 502;
  // Nobody answered: that is no fault of a server on the way (RFC 3398 8.2.6.1; Q.850 cause 19).
  if (status == 408) return 480;
  return status < 400 ? 503 : status;
}

}  // namespace

void Calls::handle(LegEvent event) {
  if (const auto* offered = std::get_if<LegOffered>(&event)) {
    if (Leg* leg = legs_.find(offered->leg); leg != nullptr && leg->state == LegState::offered)
      on_offered(*leg);
  } else if (const auto* ready = std::get_if<LegReady>(&event)) {
    if (Leg* leg = legs_.find(ready->leg); leg != nullptr) on_ready(*leg);
  } else if (const auto* progress = std::get_if<LegProgress>(&event)) {
    on_progress(*progress);
  } else if (const auto* answered = std::get_if<LegAnswered>(&event)) {
    on_answered(*answered);
  } else if (const auto* failed = std::get_if<LegFailed>(&event)) {
    on_failed(*failed);
  } else if (const auto* ended = std::get_if<LegEnded>(&event)) {
    on_ended(*ended);
  } else if (const auto* target = std::get_if<LegTarget>(&event)) {
    on_target(*target);
  } else if (const auto* updated = std::get_if<LegUpdated>(&event)) {
    on_updated(*updated);
  } else if (const auto* changed = std::get_if<LegWishChanged>(&event)) {
    relay_hold(changed->leg, true);
  } else if (const auto* confirmed = std::get_if<LegConfirmed>(&event)) {
    on_confirmed(*confirmed);
  } else if (const auto* silent = std::get_if<LegSilent>(&event)) {
    on_silent(*silent);
  } else if (const auto* digit = std::get_if<LegDigit>(&event)) {
    on_digit(*digit);
  } else if (const auto* referred = std::get_if<LegReferred>(&event)) {
    on_referred(*referred);
  } else if (const auto* notified = std::get_if<LegNotified>(&event)) {
    const auto it = notifying_.find(notified->leg.pack());
    const Transfer* transfer = it == notifying_.end() ? nullptr : transfers_.find(it->second);
    if (transfer != nullptr && transfer->refer_cseq == notified->refer_cseq)
      settled(transfers_.at(it->second));
  }
}

void Calls::on_progress(const LegProgress& event) {
  const Leg* leg = legs_.find(event.leg);
  Call* call = leg == nullptr ? nullptr : calls_.find(CallHandle::unpack(leg->call));
  if (call == nullptr) return;
  if (const Transfer* pending = transfers_.find(call->pending);
      pending != nullptr && pending->hunt.leg == event.leg) {
    return fire(pending->self,
                event.early_media ? TransferEvent::target_early_media : TransferEvent::target_ringing,
                event.status);
  }
  if (call->sought() != event.leg) return;
  if (call->returning) return return_progress(*call, event);
  tell_joiner(*call, event.early_media ? TransferEvent::target_early_media : TransferEvent::target_ringing,
              event.status);
  legs_.progress(call->caller, event.status, event.early_media, spoken(event.leg));
  if (event.early_media) {
    hear(call->caller, event.leg);
    hear(event.leg, call->caller);
  } else if (const Leg* caller = legs_.find(call->caller);
             caller != nullptr && caller->described && !leg->early_media) {
    // An earlier route gave early media, so the caller no longer makes its own ring-back tone.
    cx_.world.media(
        media::Hear{caller->media, media::Hear::RingBack{cx_.model->country_of(call->hunt->number)}});
  }
}

void Calls::on_answered(const LegAnswered& event) {
  const Leg* leg = legs_.find(event.leg);
  if (leg == nullptr) return;
  Call* call = calls_.find(CallHandle::unpack(leg->call));
  if (call == nullptr) return legs_.hang_up(event.leg, {});
  if (const Transfer* pending = transfers_.find(call->pending);
      pending != nullptr && pending->hunt.leg == event.leg) {
    return fire(pending->self, TransferEvent::target_answered, 200);
  }
  if (call->sought() != event.leg) return legs_.hang_up(event.leg, {});
  if (call->returning) return return_answered(*call, *legs_.find(event.leg));
  call->callee = event.leg;
  call->hunt.reset();
  call->answered = true;
  call->span.cdr.answered_at = cx_.now;
  call->span.cdr.sip_status = 200;
  call->span.cdr.destination_sip_call_id = leg->dialog.call_id;
  if (!leg->carrier_id.empty()) call->span.cdr.carrier_id = leg->carrier_id;
  admission_.answered(cx_.now, call->span.ticket);
  ++cx_.counters.calls_answered;
  log(Severity::info, "call.answered", {{"call", call->root_uuid}});
  legs_.acknowledge(event.leg);
  hear(event.leg, call->caller);
  hear(call->caller, event.leg);
  legs_.answer(call->caller, spoken(event.leg));
  begin_recording(*call);
  tell_joiner(*call, TransferEvent::target_answered, 200);
}

void Calls::on_failed(const LegFailed& event) {
  const Leg* leg = legs_.find(event.leg);
  if (leg != nullptr) close_leaving(*leg);
  Call* call = leg == nullptr ? nullptr : calls_.find(CallHandle::unpack(leg->call));
  if (call == nullptr) return;
  Transfer* pending = transfers_.find(call->pending);
  if (pending != nullptr && pending->hunt.leg != event.leg) pending = nullptr;
  if (pending == nullptr && call->sought() != event.leg) return;
  Hunt& hunt = pending != nullptr ? pending->hunt : *call->hunt;
  // An answer from somebody says more than nobody answering elsewhere.
  if (!event.unreachable || hunt.status == 0) {
    hunt.status = event.unreachable ? 503 : event.status;
    hunt.reason = event.unreachable ? "Nobody answers there" : event.reason;
    hunt.q850 = event.unreachable ? 0 : leg->q850;
  }
  // Another target of the same host only when this one did not serve (RFC 3263 4.3).
  if (!event.unreachable && event.status != 503) {
    if (hunt.route + 1 == hunt.next_route) hunt.next_target = hunt.targets.size();
    std::erase_if(hunt.put_off, [&](const Hunt::PutOff& one) { return one.route == hunt.route; });
  }
  if (may_advance(event.status, !leg->carrier_id.empty()) &&
      advance_hunt(hunt, call->self.pack(), call->root_uuid, call->account_id) == HuntResult::trying) {
    return;
  }
  hunt.leg = {};
  if (pending != nullptr) {
    const bool own = leg->carrier_id.empty();
    const std::string who = event.ours ? "baton" : event.unreachable && !own ? "carrier" : "target";
    return target_failed(*pending, hunt.status, hunt.reason, who);
  }
  fail_setup(*call);
}

void Calls::fail_setup(Call& call) {
  if (call.returning) return fail_return(call);
  const Hunt& hunt = *call.hunt;
  tell_joiner(call, TransferEvent::target_failed, hunt.status != 0 ? hunt.status : 503, hunt.reason,
              hunt.status == 0 ? "carrier" : "target");
  const int status = outward_status(hunt.status != 0 ? hunt.status : 503);
  const int cause = hunt.q850 != 0 ? hunt.q850 : q850_for_status(hunt.status != 0 ? hunt.status : 503);
  Hangup code = hunt.status == 0 ? Hangup::no_more_destinations : hangup_for_status(hunt.status);
  // The network's cause says more than a status that stands for many.
  const bool vague = hunt.status == 480 || hunt.status == 500 || hunt.status == 503;
  if (const auto meant = status_for_q850(cause); hunt.q850 != 0 && vague && meant) {
    code = hangup_for_status(*meant);
  }
  log(Severity::info, "call.failed", {{"call", call.root_uuid}, {"status", std::to_string(status)}});
  call.span.cdr.sip_status = hunt.status != 0 ? hunt.status : 503;
  const HangupSource source = hunt.status == 0 ? HangupSource::baton
                              : call.inbound   ? HangupSource::customer
                                               : HangupSource::carrier;
  Rejection rejection{.status = status, .code = code, .text = hunt.reason, .q850 = cause};
  if (status == 503) rejection.retry_after_s = 5;
  const Why why{.code = code, .source = source, .status = status};
  if (!announce_failure(call, rejection, why)) refuse_caller(call, rejection, why);
}

void Calls::refuse_caller(Call& call, const Rejection& rejection, const Why& why) {
  close_span(call.span, cx_.now, why);
  const LegHandle caller = call.caller;
  call.caller = {};
  if (Leg* leg = legs_.find(caller)) leg->call = 0;
  legs_.reject(caller, rejection);
  erase_if_over(call);
}

// ---- The end ------------------------------------------------------------------------------------------

HangupSource Calls::source_of(const Leg& leg) const {
  return leg.carrier_id.empty() ? HangupSource::customer : HangupSource::carrier;
}

void Calls::on_ended(const LegEnded& event) {
  const Leg* leg = legs_.find(event.leg);
  if (leg == nullptr) return;
  if (const auto it = parting_.find(event.leg.pack()); it != parting_.end()) {
    fire(it->second, TransferEvent::transferor_left);
  }
  close_leaving(*leg);
  replacing_.erase(event.leg.pack());
  Call* call = calls_.find(CallHandle::unpack(leg->call));
  if (call == nullptr || !call->has(event.leg)) return;
  Why why;
  why.source = source_of(*leg);
  why.code = event.leg == call->caller ? Hangup::normal : Hangup::normal_callee;
  why.reason = relayed_reason(event.reason);
  if (const auto cause = q850_cause(event.reason); cause && event.how == LegEnd::hung_up) {
    if (const auto status = status_for_q850(*cause)) why.code = hangup_for_status(*status);
  }
  if (event.how == LegEnd::cancelled) {
    why.code = Hangup::user_cancelled;
    why.status = 487;
  } else if (event.how == LegEnd::lost) {
    why = {.code = Hangup::request_timeout,
           .source = HangupSource::baton,
           .reason = "SIP;cause=408;text=\"The other party is gone\""};
  } else if (event.how == LegEnd::released) {
    why.source = HangupSource::baton;
  }
  // Who does not wait for the end of an announcement was not put through for the reason it is about.
  if (call->farewell) why = call->farewell->why;
  leg_left(*call, event.leg, why);
}

// What the caller was told with early media may not be what the callee answered in the end.
void Calls::on_confirmed(const LegConfirmed& event) {
  const Leg* leg = legs_.find(event.leg);
  const Call* call = leg == nullptr ? nullptr : calls_.find(CallHandle::unpack(leg->call));
  if (call == nullptr || !call->has(event.leg) || call->pending) return;
  match_codecs(event.leg, call->other(event.leg));
}

// A party holds, resumes or has moved. Its own media is set; the other one may have to be told.
void Calls::on_updated(const LegUpdated& event) {
  const Leg* leg = legs_.find(event.leg);
  Call* call = leg == nullptr ? nullptr : calls_.find(CallHandle::unpack(leg->call));
  if (call == nullptr || !call->has(event.leg) || !leg->remote) return;
  const LegHandle other = call->other(event.leg);
  if (!call->pending) match_codecs(other, event.leg);
  const Leg* far = legs_.find(other);
  const Transfer* pending = transfers_.find(call->pending);
  const bool rings = pending != nullptr && (pending->state == TransferState::ringing ||
                                            (pending->transferee == other && announcing(*pending)));
  if (far != nullptr && far->in_call() && !rings) hear(other, event.leg);
  relay_hold(event.leg, false);
}

// Where holding is told through, the other party is offered what this one wants.
void Calls::relay_hold(LegHandle handle, bool echo) {
  const Leg* leg = legs_.find(handle);
  const Call* call = leg == nullptr ? nullptr : calls_.find(CallHandle::unpack(leg->call));
  if (call == nullptr || !call->has(handle)) return;
  const LegHandle other = call->other(handle);
  const Leg* far = legs_.find(other);
  if (far == nullptr || !far->in_call() || far->sip.hold != trunk::HoldStyle::relayed) return;
  if (leg->wish != far->offer_direction) legs_.reoffer(other, leg->wish, echo);
}

// Whoever hears the party is told; before the answer that is who is being called.
void Calls::on_digit(const LegDigit& event) {
  const Leg* leg = legs_.find(event.leg);
  const Call* call = leg == nullptr ? nullptr : calls_.find(CallHandle::unpack(leg->call));
  if (call == nullptr || !call->has(event.leg)) return;
  const LegHandle other = call->other(event.leg);
  ++cx_.counters.digits_told;
  legs_.send_key(other ? other : call->sought(), event.key, event.leg);
}

// A call without media is dead. But an agent that has handed over may rest while the target is called.
void Calls::on_silent(const LegSilent& event) {
  const Leg* leg = legs_.find(event.leg);
  Call* call = leg == nullptr ? nullptr : calls_.find(CallHandle::unpack(leg->call));
  if (call == nullptr || !call->has(event.leg)) return;
  if (const Transfer* pending = transfers_.find(call->pending);
      pending != nullptr && pending->transferor == event.leg && !event.lost) {
    return;
  }
  Why why{.code = Hangup::rtp_timeout,
          .source = HangupSource::baton,
          .reason = "SIP;cause=408;text=\"RTP timeout\""};
  if (event.lost) {
    why.code = Hangup::nomedia;
    why.reason = "SIP;cause=503;text=\"The media is lost\"";
  } else {
    ++cx_.counters.rtp_timeouts;
  }
  legs_.hang_up(event.leg, {.code = why.code, .reason = why.reason});
  leg_left(*call, event.leg, why);
}

void Calls::leg_left(Call& call, LegHandle leg, const Why& why) {
  const CallHandle handle = call.self;
  if (const Transfer* pending = transfers_.find(call.pending)) {
    const bool goes_on = pending->goes_on_without_transferor && (pending->state == TransferState::dialing ||
                                                                 pending->state == TransferState::ringing);
    if (pending->transferor == leg && goes_on) {
      return fire(pending->self, TransferEvent::transferor_excused);
    }
    if (pending->transferor == leg) {
      fire(pending->self, TransferEvent::transferor_left, 487,
           "The transferor hung up before the target answered", "transferor");
    } else if (pending->transferee == leg) {
      fire(pending->self, TransferEvent::transferee_left, 487, "The transferee hung up", "transferee");
    }
  }
  Call* still = calls_.find(handle);
  if (still != nullptr && !begin_return(*still, leg, why)) end_call(*still, leg, why);
}

// One party has left: nobody stays in a call alone.
void Calls::end_call(Call& call, LegHandle leaver, const Why& why) {
  tell_joiner(call, TransferEvent::target_failed, 487, "The consultation call was given up", "transferor");
  tell_lingering(call, leaver);
  if (call.hunt)
    abandon_hunt(*call.hunt, {.code = why.code, .reason = "SIP;cause=487;text=\"The caller hung up\""});
  const Leg* gone = legs_.find(leaver);
  // The callee took the call, and the caller's answer was still waiting.
  if (const Leg* caller = legs_.find(call.caller);
      call.answered && caller != nullptr && !caller->outgoing && caller->final_status / 100 != 2) {
    never_answered(call.span, caller->final_status != 0 ? caller->final_status : refusal_of(why));
  }
  close_span(call.span, gone != nullptr && gone->ended_at ? *gone->ended_at : cx_.now, why);
  log(Severity::info, "call.ended",
      {{"call", call.root_uuid}, {"by", to_string(why.source)}, {"cause", std::string(to_string(why.code))}});
  const LegHandle other = call.other(leaver);
  if (const Leg* left = legs_.find(other)) {
    const auto parting = parting_.find(other.pack());
    const bool waits_for_notify = parting != parting_.end() && transfers_.find(parting->second) != nullptr;
    if (!waits_for_notify) {
      hear_silence(left->self);
      legs_.hang_up(other, {.code = why.code, .reason = why.reason, .reject_status = refusal_of(why)});
    }
  }
  call.caller = {};
  call.callee = {};
  erase_if_over(call);
}

void Calls::erase_if_over(Call& call) {
  if (call.caller || call.callee || call.seeks() || call.transfers_live != 0) return;
  BATON_ASSERT(!call.span.open);
  calls_.erase(call.self);
}

void Calls::hang_up_all() {
  std::vector<CallHandle> all;
  calls_.for_each([&](CallHandle handle, Call&) { all.push_back(handle); });
  const Why why{.code = Hangup::unavailable,
                .source = HangupSource::baton,
                .status = 503,
                .reason = "SIP;cause=503;text=\"The server is being stopped\""};
  for (const CallHandle handle : all) {
    if (Call* call = calls_.find(handle); call != nullptr && call->pending)
      fire(call->pending, TransferEvent::cancelled, 487, "The server is being stopped", "baton");
    Call* call = calls_.find(handle);
    if (call == nullptr || (!call->caller && !call->callee)) continue;
    const LegHandle first = call->caller ? call->caller : call->callee;
    end_call(*call, first, why);
    legs_.hang_up(first, {.code = why.code, .reason = why.reason, .reject_status = 503});
  }
}

// ---- Media --------------------------------------------------------------------------------------------

void Calls::hear(LegHandle listener, LegHandle source) {
  const Leg* to = legs_.find(listener);
  const Leg* from = legs_.find(source);
  if (to == nullptr || from == nullptr || to->media == 0 || from->media == 0) return;
  const std::string music = hold_music(*from);
  if (!music.empty()) return cx_.world.media(media::Hear{to->media, media::Hear::Play{music}});
  const Call* call = calls_.find(CallHandle::unpack(to->call));
  const Duration comfort_after =
      call != nullptr && call->comforted.leg == listener ? call->comforted.after : Duration{};
  cx_.world.media(media::Hear{to->media, media::Hear::Party{from->media, comfort_after}});
}

// What stands in for a party that holds; empty: what it sends.
std::string Calls::hold_music(const Leg& leg) const {
  if (!leg.in_call() || !leg.remote || sdp::receives(leg.remote->direction)) return {};
  const Call* call = calls_.find(CallHandle::unpack(leg.call));
  const trunk::Trunk* trunk = call == nullptr ? nullptr : cx_.model->trunk(call->span.cdr.trunk_id);
  return trunk == nullptr ? std::string{} : trunk->hold_music;
}

void Calls::hear_silence(LegHandle listener) {
  const Leg* leg = legs_.find(listener);
  if (leg == nullptr || leg->media == 0 || !leg->in_call()) return;
  cx_.world.media(media::Hear{leg->media, media::Hear::Silence{}});
}

void Calls::take_off_hold(LegHandle handle) {
  const Leg* leg = legs_.find(handle);
  if (leg == nullptr || !leg->remote) return;
  // Held, or about to be: the offer that says so may still be out, or wait for its turn after a 491.
  const bool held =
      leg->remote->direction != sdp::Direction::sendrecv || leg->offer_direction != sdp::Direction::sendrecv;
  if (held) legs_.reoffer(handle);
}

}  // namespace baton::call
