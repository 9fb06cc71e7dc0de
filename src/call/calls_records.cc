// Calls: CDRs and log events.
#include "call/calls.h"

namespace baton::call {

const char* to_string(HangupSource source) {
  switch (source) {
    case HangupSource::customer:
      return "customer";
    case HangupSource::carrier:
      return "carrier";
    case HangupSource::baton:
      return "baton";
  }
  return "baton";
}

void Calls::open_span(Call& call, const Setup& setup, const Leg& caller) {
  Cdr& cdr = call.span.cdr;
  cdr.call_uuid = call.root_uuid;
  cdr.root_call_uuid = call.root_uuid;
  cdr.leg_role = "original";
  cdr.account_id = setup.account->id;
  cdr.trunk_id = setup.trunk->id;
  cdr.trunk_domain = setup.trunk->domain;
  cdr.carrier_id = setup.carrier_id;
  cdr.direction = setup.inbound ? "inbound" : "outbound";
  cdr.from_number = setup.caller.number;
  cdr.to_number = setup.number;
  cdr.from_country = cx_.model->country_of(setup.caller.number);
  cdr.to_country = cx_.model->country_of(setup.number);
  cdr.initiated_at = cx_.now;
  cdr.transport = to_string(caller.source.transport);
  cdr.caller_sip_call_id = caller.dialog.call_id;
  call.span.open = true;
}

void Calls::never_answered(Span& span, int status) {
  if (!span.open) return;
  span.cdr.answered_at.reset();
  span.cdr.sip_status = status;
  admission_.never_answered(span.ticket);
}

void Calls::close_span(Span& span, Time ended_at, const Why& why) {
  if (!span.open) return;
  stop_recording(span);
  span.open = false;
  span.cdr.ended_at = ended_at;
  span.cdr.hangup_code = static_cast<int>(why.code);
  span.cdr.hangup_cause = to_string(why.code);
  span.cdr.hangup_source = why.source;
  if (why.status != 0 && span.cdr.sip_status == 0) span.cdr.sip_status = why.status;
  if (span.ticket) span.cdr.price_micros = admission_.release(ended_at, span.ticket);
  span.ticket = {};
  cx_.world.write(span.cdr);
}

void Calls::log(Severity severity, std::string event,
                std::vector<std::pair<std::string, std::string>> fields) {
  cx_.world.log({severity, std::move(event), std::move(fields)});
}

}  // namespace baton::call
