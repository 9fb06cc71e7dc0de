// Legs: the caller's side of an INVITE (RFC 3261 13.2), with digest and the CANCEL races of 9.1 and 15.
#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

#include "call/legs.h"
#include "call/reason.h"

namespace baton::call {
LegHandle Legs::dial(DialPlan plan) {
  const LegHandle handle = legs_.emplace();
  ++live_;
  Leg& leg = legs_.at(handle);
  leg.self = handle;
  leg.outgoing = true;
  leg.call = plan.call;
  leg.root_call_uuid = plan.root_call_uuid;
  leg.party = plan.party;
  leg.account_id = plan.account_id;
  leg.trunk_id = plan.trunk_id;
  leg.carrier_id = plan.carrier_id;
  leg.number = plan.number;
  if (!plan.auth_username.empty())
    leg.login = std::make_unique<Login>(Login{plan.auth_username, plan.auth_password});
  leg.wanted = plan.codecs;
  leg.sip = plan.sip;
  leg.media_terms = plan.media_terms;
  leg.session = dialog::SessionTimer(plan.sip.session_expires, plan.sip.min_se);

  const auto local = local_for(plan.to.transport, plan.to.remote.ip.v6);
  if (!local) {
    leg.dialog.call_id = cx_.rng.uuid();
    index(leg);
    fail(leg, 503, "No " + std::string(to_string(plan.to.transport)) + " listener to call from", true, true);
    return handle;
  }
  plan.to.local = *local;
  leg.inviting = std::make_unique<Leg::Inviting>();
  leg.inviting->to = plan.to;
  leg.inviting->no_answer_after = plan.no_answer_after;
  leg.inviting->unheard_max = plan.unheard_max;
  if (plan.any_transport && plan.to.transport == Transport::udp) {
    leg.inviting->tcp_from = local_for(Transport::tcp, plan.to.remote.ip.v6);
  }
  leg.source = Source{plan.to.transport, plan.to.local, plan.to.remote, plan.to.flow};
  leg.srtp_rules = srtp_rules_for(leg, plan.sip);

  leg.dialog.call_id = cx_.rng.uuid();
  leg.dialog.local_tag = cx_.rng.token(10);
  const std::string host = plan.from_host.empty() ? local->to_string() : plan.from_host;
  leg.dialog.local_address = trunk::from_address(plan.caller, host);
  leg.dialog.remote_address = plan.to_address;
  leg.dialog.remote_target = plan.request_uri;
  if (const auto uri = sip::Uri::parse(plan.request_uri)) leg.asked_hash = hash_of_user(*uri);
  leg.dialog.next_hop = plan.to;
  leg.dialog.sips = plan.request_uri.rfind("sips:", 0) == 0;
  index(leg);

  sip::Draft invite = leg.dialog.request(sip::Method::invite, &cx_.spares);
  leg.invite_cseq = leg.dialog.local_cseq;
  invite.set(sip::HeaderId::max_forwards, std::to_string(plan.max_forwards));
  add_our_headers(invite, leg);
  invite.set(sip::HeaderId::user_agent, cx_.user_agent);
  if (leg.sip.reliable_provisionals == trunk::ReliableProvisionals::required) {
    invite.add(sip::HeaderId::require, "100rel");
  }
  auto headers = trunk::identity_headers(plan.identity, plan.caller, host);
  const auto diverted = trunk::diversion_headers(plan.identity, plan.diversions, plan.number, host);
  headers.insert(headers.end(), diverted.begin(), diverted.end());
  headers.insert(headers.end(), plan.headers.begin(), plan.headers.end());
  for (const auto& field : headers) invite.add(field);
  leg.inviting->draft = std::move(invite);
  open_media(leg, plan.to.remote.ip.v6, plan.beside);
  return handle;
}

void Legs::send_invite(Leg& leg) {
  Leg::Inviting& invite = *leg.inviting;
  invite.draft.body("application/sdp", make_offer(leg, leg.wanted));
  leg.session.ask(invite.draft);
  leg.state = LegState::inviting;
  leg.invite = cx_.txns.request(cx_.now, invite.draft, invite.to, leg.self.pack(), invite.tcp_from);
  if (invite.no_answer_after > Duration{0}) arm(leg, LegTimer::no_answer, invite.no_answer_after);
  if (invite.unheard_max > Duration{0}) arm(leg, LegTimer::unheard, invite.unheard_max);
}

void Legs::on_response(txn::ResponseReceived& event) {
  const sip::Message& response = event.response;
  Leg* leg = legs_.find(LegHandle::unpack(event.owner));
  const auto over = leg == nullptr ? remains_.find(event.owner) : remains_.end();
  if (leg == nullptr && over == remains_.end()) return;
  LegRemains& peer = leg != nullptr ? *leg : over->second;
  if (event.source.flow != 0) {
    // Its connection is gone, and it answers on another: that is the way to it now (18.2.2).
    Destination& hop = peer.dialog.next_hop;
    if (hop.flow == 0 && hop.transport == event.source.transport) hop.flow = event.source.flow;
  }
  const bool answer = response.method() == sip::Method::invite && response.status() / 100 == 2;
  if (leg == nullptr) {
    if (answer) acknowledge_again(peer, response, event.source);
    return;
  }
  if (event.txn == leg->invite) {
    if (leg->alive()) return on_invite_response(*leg, event);
    if (answer) acknowledge_again(*leg, response, event.source);
    return;
  }
  auto request = take_pending(*leg, event.txn, response.status() >= 200);
  if (!request) {
    // A re-INVITE's 2xx again: our ACK was lost.
    if (answer) acknowledge_again(*leg, response, event.source);
    return;
  }
  if (response.status() < 200) return;
  if (!leg->alive()) {
    if (answer) {
      leg->dialog.refresh_target(response, event.source);
      leg->accepted_until = cx_.now + cx_.timers.t1 * 64;
      acknowledge(*leg, response.cseq().number, sip::credentials_of(request->draft));
    }
    return collect_when_quiet(*leg);
  }
  leg->source = event.source;
  on_pending_response(*leg, std::move(*request), response, event.source);
}

// The request of that transaction; when `final` it is taken out, otherwise an empty one says that it is
// there.
std::optional<PendingRequest> Legs::take_pending(Leg& leg, txn::TxnId txn, bool final) {
  const auto it = std::find_if(leg.pending.begin(), leg.pending.end(),
                               [&](const PendingRequest& p) { return p.txn == txn; });
  if (it == leg.pending.end()) return std::nullopt;
  if (!final) return PendingRequest{};
  PendingRequest request = std::move(*it);
  leg.pending.erase(it);
  return request;
}

void Legs::on_timeout(txn::TxnId txn, txn::Owner owner, int status) {
  Leg* leg = legs_.find(LegHandle::unpack(owner));
  if (leg == nullptr) return;
  if (txn == leg->invite && leg->outgoing) {
    if (leg->inviting && !leg->heard && !std::exchange(leg->fate_told, true)) {
      emit(LegTarget{
          {leg->inviting->to.transport, leg->inviting->to.remote}, LegTarget::Fate::unreachable, Duration{}});
    }
    if (leg->state == LegState::withdrawing) return finish(*leg, LegEnd::released);
    if (leg->state != LegState::inviting) return;
    return fail(*leg, status, status == 408 ? "No response" : "Transport failed", true);
  }
  auto request = take_pending(*leg, txn, true);
  if (!request) return;
  if (!leg->alive()) return collect_when_quiet(*leg);
  if (status == 503 && send_another_way(*leg, *request)) return;
  on_pending_failed(*leg, *request, status);
}

// RFC 3261 21.5.4: whoever says 503 with Retry-After wants nothing for so long.
void Legs::note_target(Leg& leg, const sip::Message& response) {
  const bool first = !std::exchange(leg.heard, true);
  if (leg.inviting == nullptr) return;
  const Target target{leg.inviting->to.transport, leg.inviting->to.remote};
  if (response.status() != 503) {
    if (first) emit(LegTarget{target, LegTarget::Fate::answered, Duration{}});
    return;
  }
  unsigned seconds = 0;
  const std::string_view text = response.header(sip::HeaderId::retry_after);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error == std::errc::result_out_of_range) seconds = std::numeric_limits<unsigned>::max();
  if (seconds == 0) return;
  emit(LegTarget{target, LegTarget::Fate::asked_to_wait, std::chrono::seconds(seconds)});
}

