// Calls: a new INVITE, from a carrier to one of our numbers or from an endpoint through its trunk domain.
#include <algorithm>

#include "base/ascii.h"
#include "base/assert.h"
#include "base/uuid.h"
#include "call/calls.h"

namespace baton::call {
namespace {

// The dialled number as E.164: "+14155551234", or the same digits without the plus.
std::optional<std::string> dialled_number(const sip::Uri& uri) {
  if (auto number = sip::to_e164(uri.user)) return number;
  return sip::to_e164("+" + uri.user);
}

// What a peer wrote, fit for records: no control characters, bounded.
std::string printable(std::string_view text) {
  std::string plain;
  for (const char c : text.substr(0, 64)) {
    if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) plain += c;
  }
  return plain;
}

Rejection from_refusal(const trunk::Refusal& refusal) {
  Rejection rejection;
  rejection.status = refusal.status;
  rejection.code =
      refusal.hangup_code != 0 ? static_cast<Hangup>(refusal.hangup_code) : hangup_for_status(refusal.status);
  rejection.text = refusal.text;
  return rejection;
}

// The host that a certificate of that carrier must name: of the gateway that the peer's Contact names, else
// of the first that may be called over TLS. Empty: there is none.
std::string tls_host_of(const trunk::Carrier& carrier, const dialog::Dialog& dialog) {
  std::string first;
  for (const trunk::Uri& gateway : carrier.gateways) {
    const bool tls = gateway.sips || gateway.any_transport || gateway.transport == Transport::tls;
    if (!tls) continue;
    if (ascii::equals_ignoring_case(gateway.host, dialog.next_hop.tls_name)) return gateway.host;
    if (first.empty()) first = gateway.host;
  }
  return first;
}

}  // namespace

void Calls::on_offered(Leg& leg) {
  const sip::Message& invite = *leg.request;
  if (cx_.draining) {
    return legs_.reject(leg.self, {.status = 503,
                                   .code = Hangup::unavailable,
                                   .text = "The server is being stopped",
                                   .retry_after_s = 30});
  }
  const auto uri = sip::Uri::parse(invite.request_uri());
  BATON_ASSERT(uri.has_value());  // Legs has looked at it
  if (invite.has(sip::HeaderId::replaces)) return on_replacing(leg);
  const trunk::Trunk* trunk = cx_.model->trunk_by_domain(uri->host);
  if (trunk != nullptr && trunk->direction == trunk::TrunkDirection::outbound)
    return set_up_outbound(leg, *trunk);
  if (const trunk::Carrier* carrier = cx_.model->carrier_by_source(leg.source.remote.ip)) {
    return set_up_inbound(leg, *carrier);
  }
  log(Severity::warning, "call.unknown_source", {{"source", leg.source.remote.to_string()}});
  legs_.reject(leg.self, {.status = 403,
                          .code = Hangup::trunk_not_found,
                          .text = "Neither a known carrier nor an outbound trunk domain",
                          .unproven = true});
}

void Calls::set_up_inbound(Leg& leg, const trunk::Carrier& carrier) {
  Setup setup;
  setup.inbound = true;
  setup.carrier_id = carrier.id;
  setup.sip = &carrier.sip;
  setup.media = &carrier.media;
  setup.caller = trunk::caller_identity(*leg.request, carrier.identity.accept);
  if (carrier.identity.accept) setup.diversions = trunk::diversions_of(*leg.request);
  setup.caller.number = printable(setup.caller.number);
  leg.carrier_id = carrier.id;
  leg.number = setup.caller.number;
  // Should its connection be lost, a new one is to who was configured, not to whom its Contact names.
  if (const std::string host = tls_host_of(carrier, leg.dialog); !host.empty()) {
    legs_.expect_identity(leg.self, host);
  }
  const auto uri = sip::Uri::parse(leg.request->request_uri());
  const auto number = dialled_number(*uri);
  setup.number = number.value_or(printable(uri->user));
  const trunk::Number* ours = number ? cx_.model->number(*number) : nullptr;
  if (ours == nullptr) {
    return refuse_call(
        leg, setup,
        {.status = 404, .code = Hangup::destination_not_found, .text = "Not a number of this server"});
  }
  setup.trunk = cx_.model->trunk(ours->trunk_id);
  setup.account = cx_.model->account(ours->account_id);
  if (setup.trunk == nullptr || setup.account == nullptr || !setup.trunk->enabled) {
    return refuse_call(leg, setup,
                       {.status = 404,
                        .code = Hangup::trunk_not_found,
                        .text = "The number is not linked to an enabled trunk"});
  }
  start_call(leg, setup);
}

