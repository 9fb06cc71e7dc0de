// Calls: on_target_hangup = "return". The target of a transfer has hung up, and the endpoint that transferred
// is called back, with the transferee on the line.
#include <utility>

#include "base/uuid.h"
#include "call/calls.h"

namespace baton::call {

// False when there is no way back: the call then ends as any other.
bool Calls::begin_return(Call& call, LegHandle leaver, const Why& why) {
  if (!call.return_to || call.return_to->target != leaver || cx_.draining) return false;
  const ReturnPath path = *std::exchange(call.return_to, nullptr);
  const LegHandle stays = call.other(leaver);
  const Leg* left = legs_.find(stays);
  if (left == nullptr || !left->in_call()) return false;
  if (parting_.contains(stays.pack())) return false;  // it is being let go itself
  auto routes = trunk::routes_to(*cx_.model, path.number);
  // Only a number of ours leads to an endpoint of ours.
  const trunk::Trunk* trunk = routes.empty() ? nullptr : cx_.model->trunk(routes.front().trunk_id);
  const trunk::Account* account = cx_.model->account(call.account_id);
  if (trunk == nullptr || account == nullptr || trunk->account_id != account->id) return false;
  const auto ticket = admission_.admit(cx_.now, *account, *trunk, 0);
  if (!ticket) return false;

  const Leg* gone = legs_.find(leaver);
  const Cdr old = call.span.cdr;
  close_span(call.span, gone != nullptr && gone->ended_at ? *gone->ended_at : cx_.now, why);
  const bool caller_left = leaver == call.caller;
  const trunk::CallerId shown = caller_left ? call.callee_id : call.caller_id;
  (caller_left ? call.caller : call.callee) = {};
  (caller_left ? call.caller_id : call.callee_id) = trunk::CallerId{path.number, {}, false};
  call.returning = true;
  call.diversions.clear();       // whoever it comes back to is not diverted from
  tell_lingering(call, leaver);  // nobody is left with whom they could talk

  call.span = {};
  call.span.open = true;
  call.span.ticket = *ticket;
  Cdr& cdr = call.span.cdr;
  cdr.call_uuid = uuid_at(cx_.now, cx_.rng);
  cdr.root_call_uuid = call.root_uuid;
  cdr.transfer_id = path.transfer_id;
  cdr.leg_role = "return";
  cdr.account_id = call.account_id;
  cdr.trunk_id = trunk->id;
  cdr.trunk_domain = trunk->domain;
  cdr.direction = old.direction;
  cdr.from_number = shown.number;
  cdr.to_number = path.number;
  cdr.from_country = cx_.model->country_of(cdr.from_number);
  cdr.to_country = cx_.model->country_of(cdr.to_number);
  cdr.initiated_at = cx_.now;
  cdr.transport = old.transport;
  cdr.caller_sip_call_id = left->dialog.call_id;
  log(Severity::info, "call.returning", {{"call", call.root_uuid}, {"to", path.number}});

  call.hunt = std::make_unique<Hunt>();
  call.hunt->number = path.number;
  call.hunt->party = "return";
  call.hunt->caller = shown;
  call.hunt->codecs = spoken(stays);
  call.hunt->routes = std::move(routes);
  call.hunt->no_answer_after = trunk->answer_timeout;
  cx_.world.media(media::Hear{left->media, media::Hear::RingBack{cdr.to_country}});
  if (advance_hunt(*call.hunt, call.self.pack(), call.root_uuid, call.account_id) == HuntResult::exhausted) {
    fail_return(call);
  }
  return true;
}

void Calls::return_progress(Call& call, const LegProgress& event) {
  if (event.early_media) hear(call.caller ? call.caller : call.callee, event.leg);
}

void Calls::return_answered(Call& call, Leg& leg) {
  const LegHandle stays = call.caller ? call.caller : call.callee;
  (call.caller ? call.callee : call.caller) = leg.self;
  call.hunt.reset();
  call.returning = false;
  leg.call_uuid = call.span.cdr.call_uuid;
  call.span.cdr.answered_at = cx_.now;
  call.span.cdr.sip_status = 200;
  call.span.cdr.destination_sip_call_id = leg.dialog.call_id;
  admission_.answered(cx_.now, call.span.ticket);
  log(Severity::info, "call.returned", {{"call", call.root_uuid}});
  legs_.acknowledge(leg.self);
  bring_together(stays, leg.self);
  if (wants_recording(call.span.cdr.trunk_id, call.span.cdr.to_number)) start_recording(call);
}

void Calls::fail_return(Call& call) {
  const int status = call.hunt->status != 0 ? call.hunt->status : 503;
  const LegHandle stays = call.caller ? call.caller : call.callee;
  log(Severity::info, "call.return_failed", {{"call", call.root_uuid}, {"status", std::to_string(status)}});
  call.returning = false;
  call.span.cdr.sip_status = status;
  close_span(call.span, cx_.now,
             {.code = hangup_for_status(status), .source = HangupSource::customer, .status = status});
  if (Leg* leg = legs_.find(stays)) {
    leg->call = 0;
    hear_silence(stays);
    legs_.hang_up(stays,
                  {.code = Hangup::normal,
                   .reason = "SIP;cause=" + std::to_string(status) + ";text=\"Nobody takes the call back\""});
  }
  call.caller = {};
  call.callee = {};
  call.hunt.reset();
  erase_if_over(call);
}

}  // namespace baton::call