void Legs::on_invite_response(Leg& leg, txn::ResponseReceived& event) {
  const sip::Message& response = event.response;
  const int status = response.status();
  note_target(leg, response);
  if (status >= 200 && status < 300) return on_invite_2xx(leg, response, event.source);

  if (status < 200) {
    const bool waits = leg.state == LegState::inviting || leg.state == LegState::withdrawing;
    if (!waits || status == 100 || !enter_early(leg, response, event.source)) return;
    learn_peer(leg, response);
    if (!take_reliable(leg, response, event.source) || leg.state != LegState::inviting) return;
    leg.source = event.source;
    bool early_media = false;
    if (!sdp_of(response).empty() && take_answer(leg, sdp_of(response))) {
      early_media = leg.early_media = true;
      if (leg.peer_rseq && response.has(sip::HeaderId::rseq)) leg.early_settled = true;
    }
    return emit(LegProgress{leg.self, status, early_media});
  }

  if (leg.state == LegState::withdrawing) {
    leg.final_status = status;
    return finish(leg, LegEnd::released);
  }
  if (leg.state != LegState::inviting) return;
  if ((status == 401 || status == 407) && answer_invite_challenge(leg, response)) return;
  if (status == 422 && leg.inviting->interval_tries < interval_tries_max && leg.session.raise(response)) {
    ++leg.inviting->interval_tries;
    return send_invite_again(leg);
  }
  disarm(leg, LegTimer::no_answer);
  leg.q850 = q850_cause(response).value_or(0);
  fail(leg, status, std::string(response.reason_phrase()), false);
}