void Calls::set_up_outbound(Leg& leg, const trunk::Trunk& trunk) {
  Setup setup;
  setup.inbound = false;
  setup.trunk = &trunk;
  setup.sip = &trunk.sip;
  setup.media = &trunk.media;
  setup.account = cx_.model->account(trunk.account_id);
  const auto forbidden = [&](Hangup code, std::string text) {
    refuse_call(leg, setup, {.status = 403, .code = code, .text = std::move(text)});
  };
  // Who is not known yet leaves no record, takes no port and is answered once.
  const auto stranger = [&](Hangup code, std::string text) {
    log(Severity::warning, "call.unauthorised",
        {{"trunk", trunk.id}, {"source", leg.source.remote.to_string()}, {"why", text}});
    legs_.reject(leg.self, {.status = 403, .code = code, .text = std::move(text), .unproven = true});
  };
  const auto uri = sip::Uri::parse(leg.request->request_uri());
  setup.number = dialled_number(*uri).value_or(printable(uri->user));
  if (setup.account == nullptr || !trunk.enabled)
    return stranger(Hangup::trunk_not_found, "The trunk is disabled");
  const auto listed = [&](const trunk::Trunk& t) {
    return std::any_of(t.acl.begin(), t.acl.end(),
                       [&](const IpNetwork& network) { return network.contains(leg.source.remote.ip); });
  };
  if (!trunk.acl.empty() && !listed(trunk)) {
    return stranger(Hangup::forbidden, "The source address is not on the trunk's access list");
  }
  if (!trunk.credentials.empty()) {
    Rejection challenge;
    if (!authenticate(leg, trunk, *leg.request, challenge)) return legs_.reject(leg.self, challenge);
    leg.authenticated = true;
  } else if (trunk.acl.empty()) {
    return stranger(Hangup::forbidden, "The trunk has neither an access list nor credentials");
  }
  leg.trunk_id = trunk.id;
  setup.caller = trunk::caller_identity(*leg.request, trunk.identity.accept);
  if (trunk.identity.accept) setup.diversions = trunk::diversions_of(*leg.request);
  setup.caller.number = printable(setup.caller.number);
  if (!dialled_number(*uri)) {
    return refuse_call(leg, setup,
                       {.status = 404,
                        .code = Hangup::destination_not_found,
                        .text = "The destination is not an E.164 number"});
  }
  // The number shown must be one of the account's own, with or without its plus.
  const trunk::Number* own = cx_.model->number(setup.caller.number);
  if (own == nullptr) own = cx_.model->number("+" + setup.caller.number);
  if (own == nullptr || own->account_id != setup.account->id) {
    return forbidden(Hangup::unknown_caller_id, "The caller ID is not a number of this account");
  }
  setup.caller.number = own->e164;
  leg.number = own->e164;
  if (const auto allowed = trunk::check_geo(*cx_.model, *setup.account, setup.number); !allowed) {
    return refuse_call(leg, setup, from_refusal(allowed.error()));
  }
  start_call(leg, setup);
}

// RFC 3261 22.1 as the callee. The realm is the trunk's domain.
bool Calls::authenticate(const Leg& leg, const trunk::Trunk& trunk, const sip::Message& request,
                         Rejection& challenge) {
  const std::string source = leg.source.remote.ip.to_string();
  challenge = {.status = 401,
               .code = Hangup::unauthorized,
               .challenged = source,
               .challenge = true,
               .realm = trunk.domain,
               .algorithms = trunk.sip.auth_algorithms,
               .unproven = true};
  bool failed = false;
  for (const auto& entry : request.entries()) {
    if (entry.id != sip::HeaderId::authorization) continue;
    const auto credentials = sip::DigestCredentials::parse(request.value_of(entry));
    if (!credentials || credentials->realm != trunk.domain) continue;
    const auto& offered = trunk.sip.auth_algorithms;
    if (std::find(offered.begin(), offered.end(), credentials->algorithm) == offered.end()) continue;
    // Old, of another server's life, made up, or seen by somebody else: the sender may be anybody under a
    // forged address, so it counts against nobody. Nor is the password looked at, or `stale` would tell who
    // guesses.
    if (!cx_.digest.issued(cx_.now, credentials->nonce, source)) {
      challenge.stale = true;
      continue;
    }
    if (!cx_.world.may_log_in(leg.source.remote, trunk.id)) {
      challenge = {.status = 503,
                   .code = Hangup::unauthorized,
                   .text = "Too many failed logins on this trunk",
                   .retry_after_s = 10,
                   .unproven = true};
      return false;
    }
    for (const trunk::Credential& known : trunk.credentials) {
      if (known.username != credentials->username) continue;
      switch (cx_.digest.verify(cx_.now, *credentials, trunk.domain, known.password, request.method_text(),
                                request.request_uri(), source)) {
        case sip::DigestServer::Verdict::good:
          cx_.world.logged_in(leg.source.remote);
          return true;
        case sip::DigestServer::Verdict::stale:
        case sip::DigestServer::Verdict::replayed:
          challenge.stale = true;
          return false;
        case sip::DigestServer::Verdict::bad:
          break;
      }
    }
    failed = true;
  }
  if (failed) {
    challenge.stale = false;
    log(Severity::warning, "auth.failed", {{"trunk", trunk.id}, {"source", leg.source.remote.to_string()}});
    cx_.world.login_failed(leg.source.remote, trunk.id);
  }
  return false;
}

