#include "oracles.h"

#include <algorithm>
#include <cstdlib>

#include "peer.h"
#include "sip/draft.h"
#include "world.h"

namespace baton::sim {

using sip::HeaderId;
using sip::Message;
using sip::Method;

namespace {

// After that long nobody is owed an ACK or the same response again (64*T1 and timer J).
constexpr Duration transaction_life = 31s;

std::string key_of(const Message& message) {
  const Method method =
      message.is_request() && message.method() == Method::ack ? Method::invite : message.method();
  return std::string(message.top_via().branch()) + " " +
         (method == Method::other ? message.cseq().method_text : std::string(to_string(method)));
}

std::string success_key(const Message& message) {
  return std::string(message.call_id()) + " " + std::to_string(message.cseq().number);
}

}  // namespace

void Oracles::violation(const std::string& what) {
  world_.violation(what);
}

Oracles::Leg* Oracles::find_leg(std::string_view call_id) {
  for (Leg& leg : legs_) {
    if (leg.call_id == call_id) return &leg;
  }
  return nullptr;
}

Oracles::Leg* Oracles::leg_with(media::EndpointId endpoint) {
  for (Leg& leg : legs_) {
    if (leg.endpoint == endpoint && !leg.over) return &leg;
  }
  return nullptr;
}

// ---- What the server sends ----

void Oracles::sent(const engine::Send& send, Peer* to) {
  const auto message = Message::parse(send.bytes);
  if (!message) {
    violation("the server sends what can not be parsed: " + std::string(message.error().reason) + "\n" +
              send.bytes);
    return;
  }
  check_form(*message);
  check_hiding(*message, to);
  check_rewrite(*message);
  if (message->is_request()) {
    sent_request(*message, send, to);
  } else {
    sent_response(*message);
  }
}

void Oracles::check_form(const Message& message) {
  const std::string what =
      message.is_request() ? std::string(message.method_text()) : std::to_string(message.status());
  for (const HeaderId id :
       {HeaderId::call_id, HeaderId::cseq, HeaderId::from, HeaderId::to, HeaderId::content_length}) {
    if (message.count(id) != 1) violation(what + " without exactly one " + std::string(canonical_name(id)));
  }
  const bool target_refresh = (message.method() == Method::invite || message.method() == Method::update) &&
                              (message.is_request() || (message.status() / 100 == 2));
  if (target_refresh && !message.contact()) violation(what + " without a Contact");
  if (!message.body().empty() && message.header(HeaderId::content_type).empty()) {
    violation(what + " has a body of no type");
  }
  if (!message.is_request()) return;
  if (message.header(HeaderId::max_forwards).empty()) violation(what + " without Max-Forwards");
  if (message.method() != Method::notify) return;
  if (!message.contact()) violation("NOTIFY without a Contact");
  if (!message.header(HeaderId::event).starts_with("refer")) violation("NOTIFY of another event than refer");
  const auto type = sip::TokenWithParameters::parse(message.header(HeaderId::content_type));
  if (!type || type->token != "message/sipfrag") violation("NOTIFY whose body is not message/sipfrag");
  const std::string_view body = message.body();
  const auto end = body.find("\r\n");
  if (!sip::parse_sipfrag(body) || end == std::string_view::npos || end + 2 != body.size()) {
    violation("NOTIFY whose body is not exactly one status line: " + std::string(body));
  }
}

// Taking the message apart and writing it again must not change it.
void Oracles::check_rewrite(const Message& message) {
  sip::Draft draft = message.is_request()
                         ? sip::Draft::request(message.method(), std::string(message.request_uri()))
                         : sip::Draft::response(message.status(), message.reason_phrase());
  for (const Message::Entry& entry : message.entries()) {
    if (entry.id == HeaderId::content_length ||
        (entry.id == HeaderId::content_type && !message.body().empty()))
      continue;
    if (entry.id != HeaderId::other)
      draft.add(entry.id, std::string(message.value_of(entry)));
    else
      draft.add(std::string(message.name_of(entry)), std::string(message.value_of(entry)));
  }
  if (!message.body().empty()) {
    draft.body(std::string(message.header(HeaderId::content_type)), std::string(message.body()));
  }
  const auto again = Message::parse(draft.write());
  const auto fields = [](const Message& m) {
    std::vector<std::string> lines;
    for (const Message::Entry& entry : m.entries()) {
      const std::string_view name = entry.id == HeaderId::other ? m.name_of(entry) : canonical_name(entry.id);
      lines.push_back(std::string(name) + ": " + std::string(m.value_of(entry)));
    }
    std::stable_sort(lines.begin(), lines.end());
    return lines;
  };
  if (!again || again->body() != message.body() || fields(*again) != fields(message)) {
    violation("a message does not survive being written again:\n" + std::string(message.bytes()));
  }
}

void Oracles::sent_request(const Message& message, const engine::Send& send, Peer* to) {
  ++sent_requests_[send.bytes];
  Leg* leg = find_leg(message.call_id());
  if (message.method() == Method::ack) {
    sent_ack(message, leg);
    return;
  }
  const std::string key = key_of(message);
  const auto again = own_.find(key);
  if (again != own_.end()) {
    if (again->second.bytes != send.bytes) violation("a request repeated with other bytes:\n" + send.bytes);
    if (again->second.final != 0) violation("a request repeated after its final response:\n" + send.bytes);
    return;
  }
  if (leg == nullptr) {
    if (message.method() != Method::invite) {
      violation("the server sends " + std::string(message.method_text()) + " in no dialog");
      return;
    }
    leg = &legs_.emplace_back();
    leg->call_id = std::string(message.call_id());
    leg->peer = to;
    leg->server_called = true;
    leg->invited_at = world_.now();
    leg->number = user_of(message.request_uri());
  }
  Own& own = own_[key];
  own.method = message.method();
  own.bytes = send.bytes;
  own.leg = leg;
  own.cseq = message.cseq().number;
  own.sent = world_.now();
  sent_new_request(message, *leg, std::string(message.top_via().branch()));
}

void Oracles::sent_new_request(const Message& message, Leg& leg, const std::string& branch) {
  const std::uint32_t cseq = message.cseq().number;
  if (message.method() == Method::cancel) {
    leg.cancelled = true;
    leg.cancel_sent = world_.now();
    return;
  }
  // Each early dialog counts from the INVITE that they share (RFC 3261 12.1.1, 12.2.1.1).
  const std::string tag(message.to().tag());
  if (tag.empty()) {
    leg.invite_cseq = cseq;
    leg.cseqs.clear();
  }
  std::uint32_t& last = leg.cseqs.try_emplace(tag, leg.invite_cseq).first->second;
  // One that went down with its connection is not seen here, and is made again with a CSeq of its own.
  const bool made_again = leg.peer != nullptr && leg.peer->transport() != Transport::udp && cseq > last + 1;
  if (last != 0 && !made_again && cseq != last + (tag.empty() ? 0 : 1)) {
    violation(std::string(message.method_text()) + " has CSeq " + std::to_string(cseq) + " after " +
              std::to_string(last));
  }
  last = cseq;
  if (!leg.to_tag.empty() && tag != leg.to_tag) return;  // an answer that lost
  learn_endpoint(leg, message);
  if (leg.over && message.method() != Method::notify) {
    violation("the server sends " + std::string(message.method_text()) + " in a dialog that is over");
  }
  if (message.method() == Method::notify) sent_notify(message, leg, branch);
  if (message.method() == Method::bye) sent_bye(leg);
}

Oracles::Transfer* Oracles::find_transfer(const Leg& leg, const Message& notify) {
  const auto event = sip::TokenWithParameters::parse(notify.header(HeaderId::event));
  const std::string* id = event ? sip::find_parameter(event->parameters, "id") : nullptr;
  for (Transfer& transfer : transfers_) {
    if (transfer.subscriber != &leg) continue;
    // Without an id it can only be about the first REFER of the dialog (RFC 3515 2.4.6) that was accepted.
    if (id == nullptr ? transfer.accepted() : *id == std::to_string(transfer.cseq)) return &transfer;
  }
  return nullptr;
}

// One after the other in a dialog: a newer CSeq that comes first makes the older a failure (RFC 3261 12.2.2).
// Final ones do not wait for ever behind an answer that does not come: the transferor must know before its
// BYE.
bool Oracles::may_notify(const Leg& leg, const Transfer& about, bool final) const {
  std::optional<Time> oldest;
  for (const Transfer& transfer : transfers_) {
    if (transfer.subscriber != &leg) continue;
    for (const auto& [branch, since] : transfer.outstanding) {
      const bool given_up = world_.now() - since >= transaction_life;
      if (!given_up && (!oldest || since < *oldest)) oldest = since;
    }
  }
  if (!oldest) return true;
  // Two cases in which the final one may not wait: it has waited long enough, or our BYE is about to follow
  // because the other party has left, or a transfer without a subscription has succeeded.
  const bool bye_due =
      std::any_of(transfers_.begin(), transfers_.end(),
                  [&](const Transfer& transfer) {
                    if (transfer.subscriber != &leg) return false;
                    // A party whose audio has stopped is taken for gone.
                    const Leg* other = transfer.transferee;
                    const bool alone =
                        leg.reported_silent || (other != nullptr && (other->over || other->reported_silent));
                    return alone || (transfer.target_answered && transfer.no_subscription);
                  }) ||
      std::any_of(transfers_.begin(), transfers_.end(), [&](const Transfer& transfer) {
        return transfer.consultation == &leg && transfer.target_answered;
      });
  // Another phone has taken its place.
  const bool replaced = std::any_of(
      legs_.begin(), legs_.end(), [&](const Leg& other) { return other.replaces == &leg && other.answered; });
  const bool waited = !about.outcome.empty() && world_.now() - about.decided_at >= 2s;
  return final && (bye_due || replaced || waited || byes_excused_ || world_.now() - *oldest >= 2s);
}

void Oracles::sent_notify(const Message& message, Leg& leg, const std::string& branch) {
  Transfer* transfer = find_transfer(leg, message);
  const int status = sip::parse_sipfrag(message.body()).value_or(0);
  const auto state = sip::TokenWithParameters::parse(message.header(HeaderId::subscription_state));
  if (transfer == nullptr || !state) {
    violation("NOTIFY for no REFER, or without a Subscription-State");
    return;
  }
  const bool final = state->token == "terminated";
  for (Transfer& one : transfers_) {
    if (one.subscriber == &leg || one.consultation == &leg) learn_consultation_answered(one);
  }
  if (!transfer->accepted()) violation("NOTIFY before the REFER is accepted");
  if (transfer->no_subscription) violation("NOTIFY although the REFER asked for no subscription");
  if (transfer->finals > 0) violation("NOTIFY after the final one");
  if (transfer->peer_ended_subscription && !final) violation("NOTIFY after the peer ended the subscription");
  if (!may_notify(leg, *transfer, final)) violation("NOTIFY while the one before it is not answered");
  if (!final && !transfer->notified.empty() && world_.now() - transfer->last_notify < 1s) {
    violation("more than one NOTIFY a second");
  }
  if (!final && (status < 100 || status > 199)) violation("active NOTIFY with a final status");
  if (final && status < 200 && !transfer->unsubscribed) {
    violation("terminated NOTIFY with a provisional status");
  }
  if (final && status / 100 == 2 && !transfer->target_answered)
    violation("NOTIFY 200 before the target answered");
  // It is due at once (RFC 3515 2.4.4); one that had to wait for another subscription's may say more.
  if (transfer->notified.empty() && !final && status != 100 && transfer->answered_at == world_.now()) {
    violation("the first NOTIFY is not 100");
  }
  transfer->notified.push_back(status);
  transfer->last_notify = world_.now();
  transfer->outstanding[branch] = world_.now();
  if (!final) return;
  ++transfer->finals;
  transfer->final_status = status;
}

bool Oracles::transfer_pending(const std::string& root) const {
  return std::any_of(transfers_.begin(), transfers_.end(), [&](const Transfer& transfer) {
    return call_of(transfer.transferor->root) == call_of(root) && transfer.pending() &&
           !transfer.transferor->over;
  });
}

bool Oracles::lost(const Leg& leg) const {
  if (leg.failed) return true;
  if (leg.session_over && world_.now() >= *leg.session_over) return true;
  // A 200 of ours, to a re-INVITE too, that nobody acknowledges ends the dialog (RFC 3261 13.3.1.4).
  for (const auto& [cseq, since] : leg.unacknowledged) {
    if (world_.now() - since >= transaction_life) return true;
  }
  if (leg.answered && !leg.acknowledged && !leg.server_called)
    return world_.now() - leg.answered_at >= transaction_life;
  return std::any_of(own_.begin(), own_.end(), [&](const auto& entry) {
    const Own& own = entry.second;
    return own.leg == &leg && own.final == 0 &&
           (own.method == Method::invite || own.method == Method::update) &&
           world_.now() - own.sent >= transaction_life;
  });
}

bool Oracles::others_up(const Leg& leg) const {
  return std::any_of(legs_.begin(), legs_.end(), [&](const Leg& other) {
    return &other != &leg && same_call(other, leg) && other.answered && !other.over;
  });
}

bool Oracles::may_send_bye(const Leg& leg) {
  if (byes_excused_ || lost(leg)) return true;
  // Nothing in the server's offer was to its liking.
  if (leg.answerless_ack) return true;
  const bool taken = std::any_of(legs_.begin(), legs_.end(),
                                 [&](const Leg& other) { return other.replaces == &leg && other.answered; });
  if (taken) return true;
  // The one it talked with is gone, and it was that one who went; or nobody else is there at all.
  if (leg.partner != nullptr && leg.partner->over && leg.partner->over_by_peer) return true;
  // The one it talked with is lost, and its own BYE may wait for the answer to a NOTIFY.
  if (leg.partner != nullptr && lost(*leg.partner)) return true;
  if (!others_up(leg)) return true;
  // An answer that crossed our CANCEL, or came when it was not wanted any more: it never was joined to
  // anybody.
  if (leg.server_called && (leg.cancelled || leg.partner == nullptr)) return true;
  for (Transfer& transfer : transfers_) {
    if (!transfer.accepted()) continue;
    learn_consultation_answered(transfer);
    if (transfer.transferor == &leg && transfer.target_answered) return true;
    if (transfer.consultation == &leg && transfer.target_answered) return true;
    // The early BYE of its transferor takes the transferee with it.
    if (transfer.transferee == &leg && transfer.transferor->over && transfer.transferor->over_by_peer)
      return true;
    if (transfer.transferor == &leg && transfer.transferee != nullptr && transfer.transferee->over)
      return true;
  }
  return false;
}

// The transferor must hear that it worked before it is let go, or have had two seconds for it.
bool Oracles::overtakes_notify(const Leg& leg) const {
  return std::any_of(transfers_.begin(), transfers_.end(), [&](const Transfer& transfer) {
    const bool told = transfer.transferor == &leg && transfer.finals > 0 && transfer.final_status / 100 == 2;
    if (!told || transfer.transferee == nullptr || transfer.transferee->over) return false;
    return std::any_of(transfer.outstanding.begin(), transfer.outstanding.end(),
                       [&](const auto& notify) { return world_.now() - notify.second < 2s; });
  });
}

void Oracles::sent_bye(Leg& leg) {
  if (!leg.answered) violation("BYE in a dialog without an answer");
  if (!leg.server_called && !leg.acknowledged && world_.now() - leg.answered_at < transaction_life) {
    violation("the server, being the callee, sends BYE before the ACK (RFC 3261 15)");
  }
  if (!leg.over && !byes_excused_ && overtakes_notify(leg))
    violation("BYE overtakes the NOTIFY that says why");
  if (!leg.over && !may_send_bye(leg)) violation("BYE to " + leg.peer->name() + " for no reason");
  end_leg(leg, lost(leg));
}

void Oracles::silent(media::EndpointId endpoint) {
  if (Leg* leg = leg_with(endpoint)) leg->failed = leg->reported_silent = true;
}

std::vector<media::EndpointId> Oracles::endpoints_without_party() const {
  std::vector<media::EndpointId> endpoints;
  for (const Leg& leg : legs_) {
    const Party* party = leg.peer == nullptr ? nullptr : leg.peer->find(leg.call_id);
    const bool gone = party == nullptr || party->seen.over;
    if (gone && leg.answered && !leg.over && !leg.reported_silent && leg.endpoint)
      endpoints.push_back(*leg.endpoint);
  }
  return endpoints;
}

void Oracles::end_leg(Leg& leg, bool by_peer) {
  if (leg.over) return;
  leg.over = true;
  leg.over_by_peer = by_peer;
  leg.over_at = world_.now();
  leg.over_order = ++order_;
}

void Oracles::sent_ack(const Message& message, Leg* leg) {
  const auto success = successes_.find(success_key(message));
  const auto invite = own_.find(key_of(message));
  if (invite != own_.end() && invite->second.final >= 300) {
    invite->second.acked_non_2xx = true;
    return;
  }
  if (success == successes_.end()) {
    violation("ACK for nothing");
    return;
  }
  success->second.acked = true;
  success->second.ack_since = true;
  if (leg != nullptr) {
    leg->acknowledged = true;
    learn_endpoint(*leg, message);
  }
}

// RFC 4028 10: whoever has seen no refresh by then ends the session.
void Oracles::learn_session(Leg& leg, const Message& message) {
  const bool agrees = message.method() == Method::invite || message.method() == Method::update;
  if (!agrees || message.status() / 100 != 2) return;
  leg.session_over.reset();
  const std::string text(message.header(HeaderId::session_expires));
  if (text.empty()) return;
  const auto interval = std::chrono::seconds(std::strtol(text.c_str(), nullptr, 10));
  leg.session_over = world_.now() + interval - std::min<Duration>(32s, interval / 3);
}

void Oracles::sent_response(const Message& message) {
  const auto found = asked_.find(key_of(message));
  Leg* leg = find_leg(message.call_id());
  if (found == asked_.end()) {
    violation("a response to nothing that was asked:\n" + std::string(message.bytes()));
    return;
  }
  Asked& asked = found->second;
  if (leg != nullptr && asked.final.empty()) learn_endpoint(*leg, message);
  if (leg != nullptr && asked.final.empty()) learn_session(*leg, message);
  if (message.status() < 200) {
    if (!asked.final.empty()) violation("a provisional response after the final one");
    if (asked.method != Method::invite && message.status() != 100)
      violation("a provisional response to a non-INVITE");
    if (leg != nullptr && message.lists(HeaderId::require, "100rel") && !message.body().empty()) {
      leg->awaits_prack = true;
    }
    return;
  }
  if (!asked.final.empty()) {
    if (asked.final != message.bytes() && world_.now() - asked.final_at < transaction_life) {
      violation("a second, different final response:\n" + asked.final + "\n" + std::string(message.bytes()));
    }
    return;
  }
  asked.final = std::string(message.bytes());
  asked.final_at = world_.now();
  if (leg != nullptr && asked.method == Method::prack && message.status() != 481) leg->awaits_prack = false;
  if (asked.unsubscribes != nullptr && message.status() < 300) {
    asked.unsubscribes->peer_ended_subscription = asked.unsubscribes->unsubscribed = true;
  }
  const auto refer = refers_.find(std::string(message.top_via().branch()));
  if (asked.method == Method::refer && refer != refers_.end()) {
    refer->second->status = message.status();
    refer->second->answered_at = world_.now();
    if (message.header(HeaderId::refer_sub) == "false") refer->second->no_subscription = true;
    if (message.status() >= 400 && message.status() < 500 && message.status() != 401 &&
        message.status() != 407 && message.header(HeaderId::warning).empty()) {
      violation("REFER refused with " + std::to_string(message.status()) + " and no Warning");
    }
  }
  if (asked.method != Method::invite || leg == nullptr) return;
  if (message.status() < 300) leg->unacknowledged.emplace(message.cseq().number, world_.now());
  if (leg->server_called || leg->final_status != 0) return;
  if (message.status() == 401 || message.status() == 407) return;
  leg->final_status = message.status();
  if (message.status() < 300) {
    leg->answered = true;
    leg->answered_at = world_.now();
  } else {
    end_leg(*leg, leg->cancelled);
  }
}

// ---- What the server gets ----

void Oracles::received(const Source&, Peer& from, const std::string& bytes) {
  const auto message = Message::parse(bytes);
  if (!message) return;  // hostile on purpose
  if (message->is_request()) {
    received_request(*message, from);
  } else {
    received_response(*message);
  }
}

void Oracles::received_request(const Message& message, Peer& from) {
  Leg* leg = find_leg(message.call_id());
  if (message.method() == Method::ack) {
    if (leg == nullptr) return;
    // Not the ACK of an INVITE that was refused.
    const std::uint32_t cseq = message.cseq().number;
    if (leg->unacknowledged.erase(cseq) == 0) return;
    leg->acknowledged = true;
    leg->answerless_ack = message.body().empty() && offerless_.contains({leg->call_id, cseq});
    return;
  }
  if (message.method() == Method::invite && message.body().empty()) {
    offerless_.emplace(std::string(message.call_id()), message.cseq().number);
  }
  const std::string key = key_of(message);
  if (asked_.contains(key)) return;
  Asked& asked = asked_[key];
  asked.method = message.method();
  asked.method_text = std::string(message.method_text());
  asked.call_id = std::string(message.call_id());
  asked.first = world_.now();
  asked.optional = from.is_stranger();
  if (leg == nullptr && message.method() == Method::invite && message.to().tag().empty()) {
    leg = &legs_.emplace_back();
    leg->call_id = std::string(message.call_id());
    leg->peer = &from;
    leg->number = user_of(message.request_uri());
    for (Leg& old : legs_) {
      const std::string_view replaces = message.header(HeaderId::replaces);
      if (!old.call_id.empty() && replaces.starts_with(old.call_id + ";")) leg->replaces = &old;
    }
  }
  if (message.method() == Method::refer && (leg == nullptr || leg->outside)) {
    return received_outside_refer(message, from);
  }
  if (leg == nullptr) return;
  if (message.method() == Method::cancel && leg->final_status == 0) leg->cancelled = true;
  if (message.method() == Method::bye && !message.to().tag().empty()) end_leg(*leg, true);
  if (message.method() == Method::refer) received_refer(message, *leg);
  if (message.method() == Method::subscribe && message.header(HeaderId::expires) == "0") {
    asked.unsubscribes = find_transfer(*leg, message);
  }
}

void Oracles::received_outside_refer(const Message& message, Peer& from) {
  const std::string_view about = message.header(HeaderId::target_dialog);
  Leg* leg = find_leg(about.substr(0, about.find(';')));
  if (leg == nullptr) return;
  received_refer(message, *leg);
  Leg* dialog = find_leg(message.call_id());
  if (dialog == nullptr) dialog = &legs_.emplace_back();
  dialog->call_id = std::string(message.call_id());
  dialog->peer = &from;
  dialog->outside = true;
  transfers_.back().subscriber = dialog;
}

void Oracles::received_refer(const Message& message, Leg& leg) {
  Transfer& transfer = transfers_.emplace_back();
  transfer.subscriber = &leg;
  transfer.transferor = &leg;
  transfer.transferee = leg.partner;
  transfer.cseq = message.cseq().number;
  transfer.refer_to = std::string(message.header(HeaderId::refer_to));
  if (const auto target = sip::NameAddr::parse(transfer.refer_to)) {
    transfer.number = sip::to_e164(sip::percent_decode(target->uri.user)).value_or("");
  }
  transfer.no_subscription =
      message.header(HeaderId::refer_sub) == "false" || message.lists(HeaderId::require, "nosub");
  if (transfer.refer_to.find('?') != std::string::npos) {
    const std::string plain = sip::percent_decode(transfer.refer_to);
    for (Leg& other : legs_) {
      if (&other != &leg && plain.find(other.call_id) != std::string::npos) transfer.consultation = &other;
    }
  }
  refers_[std::string(message.top_via().branch())] = &transfer;
}

void Oracles::received_response(const Message& message) {
  const auto found = own_.find(key_of(message));
  if (found == own_.end()) return;
  Own& own = found->second;
  own.provisional = own.provisional || message.status() < 200;
  if (message.status() < 200 || own.leg == nullptr) return;
  Leg& leg = *own.leg;
  // Timer B has ended the transaction (RFC 3261 17.1.1.2), or the INVITE was given up so long after a CANCEL
  // (9.1). Whether it still acknowledges at the very end of that time is its own affair.
  const bool given_up =
      own.method == Method::invite && !own.provisional && world_.now() - own.sent >= transaction_life;
  if (given_up || (leg.cancel_sent && world_.now() - *leg.cancel_sent >= transaction_life)) {
    if (own.method == Method::invite && message.status() >= 300) {
      own.final = message.status();
      own.acked_non_2xx = true;
    } else if (own.method == Method::invite && message.status() >= 200 && !leg.answered) {
      // A call, if the server still takes it for one; then it acknowledges and ends it.
      Success& success = successes_[success_key(message)];
      success.leg = &leg;
      success.first = success.last = world_.now();
      success.acked = success.ack_since = true;
      leg.to_tag = std::string(message.to().tag());
      leg.answered = leg.failed = true;
      leg.answered_at = world_.now();
    }
    return;
  }
  if (own.method == Method::invite && message.status() < 300) {
    received_invite_success(message, leg);
  }
  if (own.final != 0) return;
  own.final = message.status();
  learn_session(leg, message);
  if (own.method == Method::notify) notify_answered(leg, std::string(message.top_via().branch()), own.final);
  if (own.method == Method::update && (own.final == 408 || own.final == 481)) leg.failed = true;
  if (own.method != Method::invite || message.status() < 300) return;
  if (!leg.answered) {
    leg.final_status = own.final;
    if (own.final != 401 && own.final != 407 && own.final != 422) end_leg(leg, true);
  } else if (own.final == 408 || own.final == 481) {
    leg.failed = true;
  }
}

void Oracles::received_invite_success(const Message& message, Leg& leg) {
  Success& success = successes_[success_key(message)];
  if (success.leg == nullptr) success.first = world_.now();
  success.leg = &leg;
  success.cseq = message.cseq().number;
  success.last = world_.now();
  success.ack_since = false;
  if (leg.answered) return;
  leg.to_tag = std::string(message.to().tag());
  leg.answered = true;
  leg.answered_at = world_.now();
  leg.final_status = message.status();
  // Which transfer it was for: the newest to that number of this call that was still going on; else it is one
  // of its fallback targets.
  for (const bool by_number : {true, false}) {
    for (auto transfer = transfers_.rbegin(); transfer != transfers_.rend(); ++transfer) {
      const std::string_view number = transfer->number;
      const bool same = by_number
                            ? !number.empty() && (leg.number == number || leg.number == number.substr(1))
                            : leg.invited_at >= transfer->answered_at && transfer->consultation == nullptr;
      if (!same || !same_call(*transfer->transferor, leg) || !transfer->pending()) continue;
      transfer->target_answered = true;
      return;
    }
  }
}

void Oracles::notify_answered(Leg& leg, const std::string& branch, int status) {
  for (Transfer& transfer : transfers_) {
    if (transfer.subscriber != &leg || transfer.outstanding.erase(branch) == 0) continue;
    if (status >= 300) transfer.peer_ended_subscription = true;
  }
}

}  // namespace baton::sim