void Legs::on_invite_2xx(Leg& leg, const sip::Message& response, const Source& source) {
  if (leg.state != LegState::inviting && leg.state != LegState::withdrawing) {
    return acknowledge_again(leg, response, source);
  }
  disarm(leg, LegTimer::no_answer);
  leg.accepted_until = cx_.now + cx_.timers.t1 * 64;
  leg.source = source;
  (void)enter_early(leg, response, source);
  if (!leg.inviting->other_early.empty()) {
    leg.forks = std::make_unique<Forks>();
    for (Leg::Early& lost : leg.inviting->other_early) leg.forks->early.push_back(std::move(lost.dialog));
    leg.inviting->other_early.clear();
  }
  leg.inviting->first_offer.reset();
  learn_peer(leg, response);
  leg.session.take(response);
  leg.final_status = 200;
  if (leg.state == LegState::withdrawing) {
    // The answer crossed our CANCEL: it is a call, so it is acknowledged and ended like one (15, 9.1).
    leg.state = LegState::answered;
    acknowledge(leg.self);
    return send_bye(leg);
  }
  leg.state = LegState::answered;
  if (!take_answer(leg, sdp_of(response))) {
    acknowledge(leg.self);
    leg.bye_reason = "SIP;cause=488;text=\"No usable session description\"";
    leg.bye_code = static_cast<int>(Hangup::sdp_not_acceptable);
    emit(LegFailed{leg.self, 488, "The answer had no usable audio", false});
    leg.end_reported = true;
    leg.final_status = 488;
    return send_bye(leg);
  }
  emit(LegAnswered{leg.self});
}

void Legs::acknowledge(LegHandle handle) {
  Leg* leg = legs_.find(handle);
  if (leg == nullptr || !leg->outgoing || leg->state != LegState::answered) return;
  acknowledge(*leg, leg->invite_cseq,
              leg->login ? leg->login->invite_credentials : std::vector<sip::Draft::Field>{});
  leg->inviting.reset();
  leg->state = LegState::confirmed;
  restart_session(*leg);
}

void Legs::acknowledge(Leg& leg, std::uint32_t cseq, std::vector<sip::Draft::Field> credentials) {
  sip::Draft ack = leg.dialog.ack(cseq, &cx_.spares);
  for (const auto& field : credentials) ack.add(field.id, field.value);
  leg.acknowledged = true;
  if (leg.login) leg.login->ack_credentials = std::move(credentials);
  cx_.txns.ack(cx_.now, ack, leg.dialog.next_hop, leg.self.pack());
}

bool Legs::answer_invite_challenge(Leg& leg, const sip::Message& response) {
  if (!leg.login || leg.inviting->auth_tries >= auth_tries_max) return false;
  if (!leg.login->digest.take(response, 0)) return false;
  ++leg.inviting->auth_tries;
  send_invite_again(leg);
  return true;
}

// A fresh INVITE, not a fork of the refused one: its To carries no tag yet (22.2). It makes the same offer
// again, and nothing that was agreed in the early dialogs before stands.
void Legs::send_invite_again(Leg& leg) {
  leg.invite_cseq = ++leg.dialog.local_cseq;
  leg.dialog.remote_tag.clear();
  Leg::Inviting& invite = *leg.inviting;
  invite.other_early.clear();
  leg.peer_rseq.reset();
  if (invite.first_offer) {
    leg.local = invite.first_offer->local;
    leg.last_sdp = invite.first_offer->sdp;
    leg.last_version = leg.local.version;
    invite.first_offer.reset();
  }
  leg.numbers = {};
  leg.numbers.learn(leg.local);
  leg.remote.reset();
  leg.srtp.reset();
  leg.early_settled = false;
  invite.draft.set(sip::HeaderId::cseq, std::to_string(leg.invite_cseq) + " INVITE");
  leg.session.ask(invite.draft);
  if (leg.login) {
    leg.login->sign(invite.draft, cx_.rng);
    leg.login->invite_credentials = sip::credentials_of(invite.draft);
  }
  leg.invite = cx_.txns.request(cx_.now, invite.draft, invite.to, leg.self.pack(), invite.tcp_from);
}

}  // namespace baton::call