void Calls::start_call(Leg& leg, const Setup& setup) {
  if (const auto refusal = legs_.set_terms(leg.self, *setup.sip, *setup.media)) {
    if (refusal->status == 488) return refuse_call(leg, setup, *refusal);
    // The caller asks again with what is missing: like a challenge this leaves no record.
    return legs_.reject(leg.self, *refusal);
  }
  auto routes = trunk::routes_to(*cx_.model, setup.number);
  if (routes.empty()) {
    return refuse_call(
        leg, setup,
        {.status = 404, .code = Hangup::route_not_found, .text = "No carrier serves this number"});
  }
  const std::int64_t rate = setup.inbound ? 0 : routes.front().rate_per_minute_micros;
  const auto ticket = admission_.admit(cx_.now, *setup.account, *setup.trunk, rate, setup.account->cps_wait);
  if (!ticket) {
    Rejection rejection = from_refusal(ticket.error());
    if (rejection.status == 503) rejection.retry_after_s = admission_.retry_after_s();
    return refuse_call(leg, setup, rejection);
  }
  const CallHandle handle = calls_.emplace();
  Call& call = calls_.at(handle);
  call.self = handle;
  call.root_uuid = uuid_at(cx_.now, cx_.rng);
  call.account_id = setup.account->id;
  call.inbound = setup.inbound;
  call.caller = leg.self;
  call.caller_id = setup.caller;
  call.callee_id.number = setup.number;
  call.max_forwards = leg.request->max_forwards().value_or(70) - 1;
  leg.call = handle.pack();
  leg.root_call_uuid = call.root_uuid;
  leg.account_id = setup.account->id;
  leg.party = setup.inbound ? "caller" : "endpoint";
  open_span(call, setup, leg);
  call.span.ticket = *ticket;
  ++cx_.counters.calls_started;
  log(Severity::info, "call.started",
      {{"call", call.root_uuid},
       {"direction", setup.inbound ? "inbound" : "outbound"},
       {"from", setup.caller.number},
       {"to", setup.number},
       {"trunk", setup.trunk->id}});

  legs_.prepare(leg.self);
  call.hunt = std::make_unique<Hunt>();
  Hunt& hunt = *call.hunt;
  hunt.number = setup.number;
  hunt.party = setup.inbound ? "endpoint" : "callee";
  hunt.caller = setup.caller;
  hunt.diversions = setup.diversions;
  call.diversions.assign(setup.diversions.begin(), setup.diversions.end());
  hunt.max_forwards = call.max_forwards;
  hunt.routes = std::move(routes);
  // Timer C of a proxy (RFC 3261 16.6) where the trunk says nothing: nobody rings for ever.
  hunt.no_answer_after = setup.inbound ? setup.trunk->answer_timeout : Duration{180s};
  if (leg.remote) {
    for (const sdp::Format& format : leg.remote->formats) hunt.codecs.add(format.codec);
  }
  if (ticket->starts_at <= cx_.now) return dial_callee(call);
  // Its 100 keeps the caller waiting (RFC 3261 17.2.1).
  ++cx_.counters.calls_queued;
  call.dials_at = ticket->starts_at;
  turns_.arm(call.dials_at, handle.pack(), turn_timer);
}

void Calls::dial_callee(Call& call) {
  call.dials_at = Time{};
  if (advance_hunt(*call.hunt, call.self.pack(), call.root_uuid, call.account_id) == HuntResult::exhausted) {
    fail_setup(call);
  }
}

// A call that never came up leaves a record too.
void Calls::refuse_call(Leg& leg, const Setup& setup, const Rejection& rejection) {
  log(Severity::info, "call.refused",
      {{"from", setup.caller.number},
       {"to", setup.number},
       {"status", std::to_string(rejection.status)},
       {"why", rejection.text}});
  if (setup.trunk != nullptr && setup.account != nullptr) {
    Call refused;
    refused.root_uuid = uuid_at(cx_.now, cx_.rng);
    refused.inbound = setup.inbound;
    leg.root_call_uuid = refused.root_uuid;
    leg.party = setup.inbound ? "caller" : "endpoint";
    open_span(refused, setup, leg);
    close_span(refused.span, cx_.now,
               {.code = rejection.code, .source = HangupSource::baton, .status = rejection.status});
  }
  legs_.reject(leg.self, rejection);
}

}  // namespace baton::call
