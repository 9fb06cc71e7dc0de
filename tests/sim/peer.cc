#include "peer.h"

#include <algorithm>

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
constexpr std::size_t consultations_max = 8;

}  // namespace

Peer::Peer(World& world, std::string name, SocketAddress address, Transport transport, std::uint64_t seed)
    : world_(world), name_(std::move(name)), address_(address), transport_(transport), rng_(seed) {}

std::string Peer::contact() const {
  return "<sip:" + name_ + "@" + (contact_host_.empty() ? address_.to_string() : contact_host_) +
         (transport_ == Transport::udp ? "" : ";transport=" + std::string(to_string(transport_))) + ">";
}

std::string Peer::via(const std::string& branch) const {
  return "SIP/2.0/" + std::string(to_via_token(transport_)) + " " + address_.to_string() +
         ";branch=" + branch + ";rport";
}

Party* Peer::find(std::string_view call_id) {
  for (Party& party : parties_) {
    if (party.call_id == call_id) return &party;
  }
  return nullptr;
}

void Peer::send(Party* party, FlowId flow, const std::string& bytes) {
  if (vanished_ || !reachable_) return;
  SocketAddress to = server_address();
  if (party != nullptr && !party->remote_target.empty()) {
    // In a dialog the server is where its Contact says it is.
    const auto target = sip::Uri::parse(party->remote_target);
    const auto ip = target ? IpAddress::parse(target->host) : std::nullopt;
    if (!ip) {
      world_.violation(name_ + " got a Contact it can not reach: " + party->remote_target);
    } else {
      to = {*ip, target->port == 0 ? std::uint16_t{5060} : target->port};
    }
  }
  world_.send_from(*this, to, flow, bytes);
}

SocketAddress Peer::next_rtp() {
  if (RealMedia* media = world_.real_media()) return media->next_rtp(world_, *this);
  const std::uint16_t port = next_rtp_port_;
  next_rtp_port_ = static_cast<std::uint16_t>(port + 2);
  return {address_.ip, port};
}

void Peer::take_description(Party& party, std::string_view body) {
  const std::string wrong = party.take(body);
  if (!wrong.empty()) world_.violation(party.role() + " got SDP it can not read: " + wrong);
}

std::string Peer::own_answer(Party& party, std::string_view offer) {
  take_description(party, offer);
  return party.answer();
}

// ---- The script ----

void Peer::happens(Party& party, When when) {
  party.acts_done.resize(party.script.acts.size());
  for (std::size_t i = 0; i < party.script.acts.size(); ++i) {
    if (party.acts_done[i] || party.script.acts[i].when != when) continue;
    party.acts_done[i] = true;
    const Act what = party.script.acts[i];
    Party* who = &party;
    world_.after(what.after, [this, who, what] {
      if (!winding_down_) act(*who, what);
    });
  }
}

void Peer::act(Party& party, const Act& act) {
  if (act.what == What::lose_connection) world_.break_connections_of(*this);
  if (act.what == What::vanish) vanished_ = has_vanished_ = true;
  if (party.state == Party::State::over) return;
  const bool has_dialog = !party.remote_target.empty() && !party.remote_tag.empty();
  if (!has_dialog && act.what != What::cancel && act.what != What::bye) return;
  switch (act.what) {
    case What::bye:
      if (!act.headers.empty() && party.up()) {
        finish(party, "self");
        ask(party, Method::bye, act.headers);
        return;
      }
      return leave(party);
    case What::cancel:
      return send_cancel(party);
    case What::refer: {
      Headers headers = act.headers;
      if (!act.text.empty()) headers.insert(headers.begin(), {"Refer-To", act.text});
      party.refer_cseq = ask(party, Method::refer, headers);
      return;
    }
    case What::consult:
      // A phone has so many lines; and one that calls itself must not do so for ever.
      if (party.script.consultation && parties_.size() < consultations_max)
        call(*party.script.consultation, user_of(party.local_uri), act.text);
      return;
    case What::refer_attended:
      return refer_attended(party, act);
    case What::refer_outside:
      if (parties_.size() < consultations_max) refer_outside(party, act.uri, act.text, dialog_of(party));
      return;
    case What::take_over:
      if (party.script.replacement && parties_.size() < consultations_max) take_over(party, act);
      return;
    case What::hold:
    case What::resume:
      party.local.direction = act.what == What::hold ? sdp::Direction::sendonly : sdp::Direction::sendrecv;
      ++party.local.version;
      return send_reinvite(party, true);
    case What::hold_untold:
    case What::resume_untold:
      party.local.direction =
          act.what == What::hold_untold ? sdp::Direction::sendonly : sdp::Direction::sendrecv;
      ++party.local.version;
      return;
    case What::offerless:
    case What::reinvite:
      return send_reinvite(party, act.what == What::reinvite);
    case What::options:
      ask(party, Method::options, act.headers);
      return;
    case What::info:
      ask(party, Method::info, act.headers, act.text, "application/dtmf-relay");
      return;
    case What::update:
    case What::update_offer:
      ask(party, Method::update, act.headers, act.what == What::update_offer ? party.offer() : std::string());
      return;
    case What::unsubscribe:
      ask(party, Method::subscribe,
          {{"Event", "refer;id=" + std::to_string(party.refer_cseq)}, {"Expires", "0"}});
      return;
    case What::lose_connection:
    case What::vanish:
      return;
  }
}

