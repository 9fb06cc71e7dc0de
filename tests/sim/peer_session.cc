// Peer: session timers (RFC 4028), UPDATE (RFC 3311), reliable provisionals (RFC 3262), and forks.
#include <algorithm>
#include <charconv>

#include "peer.h"
#include "world.h"

namespace baton::sim {

using sip::Draft;
using sip::HeaderId;
using sip::Message;
using sip::Method;

namespace {

unsigned number_in(std::string_view text) {
  unsigned number = 0;
  (void)std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::string refresher_in(std::string_view text) {
  const auto at = text.find("refresher=");
  return at == std::string_view::npos ? std::string() : std::string(text.substr(at + 10, 3));
}

}  // namespace

// ---- Session timers ----

// What a request of ours, or a 2xx, says about what we can do.
void Peer::add_abilities(const Party& party, Draft& draft, bool first_request) const {
  if (party.script.timer) draft.add(HeaderId::supported, "timer");
  if (party.script.supports_100rel) draft.add(HeaderId::supported, "100rel");
  if (party.script.allows_update)
    draft.add(HeaderId::allow, "INVITE, ACK, BYE, CANCEL, UPDATE, PRACK, NOTIFY, REFER");
  if (first_request && party.script.requires_100rel) draft.add(HeaderId::require, "100rel");
  if (first_request && !party.script.session_expires.empty()) {
    draft.add(HeaderId::session_expires, party.script.session_expires);
  }
}

// True when the INVITE has been refused for its short interval.
bool Peer::refuse_interval(const std::string& key, const Script& script) {
  const Served& served = served_.at(key);
  const unsigned asked = number_in(served.request.header(HeaderId::session_expires));
  if (script.min_se == 0 || asked == 0 || asked >= script.min_se) return false;
  Draft draft = reply(served, 422);
  draft.add(HeaderId::min_se, std::to_string(script.min_se));
  respond(key, std::move(draft));
  return true;
}

// Our 2xx to an INVITE, re-INVITE or UPDATE.
void Peer::answer_session(Party& party, const Message& request, Draft& response) {
  const std::string asked(request.header(HeaderId::session_expires));
  if (!asked.empty()) party.seen.session_expires.push_back(asked);
  add_abilities(party, response, false);
  if (!party.script.timer) return;
  std::string agreed = party.script.answers_expires;
  if (const std::string role = refresher_in(asked); !role.empty()) {
    agreed = std::to_string(number_in(asked)) + ";refresher=" + role;
  }
  if (agreed.empty()) return;
  response.set(HeaderId::session_expires, agreed);
  if (refresher_in(agreed) == "uac") response.add(HeaderId::require, "timer");
  start_session(party, agreed, false);
}

// The server's 2xx to ours.
void Peer::take_session(Party& party, const Message& response) {
  party.server_updates = response.lists(HeaderId::allow, "UPDATE");
  const std::string agreed(response.header(HeaderId::session_expires));
  if (!agreed.empty()) party.seen.session_expires.push_back(agreed);
  if (!party.script.timer && !agreed.empty()) {
    world_.violation("the server wants a session timer of " + party.role() + ", which has none");
  }
  if (!agreed.empty() && refresher_in(agreed).empty())
    world_.violation("Session-Expires without a refresher");
  if (party.script.timer) start_session(party, agreed, true);
}

void Peer::start_session(Party& party, const std::string& agreed, bool asked_by_us) {
  const unsigned round = ++party.session_round;
  if (agreed.empty() || !party.script.refreshes) return;
  if ((refresher_in(agreed) == "uac") != asked_by_us) return;
  await_refresh(party, round, number_in(agreed), world_.now() + std::chrono::seconds(number_in(agreed)) / 2);
}

// In short steps: who has left does not keep the world waiting.
void Peer::await_refresh(Party& party, unsigned round, unsigned interval, Time due) {
  if (winding_down_ || party.session_round != round || party.state == Party::State::over) return;
  Party* who = &party;
  if (world_.now() < due) {
    const Duration step = std::min<Duration>(due - world_.now(), 30s);
    return world_.after(step,
                        [this, who, round, interval, due] { await_refresh(*who, round, interval, due); });
  }
  if (!party.up()) return;
  const Headers headers = {{"Session-Expires", std::to_string(interval) + ";refresher=uac"}};
  ++party.seen.refreshes_sent;
  if (party.server_updates && party.script.allows_update) {
    ask(party, Method::update, headers);
  } else {
    send_reinvite(party, true, headers);
  }
}

// ---- UPDATE ----

void Peer::on_update(const std::string& key, Party& party) {
  Served& served = served_.at(key);
  ++party.seen.updates;
  if (const auto target = served.request.contact()) party.remote_target = target->uri.to_string(false);
  const int status = std::exchange(party.script.update_status, 200);
  if (status >= 300) return respond(key, reply(served, status));
  Draft draft = reply(served, 200);
  draft.add(HeaderId::contact, contact());
  if (!served.request.body().empty()) {
    const std::string sdp = own_answer(party, served.request.body());
    if (sdp.empty()) return respond(key, reply(served, 488));
    draft.body("application/sdp", sdp);
  }
  answer_session(party, served.request, draft);
  respond(key, std::move(draft));
}

void Peer::update_answered(Party& party, const Message& response) {
  party.seen.update_answers.push_back(response.status());
  party.seen.update_retry_after.emplace_back(response.header(HeaderId::retry_after));
  if (response.status() >= 300) return;
  if (!response.body().empty()) take_description(party, response.body());
  if (party.up()) take_session(party, response);
}

// ---- Reliable provisionals ----

// As the callee: puts RSeq into what is about to be sent, and repeats it until the PRACK.
void Peer::make_reliable(const std::string& key, Draft& draft) {
  Party& party = *served_.at(key).party;
  const Message& invite = served_.at(key).request;
  const bool wanted =
      invite.lists(HeaderId::supported, "100rel") || invite.lists(HeaderId::require, "100rel");
  if (!party.script.reliable || !wanted) return;
  if (party.rseq == 0) party.rseq = 1 + static_cast<std::uint32_t>(rng_.below(100'000));
  draft.add(HeaderId::require, "100rel");
  draft.add(HeaderId::rseq, std::to_string(++party.rseq));
  party.unpracked = party.rseq;
  repeat_reliable(key, party.rseq, t1_of_peers, world_.now() + 32s);
}

void Peer::repeat_reliable(const std::string& key, std::uint32_t rseq, Duration interval, Time give_up) {
  world_.after(interval, [this, key, rseq, interval, give_up] {
    Served& served = served_.at(key);
    if (served.final || served.party->unpracked != rseq) return;
    // It has given the call up meanwhile.
    if (served.party->seen.over) return respond(key, reply(served, 480));
    if (world_.now() >= give_up) {
      // Nobody acknowledges what was never sent.
      if (!has_vanished_) world_.violation("no PRACK for a reliable response of " + served.party->role());
      respond(key, reply(served, 504));  // RFC 3262 3
      finish(*served.party, "lost");
      return;
    }
    send(nullptr, served.flow, served.last);
    repeat_reliable(key, rseq, interval * 2, give_up);
  });
}

void Peer::on_prack(const std::string& key, Party& party) {
  Served& served = served_.at(key);
  const std::string rack(served.request.header(HeaderId::rack));
  const std::string expected =
      std::to_string(party.unpracked) + " " + std::to_string(party.invite->cseq().number) + " INVITE";
  if (party.unpracked == 0 || rack != expected) {
    world_.violation("the server's PRACK has RAck " + rack + ", " + expected + " was expected");
    return respond(key, reply(served, 481));
  }
  party.unpracked = 0;
  ++party.seen.pracks;
  respond(key, reply(served, 200));
  if (party.answer_waits) {
    party.answer_waits = false;
    answer(party.pending_invite);
  }
}

// As the caller. False: a repeat.
bool Peer::take_reliable(Party& party, const Message& response) {
  if (!response.lists(HeaderId::require, "100rel")) return true;
  const unsigned rseq = number_in(response.header(HeaderId::rseq));
  if (rseq == 0) world_.violation("a reliable response without a usable RSeq");
  ++party.seen.reliable_received;
  if (party.server_rseq != 0 && rseq <= party.server_rseq)
    return false;  // a repeat, or one that was overtaken
  if (party.server_rseq != 0 && rseq != party.server_rseq + 1) world_.violation("RSeq does not count");
  party.server_rseq = rseq;
  if (!party.script.pracks) return true;
  std::string sdp;
  if (party.script.offerless && !response.body().empty()) {
    sdp = party.script.answers_in_prack ? own_answer(party, response.body()) : std::string();
  } else if (party.script.offers_in_prack) {
    sdp = party.offer();
    if (const auto port = sdp.find("m=audio ") + 8; party.script.prack_offer_disabled) {
      sdp.replace(port, sdp.find(' ', port) - port, "0");
    }
  }
  const std::string wrong = party.script.bad_rack_first ? "1" : "";
  if (!wrong.empty()) ask(party, Method::prack, {{"RAck", std::to_string(rseq + 7) + " 1 INVITE"}});
  ask(party, Method::prack,
      {{"RAck",
        std::to_string(rseq) + " " + std::to_string(asked_.at(party.invite_branch).cseq) + " INVITE"}},
      sdp);
  return true;
}

// ---- Forks ----

// Others behind the same proxy ring too, each with a tag of its own, and may answer when it is too late.
void Peer::ring_forks(const std::string& key, bool final) {
  const Served& served = served_.at(key);
  Party& party = *served.party;
  for (const std::string& tag : party.script.fork_tags) {
    Draft draft = sip::make_response(served.request, final ? 200 : 183, tag);
    draft.add(HeaderId::contact, contact());
    std::string sdp = party.answer();
    if (!final && !party.script.fork_codecs.empty()) {
      Party& fork = forks_.insert_or_assign(tag, party).first->second;
      fork.local_tag = tag;
      fork.script.codecs = party.script.fork_codecs;
      if (!party.script.fork_suites.empty()) fork.script.srtp.suites = party.script.fork_suites;
      fork.local.formats.clear();
      for (const sdp::Codec codec : fork.script.codecs) {
        fork.local.formats.push_back({codec, sdp::default_payload_type(codec)});
      }
      sdp = own_answer(fork, served.request.body());
    }
    if (final || party.script.early_media) draft.body("application/sdp", sdp);
    if (!final && party.script.reliable) {
      draft.add(HeaderId::require, "100rel");
      draft.add(HeaderId::rseq, "71");
    }
    send(nullptr, served.flow, draft.write());
  }
}

// True when the request is about one of them.
bool Peer::on_fork_request(const std::string& key, Party& party) {
  Served& served = served_.at(key);
  const std::string tag(served.request.to().tag());
  const auto& tags = party.script.fork_tags;
  if (std::find(tags.begin(), tags.end(), tag) == tags.end()) return false;
  const Method method = served.request.method();
  if (method == Method::bye) party.seen.fork_byes.push_back(tag);
  if (method == Method::prack) party.seen.fork_pracks.push_back(tag);
  Draft ok = sip::make_response(served.request, 200, tag);
  respond(key, std::move(ok));
  if (const auto fork = forks_.find(tag); fork != forks_.end() && method == Method::prack) {
    ++fork->second.key_round;
    ++fork->second.local.version;
    ask(fork->second, Method::update, {}, fork->second.offer());
  }
  return true;
}

}  // namespace baton::sim
