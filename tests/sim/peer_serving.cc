// Peer: the requests it is sent, and what it answers.
#include <algorithm>

#include "peer.h"
#include "world.h"

namespace baton::sim {

using sip::Draft;
using sip::HeaderId;
using sip::Message;
using sip::Method;

namespace {

constexpr Duration t1 = t1_of_peers;
constexpr Duration t2 = 4s;
constexpr Duration give_up_after = 32s;

std::string server_key(const Message& request) {
  const Method method = request.method() == Method::ack ? Method::invite : request.method();
  return std::string(request.top_via().branch()) + " " +
         (method == Method::other ? std::string(request.method_text()) : std::string(to_string(method)));
}

}  // namespace

Draft Peer::reply(const Served& served, int status) const {
  const std::string tag = served.party == nullptr ? "peer" : served.party->local_tag;
  Draft draft = sip::make_response(served.request, status, tag);
  const Method method = served.request.method();
  if (method == Method::invite && status < 300 && status > 100) draft.add(HeaderId::contact, contact());
  return draft;
}

void Peer::respond(const std::string& key, Draft response) {
  Served& served = served_.at(key);
  if (served.final) return;
  served.final = response.status() >= 200;
  served.last = response.write();
  send(nullptr, served.flow, served.last);
  if (served.final && served.request.method() == Method::invite &&
      (transport_ == Transport::udp || response.status() < 300)) {
    repeat_final(key, t1, world_.now() + give_up_after);
  }
}

void Peer::repeat_final(const std::string& key, Duration interval, Time give_up) {
  world_.after(interval, [this, key, interval, give_up] {
    const Served& served = served_.at(key);
    if (served.acknowledged) return;
    if (world_.now() >= give_up) {
      if (served.party != nullptr && served.party->state == Party::State::answered) send_bye(*served.party);
      return;
    }
    send(nullptr, served.flow, served.last);
    repeat_final(key, std::min(interval * 2, t2), give_up);
  });
}

void Peer::on_request(Message request, FlowId flow) {
  const std::string key = server_key(request);
  if (request.method() == Method::ack) {
    on_ack(request);
    return;
  }
  const auto again = served_.find(key);
  if (again != served_.end()) {
    if (!again->second.last.empty()) send(nullptr, flow, again->second.last);
    return;
  }
  const Method method = request.method();
  Party* party = request.to().tag().empty() ? nullptr : find(request.call_id());
  const bool known = party != nullptr && request.to().tag() == party->local_tag &&
                     (party->remote_tag.empty() || request.from().tag() == party->remote_tag);
  const bool in_dialog_request = !request.to().tag().empty();
  const std::uint32_t cseq = request.cseq().number;
  served_.emplace(key, Served{request, party, {}, flow, false, false});
  if (party != nullptr) party->seen.authorizations.emplace_back(request.header(HeaderId::authorization));
  Served& served = served_.at(key);
  if (method == Method::cancel) {
    on_cancel(request, key, flow);
  } else if (in_dialog_request && party != nullptr && on_fork_request(key, *party)) {
    return;
  } else if (in_dialog_request && (!known || (party->seen.over && method != Method::notify))) {
    respond(key, reply(served, 481));
  } else if (in_dialog_request && cseq <= party->remote_cseq) {
    respond(key, reply(served, 500));  // overtaken on the way (RFC 3261 12.2.2)
  } else if (in_dialog_request) {
    party->remote_cseq = cseq;
    party->flow = flow;
    if (method == Method::invite)
      on_reinvite(key, *party);
    else if (method == Method::notify)
      on_notify(key, *party);
    else if (method == Method::bye)
      on_bye(key, *party);
    else if (method == Method::update)
      on_update(key, *party);
    else if (method == Method::prack)
      on_prack(key, *party);
    else if (method == Method::options)
      on_options(key, *party);
    else {
      if (method == Method::info) party->seen.infos.emplace_back(served.request.body());
      respond(key, reply(served, 200));
    }
  } else if (method == Method::invite) {
    on_invite(key);
  } else {
    respond(key, reply(served, method == Method::options ? 200 : 405));
  }
}

void Peer::on_ack(const Message& ack) {
  const auto same_branch = served_.find(server_key(ack));
  if (same_branch != served_.end()) same_branch->second.acknowledged = true;
  Party* party = find(ack.call_id());
  if (party != nullptr &&
      std::count(party->script.fork_tags.begin(), party->script.fork_tags.end(), ack.to().tag()) != 0) {
    party->seen.fork_acks.emplace_back(ack.to().tag());
    return;
  }
  if (party == nullptr || party->pending_invite.empty()) return;
  Served& invite = served_.at(party->pending_invite);
  if (invite.request.cseq().number != ack.cseq().number) return;
  if (!invite.final) world_.violation("ACK of an INVITE that " + name_ + " has not answered");
  invite.acknowledged = true;
  party->pending_invite.clear();
  if (party->offer_was_ours) {
    party->offer_was_ours = false;
    if (ack.body().empty()) {
      if (!party->seen.over) world_.violation("the ACK to " + party->role() + "'s offer has no answer");
    } else {
      take_description(*party, ack.body());
    }
  }
  if (party->state != Party::State::answered) return;
  party->state = Party::State::up;
  happens(*party, When::established);
  if (party->leave_when_acknowledged || winding_down_) send_bye(*party);
}

void Peer::on_cancel(const Message& cancel, const std::string& key, FlowId) {
  const auto invite = served_.find(std::string(cancel.top_via().branch()) + " INVITE");
  if (invite == served_.end()) {
    respond(key, reply(served_.at(key), 481));
    return;
  }
  Party* party = invite->second.party;
  served_.at(key).party = party;
  respond(key, reply(served_.at(key), 200));
  if (party == nullptr || invite->second.final) return;
  party->cancelled = true;
  party->seen.bye_reason = std::string(cancel.header(HeaderId::reason));
  if (party->script.answers_though_cancelled) {
    answer(invite->first);
    return;
  }
  respond(invite->first, reply(invite->second, 487));
  finish(*party, "cancel");
}

void Peer::on_invite(const std::string& key) {
  Served& served = served_.at(key);
  const std::string number = user_of(served.request.request_uri());
  auto script = scripts_.find(number);
  if (script == scripts_.end()) script = scripts_.find("");
  if (script == scripts_.end() || winding_down_) {
    respond(key, reply(served, winding_down_ ? 480 : 404));
    return;
  }
  const bool late = script->second.challenge_after.has_value();
  Party* before = late ? find(served.request.call_id()) : nullptr;
  if ((!late || before != nullptr) && challenge(key, script->second)) return;
  if (refuse_interval(key, script->second)) return;
  Party& party = before != nullptr ? *before : parties_.emplace_back();
  party.peer = this;
  party.script = script->second;
  party.call_id = std::string(served.request.call_id());
  party.local_tag = rng_.token(8);
  party.remote_tag = std::string(served.request.from().tag());
  party.local_uri = served.request.to().uri.to_string(false);
  party.remote_uri = served.request.from().uri.to_string(false);
  party.remote_cseq = served.request.cseq().number;
  party.flow = served.flow;
  party.invite = served.request;
  party.pending_invite = key;
  served.party = &party;
  if (const auto target = served.request.contact()) party.remote_target = target->uri.to_string(false);
  party.local = {};
  party.remote.reset();
  party.init_media(rng_.below(1'000'000'000), next_rtp());
  party.rseq = party.unpracked = 0;
  if (before != nullptr) {
    party.script.fork_tags.clear();
    party.script.early_media = party.script.early_media && party.script.early_again;
  }
  happens(party, When::started);
  if (party.script.silent) return;
  if (party.script.trying) respond(key, reply(served, 100));
  if (party.script.ring_after) world_.after(*party.script.ring_after, [this, key] { ring(key); });
  if (late && before == nullptr) {
    world_.after(*party.script.challenge_after,
                 [this, key] { challenge(key, served_.at(key).party->script); });
  } else if (party.script.final_after) {
    world_.after(*party.script.final_after, [this, key] { answer(key); });
  }
}

void Peer::ring(const std::string& key) {
  const Served& served = served_.at(key);
  Party& party = *served.party;
  if (served.final || party.seen.over) return;
  const bool early_media = party.script.early_media && party.script.rings <= 1;
  Draft draft = reply(served, early_media ? 183 : 180);
  if (early_media && !served.request.body().empty()) {
    const std::string sdp = own_answer(party, served.request.body());
    if (!sdp.empty()) draft.body("application/sdp", sdp);
  }
  party.state = Party::State::ringing;
  make_reliable(key, draft);
  respond(key, std::move(draft));
  ring_forks(key, false);
  happens(party, When::ringing);
  if (--party.script.rings > 0) world_.after(1s, [this, key] { ring(key); });
}

void Peer::answer(const std::string& key) {
  const Served& served = served_.at(key);
  Party& party = *served.party;
  if (served.final || party.seen.over) return;
  const int status = party.script.final_status;
  if (status < 300 && party.unpracked != 0) {
    party.answer_waits = true;
    return;
  }
  if (status >= 300) {
    Draft draft = reply(served, status);
    if (!party.script.final_reason.empty()) draft.add(HeaderId::reason, party.script.final_reason);
    if (!party.script.redirect_to.empty()) draft.add(HeaderId::contact, party.script.redirect_to);
    if (status == 503 && !party.script.retry_after.empty()) {
      draft.add(HeaderId::retry_after, party.script.retry_after);
    }
    respond(key, std::move(draft));
    finish(party, "refused");
    return;
  }
  party.offer_was_ours = served.request.body().empty();
  // All has been said, and the session may have changed since (RFC 3262 5).
  const bool settled = party.rseq != 0 && party.script.early_media && party.remote && !party.offer_was_ours;
  const std::string sdp = party.offer_was_ours ? party.offer()
                          : settled            ? std::string()
                                               : own_answer(party, served.request.body());
  if (sdp.empty() && !settled) {
    respond(key, reply(served, 488));
    finish(party, "refused");
    return;
  }
  Draft draft = reply(served, status);
  if (party.rseq == 0 || !party.script.early_media) draft.body("application/sdp", sdp);
  answer_session(party, served.request, draft);
  party.state = Party::State::answered;
  party.seen.answered = true;
  party.seen.final_status = status;
  respond(key, std::move(draft));
  if (party.script.forks_answer) ring_forks(key, true);
  happens(party, When::answered);
}

void Peer::on_reinvite(const std::string& key, Party& party) {
  Served& served = served_.at(key);
  if (const auto target = served.request.contact()) party.remote_target = target->uri.to_string(false);
  if (party.own_invite_pending || !party.pending_invite.empty()) {
    respond(key, reply(served, 491));  // RFC 3261 14.2
    return;
  }
  const int status = std::exchange(party.script.reinvite_status, 200);
  party.offer_was_ours = status < 300 && served.request.body().empty();
  const std::string sdp = party.offer_was_ours ? party.offer() : own_answer(party, served.request.body());
  if (status >= 300 || sdp.empty()) {
    respond(key, reply(served, status >= 300 ? status : 488));
    return;
  }
  ++party.seen.reinvites;
  party.pending_invite = key;
  Draft draft = reply(served, 200);
  answer_session(party, served.request, draft);
  draft.body("application/sdp", sdp);
  if (party.script.reinvite_after == Duration{}) return respond(key, std::move(draft));
  world_.after(party.script.reinvite_after, [this, key, draft] { respond(key, draft); });
}

void Peer::on_notify(const std::string& key, Party& party) {
  const Served& served = served_.at(key);
  const auto status = sip::parse_sipfrag(served.request.body());
  const std::string state(served.request.header(HeaderId::subscription_state));
  party.seen.notifies.push_back(status.value_or(0));
  party.seen.notify_events.emplace_back(served.request.header(HeaderId::event));
  party.seen.notify_states.push_back(state);
  party.seen.notify_flows.push_back(served.flow);
  const std::size_t turn = party.notifies_count++;
  const int answer = turn < party.script.notify_answers.size() ? party.script.notify_answers[turn] : 200;
  if (answer != 0) respond(key, reply(served, answer));
  happens(party, When::notified);
  if (status == 180 || status == 183) happens(party, When::ringing_notified);
  if (state.starts_with("terminated")) happens(party, When::final_notified);
}

void Peer::on_options(const std::string& key, Party& party) {
  const std::size_t turn = party.seen.options++;
  const auto& answers = party.script.options_answers;
  const int answer = turn < answers.size() ? answers[turn] : 200;
  if (answer != 0) respond(key, reply(served_.at(key), answer));
}

void Peer::on_bye(const std::string& key, Party& party) {
  const Served& served = served_.at(key);
  party.seen.bye_reason = std::string(served.request.header(HeaderId::reason));
  party.seen.hangup_code = std::string(served.request.header(HeaderId::x_baton_hangup_code));
  finish(party, "server");
  if (party.script.answers_bye) respond(key, reply(served, 200));
}

}  // namespace baton::sim