void Peer::leave(Party& party) {
  if (party.script.silent) return finish(party, "lost");  // it never was there
  if (party.state == Party::State::over) return;
  const bool early = party.state == Party::State::trying || party.state == Party::State::ringing;
  if (early && party.caller) return send_cancel(party);
  if (early) {
    respond(party.pending_invite, reply(served_.at(party.pending_invite), 480));
    return finish(party, "self");
  }
  // The callee must not send a BYE before the ACK (RFC 3261 15); the caller may after its 200.
  if (party.up() || party.caller) return send_bye(party);
  party.leave_when_acknowledged = true;
}

void Peer::wind_down() {
  winding_down_ = true;
  vanished_ = false;
  reachable_ = true;
  for (Party& party : parties_) leave(party);
}

void Peer::finish(Party& party, const std::string& by) {
  if (party.state == Party::State::over) return;
  party.state = Party::State::over;
  party.seen.over = true;
  party.seen.over_by = by;
}

// ---- Requests of ours ----

Draft Peer::in_dialog(const Party& party, Method method, std::uint32_t cseq) const {
  Draft draft = Draft::request(method, party.remote_target);
  draft.add(HeaderId::from, "<" + party.local_uri + ">;tag=" + party.local_tag);
  draft.add(HeaderId::to,
            "<" + party.remote_uri + ">" + (party.remote_tag.empty() ? "" : ";tag=" + party.remote_tag));
  draft.add(HeaderId::call_id, party.call_id);
  draft.add(HeaderId::cseq, std::to_string(cseq) + " " + std::string(to_string(method)));
  draft.add(HeaderId::max_forwards, "70");
  draft.add(HeaderId::contact, contact());
  return draft;
}

void Peer::connection_lost() {
  for (const auto& [branch, asked] : asked_) {
    if (asked.final || asked.provisional) continue;
    send(asked.draft.method() == Method::cancel ? nullptr : asked.party, 0, asked.bytes);
  }
}

std::uint32_t Peer::ask(Party& party, Method method, const Headers& headers, const std::string& body,
                        const std::string& type) {
  const std::uint32_t cseq = ++party.local_cseq;
  Draft draft = in_dialog(party, method, cseq);
  for (const auto& [name, value] : headers) draft.add(name, value);
  if (!body.empty()) draft.body(type, body);
  send_request(party, std::move(draft), cseq);
  return cseq;
}

// CANCEL and the ACK to a refusal copy the INVITE and share its branch (RFC 3261 9.1, 17.1.1.3).
Draft Peer::companion(const Asked& invite, Method method, const std::string& branch,
                      std::string_view to) const {
  Draft draft = Draft::request(method, invite.draft.request_uri());
  for (const HeaderId id : {HeaderId::from, HeaderId::call_id, HeaderId::max_forwards}) {
    draft.add(id, std::string(invite.draft.header(id)));
  }
  draft.add(HeaderId::to, std::string(to));
  draft.add(HeaderId::cseq, std::to_string(invite.cseq) + " " + std::string(to_string(method)));
  draft.add_first(HeaderId::via, via(branch));
  return draft;
}

std::string Peer::send_request(Party& party, Draft draft, std::uint32_t cseq) {
  const std::string branch = "z9hG4bK" + rng_.token(12);
  Asked& asked = asked_[branch];
  asked.party = &party;
  asked.cseq = cseq;
  asked.draft = draft;
  draft.add_first(HeaderId::via, via(branch));
  asked.bytes = draft.write();
  send(&party, party.flow, asked.bytes);
  repeat_request(branch, t1, world_.now() + give_up_after);
  return branch;
}

