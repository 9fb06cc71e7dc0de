// Legs: requests inside a dialog, ours and the peer's (RFC 3261 12.2, 14, 15; RFC 3311; RFC 6665).
#include <algorithm>
#include <charconv>

#include "base/limits.h"
#include "call/legs.h"

namespace baton::call {
namespace {

// How long a REFER that overtook the ACK waits for it: two repeats of the 2xx, and less than T2 (RFC 4320).
constexpr Duration held_refer_max = 3s;
constexpr Duration farewell_max = 2s;  // how long a BYE waits for the answer to a final NOTIFY

}  // namespace

// ---- Requests of the peer ---------------------------------------------------------------------------

void Legs::on_dialog_request(Leg& leg, txn::RequestReceived& event) {
  const sip::Message& request = event.request;
  const sip::Method method = request.method();
  leg.source = event.source;
  if (event.source.transport == leg.dialog.next_hop.transport) {
    leg.dialog.next_hop.flow = event.source.flow;
    if (method != sip::Method::bye) send_waiting(leg);
  }

  const bool early = leg.outgoing && !leg.in_call() && leg.state != LegState::closing;
  const bool early_update = method == sip::Method::update && leg.state == LegState::inviting;
  const bool early_info = method == sip::Method::info && leg.state == LegState::inviting;
  if (early && method != sip::Method::refer && !early_update && !early_info) {
    // The peer may not end or change a dialog it has not confirmed (RFC 3261 15).
    const Rejection verdict = method == sip::Method::bye
                                  ? Rejection{.status = 481, .code = Hangup::call_does_not_exist}
                                  : Rejection{.status = 491, .retry_after_s = 1};
    return respond(request, event.txn, verdict, &leg);
  }
  if (leg.refer_only && method != sip::Method::subscribe) {
    return respond(request, event.txn, {.status = 481, .text = "This dialog is a REFER's subscription"},
                   &leg);
  }
  // One that was overtaken is not asked again, and without it there is no answer; its RAck says what it is
  // about, whatever its CSeq.
  const bool in_order = leg.dialog.accept_cseq(request) || is_awaited_prack(leg, request);
  if (!in_order) {
    return respond(request, event.txn, {.status = 500, .text = "CSeq is not higher than the last one"}, &leg);
  }
  leg.probes_failed = 0;
  learn_peer(leg, request);
  if (refuse_unserved(request, event.txn, &leg)) return;
  if (leg.state == LegState::closing && method != sip::Method::bye && method != sip::Method::refer) {
    return respond(request, event.txn, {.status = 481, .code = Hangup::call_does_not_exist}, &leg);
  }
  switch (method) {
    case sip::Method::bye:
      return on_bye(leg, event);
    case sip::Method::invite:
    case sip::Method::update:
      return on_offer_or_refresh(leg, event);
    case sip::Method::refer:
      return on_refer(leg, event);
    case sip::Method::subscribe:
      return on_subscribe(leg, event);
    case sip::Method::options:
      return respond(request, event.txn, {.status = 200}, &leg,
                     {{sip::HeaderId::allow, {}, allowed_methods},
                      {sip::HeaderId::supported, {}, supported_of(leg)},
                      {sip::HeaderId::accept, {}, accepted_types}});
    case sip::Method::prack:
      return on_prack(leg, event);
    case sip::Method::info:
      return on_info(leg, event);
    case sip::Method::notify:
      // We subscribe to nothing: none can match (RFC 6665 4.1.3).
      return respond(request, event.txn, {.status = 481}, &leg);
    case sip::Method::other:
      return respond(request, event.txn, {.status = 501}, &leg);
    default:
      return respond(request, event.txn, {.status = 405}, &leg);
  }
}

void Legs::on_bye(Leg& leg, txn::RequestReceived& event) {
  respond(event.request, event.txn, {.status = 200}, &leg);
  const std::string reason = reasons_of(event.request);
  if (leg.state == LegState::offered) {
    // A caller may end an early dialog by BYE; its INVITE is answered all the same (RFC 3261 15.1.2).
    respond(*leg.request, leg.invite, {.status = 487, .code = Hangup::user_cancelled}, &leg);
    leg.final_status = 487;
    return finish(leg, LegEnd::cancelled, reason);
  }
  if (leg.outgoing && leg.state == LegState::answered) acknowledge(leg.self);
  finish(leg, LegEnd::hung_up, reason);
}

void Legs::on_refer(Leg& leg, txn::RequestReceived& event) {
  ++leg.refers_seen;
  const txn::TxnId txn = event.txn;
  leg.open_refers.push_back({txn, std::move(event.request), true});
  if (leg.state == LegState::confirmed) return emit(LegReferred{leg.self, txn, ReferTiming::good});
  if (leg.state == LegState::closing) return emit(LegReferred{leg.self, txn, ReferTiming::too_late});
  if (leg.state == LegState::answered && !leg.outgoing && !leg.refer_held) {
    leg.refer_held = true;
    leg.open_refers.back().reported = false;
    return arm(leg, LegTimer::held_refer, held_refer_max);
  }
  emit(LegReferred{leg.self, txn, ReferTiming::too_early});
}

// RFC 4538 4: a REFER that is about another dialog names it. Its own dialog is a subscription and nothing
// else; whether the sender may is asked of the call layer.
void Legs::on_outside_refer(txn::RequestReceived& event) {
  const sip::Message& refer = event.request;
  const auto refuse = [&](int status, std::string text) {
    respond(
        refer, event.txn,
        {.status = status, .code = Hangup::call_does_not_exist, .text = std::move(text), .unproven = true},
        nullptr);
  };
  if (!refer.has(sip::HeaderId::target_dialog)) {
    return refuse(
        481, "REFER must be sent inside the dialog of the call it transfers, or name it (Target-Dialog)");
  }
  const auto id = sip::DialogId::parse_target_dialog(refer.header(sip::HeaderId::target_dialog));
  if (!id) return refuse(400, "Target-Dialog: " + std::string(id.error().reason));
  const LegHandle about = find_dialog_id(*id);
  const Leg* named = legs_.find(about);
  if (named == nullptr || !named->alive()) return refuse(481, "Target-Dialog names no call here");
  if (!refer.contact()) return refuse(400, "REFER without a Contact (RFC 3515 2.2)");
  if (size() >= limits::legs_max) return refuse(503, "Too many calls");
  const LegHandle handle = legs_.emplace();
  ++live_;
  Leg& leg = legs_.at(handle);
  leg.self = handle;
  leg.state = LegState::confirmed;
  leg.refer_only = true;
  leg.end_reported = true;
  leg.party = "referrer";
  leg.source = event.source;
  leg.dialog = dialog::Dialog::from_invite(refer, cx_.rng.token(10), event.source);
  leg.refers_seen = 1;
  cx_.txns.set_owner(event.txn, handle.pack());
  index(leg);
  leg.open_refers.push_back({event.txn, std::move(event.request), true});
  emit(LegReferred{handle, event.txn, ReferTiming::good, about});
}

void Legs::release_referrer(LegHandle handle) {
  Leg* leg = legs_.find(handle);
  if (leg == nullptr || !leg->refer_only) return;
  const bool owed = std::any_of(leg->subscriptions.begin(), leg->subscriptions.end(),
                                [](const Subscription& s) { return !s.settled_reported; });
  if (!owed && leg->open_refers.empty()) finish(*leg, LegEnd::released);
}

void Legs::on_outside_request(txn::RequestReceived& event) {
  const sip::Message& request = event.request;
  switch (request.method()) {
    case sip::Method::options: {
      const int status = cx_.draining ? 503 : 200;
      return respond(request, event.txn, {.status = status}, nullptr,
                     {{sip::HeaderId::allow, {}, allowed_methods},
                      {sip::HeaderId::supported, {}, supported_tags},
                      {sip::HeaderId::accept, {}, accepted_types}});
    }
    case sip::Method::refer:
      return on_outside_refer(event);
    case sip::Method::bye:
    case sip::Method::update:
    case sip::Method::info:
    case sip::Method::prack:
    case sip::Method::notify:
      return respond(request, event.txn, {.status = 481, .code = Hangup::call_does_not_exist}, nullptr);
    case sip::Method::subscribe:
      return respond(request, event.txn, {.status = 489}, nullptr);
    case sip::Method::other:
      return respond(request, event.txn, {.status = 501}, nullptr);
    default:
      return respond(request, event.txn, {.status = 405}, nullptr);
  }
}

// ---- Requests of ours -------------------------------------------------------------------------------

// The final word on a transfer is heard before the dialog ends: a BYE on its heels may be handled first, and
// the NOTIFY refused.
void Legs::bye_after_notify(Leg& leg) {
  pump_notifies(leg, true);
  const bool unanswered = std::any_of(leg.pending.begin(), leg.pending.end(),
                                      [](const PendingRequest& p) { return p.final_notify; });
  if (!unanswered) return send_bye(leg);
  leg.state = LegState::closing;
  leg.ended_at = cx_.now;
  leg.bye_waits_for_notify = true;
  close_media(leg);
  arm(leg, LegTimer::farewell, farewell_max);
}

void Legs::send_bye(Leg& leg) {
  if (leg.bye_sent) return;
  leg.bye_sent = true;
  // The final word on a transfer goes out before the dialog ends, answered predecessor or not.
  pump_notifies(leg, true);
  leg.state = LegState::closing;
  if (!leg.ended_at) leg.ended_at = cx_.now;
  close_media(leg);
  PendingRequest bye;
  bye.method = sip::Method::bye;
  bye.draft = leg.dialog.request(sip::Method::bye, &cx_.spares);
  if (!leg.bye_reason.empty()) bye.draft.add(sip::HeaderId::reason, leg.bye_reason);
  if (leg.bye_code != 0) bye.draft.add(sip::HeaderId::x_baton_hangup_code, std::to_string(leg.bye_code));
  send_in_dialog(leg, std::move(bye));
}

void Legs::on_pending_response(Leg& leg, PendingRequest request, const sip::Message& response,
                               const Source& source) {
  const int status = response.status();
  const bool changes = request.method == sip::Method::invite || request.method == sip::Method::update;
  if (changes && status < 300) return on_change_answered(leg, request, response, source);
  if (answer_challenge(leg, request, response)) return;
  if (status < 300 && request.method == sip::Method::notify) {
    leg.dialog.refresh_target(response, source);
  }
  on_pending_failed(leg, request, status, &response);
}

bool Legs::answer_challenge(Leg& leg, PendingRequest& request, const sip::Message& response) {
  if (response.status() != 401 && response.status() != 407) return false;
  if (!leg.login || request.auth_tries >= auth_tries_max) return false;
  if (!leg.login->digest.take(response, request.auth_request)) return false;
  ++request.auth_tries;
  request.draft.set(sip::HeaderId::cseq,
                    std::to_string(++leg.dialog.local_cseq) + " " + std::string(to_string(request.method)));
  send_in_dialog(leg, std::move(request));
  return true;
}

// Also the good end of BYE and NOTIFY: what matters is that they are over.
void Legs::on_pending_failed(Leg& leg, const PendingRequest& request, int status,
                             const sip::Message* response) {
  switch (request.method) {
    case sip::Method::bye:
      return finish(leg, LegEnd::released);
    case sip::Method::notify:
      for (Subscription& subscription : leg.subscriptions) {
        if (subscription.state.cseq() == request.refer_cseq) {
          subscription.state.answered(status, request.final_notify);
        }
      }
      if (leg.bye_waits_for_notify && request.final_notify) return send_bye(leg);
      return pump_notifies(leg);
    case sip::Method::invite:
    case sip::Method::update:
      return on_change_failed(leg, request, response, status);
    case sip::Method::options:
      return on_probe_answered(leg, status);
    case sip::Method::info:
      return pump_keys(leg);
    default:
      return;
  }
}

// ---- REFER and its subscription ---------------------------------------------------------------------

const sip::Message* Legs::open_refer(LegHandle handle, txn::TxnId refer) {
  Leg* leg = legs_.find(handle);
  if (leg == nullptr) return nullptr;
  for (const OpenRefer& open : leg->open_refers) {
    if (open.txn == refer) return &open.message;
  }
  return nullptr;
}

void Legs::answer_refer(LegHandle handle, txn::TxnId refer, const Rejection& verdict,
                        const std::vector<sip::Draft::Field>& headers) {
  Leg* leg = legs_.find(handle);
  if (leg == nullptr) return;
  const auto it = std::find_if(leg->open_refers.begin(), leg->open_refers.end(),
                               [&](const OpenRefer& open) { return open.txn == refer; });
  if (it == leg->open_refers.end()) return;
  const OpenRefer open = std::move(*it);
  leg->open_refers.erase(it);
  std::vector<sip::Draft::FieldView> all;
  for (const auto& field : headers) all.push_back(field.view());
  if (verdict.status < 300) all.push_back({sip::HeaderId::contact, {}, contact_of(leg->dialog)});
  respond_with(open.message, open.txn, verdict, leg, all);
}

void Legs::subscribe(LegHandle handle, std::uint32_t refer_cseq, Duration lifetime, bool with_id) {
  Leg* leg = legs_.find(handle);
  if (leg == nullptr) return;
  leg->subscriptions.erase_if([](const Subscription& s) { return s.settled_reported; });
  leg->subscriptions.push_back({{refer_cseq, with_id || leg->refers_seen > 1, cx_.now, lifetime}, false});
}

void Legs::notify(LegHandle handle, std::uint32_t refer_cseq, int status, std::string reason) {
  Leg* leg = legs_.find(handle);
  if (leg == nullptr) return;
  for (Subscription& subscription : leg->subscriptions) {
    if (subscription.state.cseq() == refer_cseq) subscription.state.report(status, reason);
  }
  pump_notifies(*leg);
}

bool Legs::flush_notify(LegHandle handle, std::uint32_t refer_cseq) {
  Leg* leg = legs_.find(handle);
  if (leg == nullptr) return false;
  for (const Subscription& subscription : leg->subscriptions) {
    const auto& state = subscription.state;
    if (state.cseq() != refer_cseq || state.over() || state.final_sent()) continue;
    pump_notifies(*leg, true);
    return state.final_sent();
  }
  return false;
}

std::optional<Time> Legs::final_notify_at(LegHandle handle, std::uint32_t refer_cseq) {
  const Leg* leg = legs_.find(handle);
  if (leg == nullptr) return std::nullopt;
  const bool waits = std::any_of(leg->pending.begin(), leg->pending.end(), [&](const PendingRequest& p) {
    return p.waits_for_way && p.final_notify && p.refer_cseq == refer_cseq;
  });
  if (waits) return cx_.now;  // as soon as the peer is found
  for (const Subscription& subscription : leg->subscriptions) {
    if (subscription.state.cseq() == refer_cseq) return subscription.state.final_sent_at();
  }
  return std::nullopt;
}

bool Legs::notify_settled(LegHandle handle, std::uint32_t refer_cseq) {
  Leg* leg = legs_.find(handle);
  if (leg == nullptr) return true;
  for (const Subscription& subscription : leg->subscriptions) {
    if (subscription.state.cseq() == refer_cseq) return subscription.state.settled();
  }
  return true;
}

void Legs::pump_notifies(Leg& leg, bool force) {
  if (leg.state != LegState::confirmed) return;
  std::optional<Time> due;
  for (Subscription& subscription : leg.subscriptions) {
    auto& state = subscription.state;
    // In order over all subscriptions of the dialog, each waiting for its predecessor's answer.
    const bool free = std::none_of(leg.pending.begin(), leg.pending.end(),
                                   [](const PendingRequest& p) { return p.method == sip::Method::notify; });
    if (free || force) {
      if (const auto notification = state.next(cx_.now, force)) send_notify(leg, state.cseq(), *notification);
    }
    if (state.settled() && !subscription.settled_reported) {
      subscription.settled_reported = true;
      emit(LegNotified{leg.self, state.cseq()});
    }
    if (const auto next = state.next_due(); next && free && (!due || *next < *due)) due = next;
  }
  if (due) arm(leg, LegTimer::notify, *due > cx_.now ? *due - cx_.now : Duration{0});
  release_referrer(leg.self);
}

void Legs::send_notify(Leg& leg, std::uint32_t refer_cseq, const dialog::Notification& notification) {
  PendingRequest notify;
  notify.method = sip::Method::notify;
  notify.refer_cseq = refer_cseq;
  notify.final_notify = notification.final;
  notify.draft = leg.dialog.request(sip::Method::notify, &cx_.spares);
  notify.draft.add(sip::HeaderId::event, notification.event);
  notify.draft.add(sip::HeaderId::subscription_state, notification.subscription_state);
  notify.draft.body("message/sipfrag;version=2.0", notification.body);
  send_in_dialog(leg, std::move(notify));
}

// RFC 6665 4.2.1 inside the dialog: a refresh or an end of the REFER's subscription; nothing else is offered.
void Legs::on_subscribe(Leg& leg, txn::RequestReceived& event) {
  const sip::Message& request = event.request;
  const auto package = sip::TokenWithParameters::parse(request.header(sip::HeaderId::event));
  if (!package || package->token != "refer") {
    return respond(request, event.txn, {.status = 489}, &leg);
  }
  const std::string* id = sip::find_parameter(package->parameters, "id");
  const auto text = request.header(sip::HeaderId::expires);
  unsigned expires = 60;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), expires);
  if (!text.empty() && (error != std::errc{} || end != text.data() + text.size())) {
    return respond(request, event.txn, {.status = 400, .text = "Expires is not a number"}, &leg);
  }
  for (Subscription& subscription : leg.subscriptions) {
    auto& state = subscription.state;
    if (state.over() || state.final_sent()) continue;
    if (id != nullptr && *id != std::to_string(state.cseq())) continue;
    const unsigned granted = state.refresh(cx_.now, expires);
    respond(request, event.txn, {.status = 200}, &leg,
            {{sip::HeaderId::expires, {}, std::to_string(granted)},
             {sip::HeaderId::contact, {}, contact_of(leg.dialog)}});
    return pump_notifies(leg);
  }
  // RFC 3515 2.4.7: there is no such subscription to join.
  respond(request, event.txn, {.status = 403, .text = "No REFER is in progress"}, &leg);
}

}  // namespace baton::call