void Peer::repeat_request(const std::string& branch, Duration interval, Time give_up) {
  world_.after(interval, [this, branch, interval, give_up] {
    Asked& asked = asked_.at(branch);
    const bool invite = asked.draft.method() == Method::invite;
    if (asked.final || (invite && asked.provisional)) return;
    if (world_.now() >= give_up) {
      asked.final = true;
      if (invite) asked.party->own_invite_pending = false;
      if (asked.draft.method() == Method::bye || asked.party->state != Party::State::up) {
        finish(*asked.party, "lost");
      } else {
        send_bye(*asked.party);
      }
      return;
    }
    // Over a stream a request is repeated only when its connection has gone down with it.
    if (transport_ == Transport::udp) send(asked.party, asked.party->flow, asked.bytes);
    repeat_request(branch, invite ? interval * 2 : std::min(interval * 2, t2), give_up);
  });
}

Party& Peer::call(Script script, const std::string& from_number, const std::string& request_uri) {
  Party& party = parties_.emplace_back();
  party.peer = this;
  party.script = std::move(script);
  party.caller = true;
  party.call_id = rng_.token(16) + "@" + address_.ip.to_string();
  party.local_tag = rng_.token(8);
  party.local_uri = "sip:" + from_number + "@" + address_.ip.to_string();
  party.remote_uri = request_uri;
  party.local_cseq = 1;
  party.init_media(rng_.below(1'000'000'000), next_rtp());
  party.remote_target = request_uri;
  Draft draft = in_dialog(party, Method::invite, party.local_cseq);
  party.remote_target.clear();
  for (const auto& [name, value] : party.script.invite_headers) draft.add(name, value);
  add_abilities(party, draft, true);
  if (!party.script.offerless) draft.body("application/sdp", party.offer());
  party.own_invite_pending = true;
  party.invite_branch = send_request(party, std::move(draft), party.local_cseq);
  happens(party, When::started);
  return party;
}

void Peer::send_cancel(Party& party) {
  if (!party.caller || party.state == Party::State::up || party.cancelled) return;
  party.cancelled = true;
  if (!asked_.at(party.invite_branch).provisional)
    return;  // goes out with the first provisional (RFC 3261 9.1)
  Asked& invite = asked_.at(party.invite_branch);
  if (invite.final) return;
  const Draft draft =
      companion(invite, Method::cancel, party.invite_branch, invite.draft.header(HeaderId::to));
  // The CANCEL has the INVITE's branch, so it is kept under a name of its own.
  Asked& asked = asked_["cancel " + party.invite_branch];
  asked.draft = draft;
  asked.party = &party;
  asked.cseq = invite.cseq;
  asked.bytes = draft.write();
  send(nullptr, party.flow, asked.bytes);
  repeat_request("cancel " + party.invite_branch, t1, world_.now() + give_up_after);
  // No final response after all that time: the INVITE counts as cancelled (RFC 3261 9.1).
  Party* who = &party;
  world_.after(give_up_after + 1s, [this, who] {
    if (who->state == Party::State::trying || who->state == Party::State::ringing) finish(*who, "cancel");
  });
}

void Peer::send_bye(Party& party) {
  finish(party, "self");
  ask(party, Method::bye, {});
}

void Peer::send_reinvite(Party& party, bool with_offer, const Headers& headers) {
  if (!party.up() || party.own_invite_pending || !party.pending_invite.empty()) return;
  party.own_invite_pending = true;
  Headers all = headers;
  if (party.script.timer) all.emplace_back("Supported", "timer");
  if (party.script.timer && headers.empty() && !party.seen.session_expires.empty()) {
    all.emplace_back("Session-Expires",
                     party.script.session_expires.empty() ? "1800" : party.script.session_expires);
  }
  ask(party, Method::invite, all, with_offer ? party.offer() : std::string());
}

// ---- Responses to them ----

void Peer::on_response(const Message& response) {
  std::string branch(response.top_via().branch());
  if (response.cseq().method == Method::cancel) branch = "cancel " + branch;
  const auto found = asked_.find(branch);
  if (found == asked_.end()) {
    world_.violation(name_ + " got a response to nothing it asked: " + std::to_string(response.status()));
    return;
  }
  Asked& asked = found->second;
  if (response.cseq().number != asked.cseq) world_.violation("a response has another CSeq than its request");
  if (asked.draft.method() == Method::invite) {
    on_invite_response(asked, branch, response);
  } else {
    on_other_response(asked, response);
  }
}

void Peer::on_invite_response(Asked& asked, const std::string& branch, const Message& response) {
  Party& party = *asked.party;
  const bool first = branch == party.invite_branch;
  if (response.status() < 200) {
    const bool held_back = party.cancelled && first && !asked.provisional;
    asked.provisional = true;
    if (asked.final || !first) return;
    party.seen.provisionals.push_back(response.status());
    if (held_back) {
      party.cancelled = false;
      send_cancel(party);
    }
    if (response.status() == 100) return;
    if (party.state == Party::State::trying) party.state = Party::State::ringing;
    // An early dialog (RFC 3261 12.1.2).
    if (const auto target = response.contact()) party.remote_target = target->uri.to_string(false);
    party.remote_tag = std::string(response.to().tag());
    if (!take_reliable(party, response)) return;
    if (!response.body().empty()) take_description(party, response.body());
    happens(party, When::ringing);
    return;
  }
  if (response.status() < 300) {
    on_invite_2xx(asked, response);
    return;
  }
  if (asked.ack.empty()) {
    asked.ack = companion(asked, Method::ack, branch, response.header(HeaderId::to)).write();
  }
  send(first ? nullptr : &party, party.flow, asked.ack);
  if (asked.final) return;
  asked.final = true;
  party.own_invite_pending = false;
  if (!first) {
    party.seen.reinvite_answers.push_back(response.status());
    if (response.status() == 408 || response.status() == 481) send_bye(party);
    return;
  }
  if (retry_with_credentials(asked, response)) return;
  party.seen.final_status = response.status();
  party.seen.warning = std::string(response.header(HeaderId::warning));
  party.seen.final_reason = std::string(response.header(HeaderId::reason));
  party.seen.hangup_code = std::string(response.header(HeaderId::x_baton_hangup_code));
  finish(party, party.cancelled ? "cancel" : "refused");
}

void Peer::on_invite_2xx(Asked& asked, const Message& response) {
  Party& party = *asked.party;
  if (asked.final) {  // the 200 again: its ACK was lost (RFC 3261 13.2.2.4), or is still to come
    if (!party.ack.empty()) send(&party, party.flow, party.ack);
    return;
  }
  asked.final = true;
  const bool first = party.state == Party::State::trying || party.state == Party::State::ringing;
  if (const auto target = response.contact()) party.remote_target = target->uri.to_string(false);
  // Given up as it may be, its ACK is one of the dialog.
  if (first || party.remote_tag.empty()) party.remote_tag = std::string(response.to().tag());
  if (first) {
    party.seen.final_status = response.status();
    party.seen.answered = true;
    party.state = Party::State::answered;
    happens(party, When::answered);
  } else {
    party.seen.reinvite_answers.push_back(response.status());
  }
  take_session(party, response);
  Party* who = &party;
  const std::uint32_t cseq = asked.cseq;
  // What was settled before the 2xx is not said again.
  const bool settled = response.body().empty() && party.server_rseq != 0;
  const bool ours = !asked.draft.body().empty();
  const std::string body(response.body());
  const auto acknowledge = [this, who, cseq, ours, body, first, settled] {
    Draft ack = in_dialog(*who, Method::ack, cseq);
    if (settled) {
    } else if (ours) {
      take_description(*who, body);
    } else {
      const std::string answer = own_answer(*who, body);
      if (!answer.empty()) ack.body("application/sdp", answer);
    }
    ack.add_first(HeaderId::via, via("z9hG4bK" + rng_.token(12)));
    who->ack = ack.write();
    who->own_invite_pending = false;
    send(who, who->flow, who->ack);
    if (!first || who->state == Party::State::over) return;
    who->state = Party::State::up;
    happens(*who, When::established);
    if (who->cancelled || winding_down_) send_bye(*who);
  };
  if (party.script.ack_after == Duration::zero() || !first) {
    acknowledge();
  } else {
    world_.after(party.script.ack_after, acknowledge);
  }
}

void Peer::on_other_response(Asked& asked, const Message& response) {
  if (response.status() < 200 || asked.final) return;
  asked.final = true;
  Party& party = *asked.party;
  const Method method = asked.draft.method();
  if (response.status() == 401 || response.status() == 407) {
    if (retry_with_credentials(asked, response)) return;
  }
  if (method == Method::update) update_answered(party, response);
  if (method == Method::prack) {
    party.seen.prack_answers.push_back(response.status());
    if (!response.body().empty()) take_description(party, response.body());
    return;
  }
  if (method == Method::refer) {
    party.seen.refer_answers.push_back(response.status());
    party.seen.refer_warnings.emplace_back(response.header(HeaderId::warning));
    party.seen.refer_retry_after.emplace_back(response.header(HeaderId::retry_after));
    happens(party, When::refer_answered);
  }
  if ((response.status() == 481 || response.status() == 408) && method != Method::cancel &&
      method != Method::subscribe) {
    finish(party, "lost");
  }
}

// ---- Requests of the server ----

void Peer::receive(const std::string& bytes, FlowId flow) {
  if (vanished_) return;
  auto message = Message::parse(bytes);
  if (!message) {
    world_.violation(name_ + " got what it can not parse: " + std::string(message.error().reason));
    return;
  }
  if (message->is_request()) {
    on_request(std::move(*message), flow);
  } else {
    on_response(*message);
  }
}

}  // namespace baton::sim
