#include "call/legs.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "call/reason.h"
#include "sip/text.h"

namespace baton::call {

void Legs::handle(txn::Event event) {
  if (auto* request = std::get_if<txn::RequestReceived>(&event)) return on_request(*request);
  if (auto* ack = std::get_if<txn::AckReceived>(&event)) return on_ack(*ack);
  if (auto* cancel = std::get_if<txn::CancelReceived>(&event)) return on_cancel(*cancel);
  if (auto* response = std::get_if<txn::ResponseReceived>(&event)) return on_response(*response);
  if (auto* timeout = std::get_if<txn::ClientTimeout>(&event)) {
    return on_timeout(timeout->txn, timeout->owner, 408);
  }
  if (auto* failed = std::get_if<txn::ClientTransportFailed>(&event)) {
    return on_timeout(failed->txn, failed->owner, 503);
  }
}

std::optional<LegEvent> Legs::take_event() {
  if (events_.empty()) return std::nullopt;
  return events_.take();
}

void Legs::collect() {
  // What nobody answered while the dialog ended is answered now: every request is.
  for (const LegHandle handle : unanswered_) {
    Leg* leg = legs_.find(handle);
    if (leg == nullptr) continue;
    for (const OpenRefer& open : leg->open_refers) {
      respond(open.message, open.txn, {.status = 481, .text = "The dialog has ended"}, leg);
    }
    leg->open_refers.clear();
  }
  unanswered_.clear();
  for (const LegHandle handle : ended_) {
    Leg* leg = legs_.find(handle);
    if (leg == nullptr) continue;
    unindex(*leg);
    legs_.erase(handle);
  }
  ended_.clear();
  for (const LegHandle handle : lingering_) {
    Leg* leg = legs_.find(handle);
    if (leg == nullptr) continue;
    timers_.arm(leg->accepted_until, handle.pack(), static_cast<std::uint8_t>(LegTimer::linger));
    remains_.emplace(handle.pack(), std::move(static_cast<LegRemains&>(*leg)));
    legs_.erase(handle);
  }
  lingering_.clear();
  sweep_timers();
}

// ---- Timers -----------------------------------------------------------------------------------------

void Legs::arm(Leg& leg, LegTimer timer, Duration after) {
  const auto kind = static_cast<std::size_t>(timer);
  const Time at = cx_.now + std::max(after, Duration{0});
  leg.timers[kind] = timers_.arm(at, leg.self.pack(), static_cast<std::uint8_t>(kind));
}

void Legs::disarm(Leg& leg, LegTimer timer) {
  leg.timers[static_cast<std::size_t>(timer)] = 0;
}

void Legs::advance() {
  while (const auto entry = timers_.pop_due(cx_.now)) {
    if (!is_live(*entry)) continue;
    Leg* leg = legs_.find(LegHandle::unpack(entry->owner));
    if (leg == nullptr) {
      const auto over = remains_.find(entry->owner);
      unindex(over->second);
      remains_.erase(over);
      continue;
    }
    leg->timers[entry->kind] = 0;
    on_timer(*leg, static_cast<LegTimer>(entry->kind));
  }
}

// A session timer outlives most calls: nobody is woken for one that is stale, nor do they pile up.
void Legs::sweep_timers() {
  constexpr std::size_t stale_tolerated = 1'024;
  while (const TimerQueue::Entry* top = timers_.top()) {
    if (is_live(*top)) break;
    (void)timers_.pop_due(top->at);
  }
  if (timers_.size() <= 8 * size() + stale_tolerated) return;
  timers_.sweep([this](const TimerQueue::Entry& entry) { return is_live(entry); });
}

bool Legs::is_live(const TimerQueue::Entry& entry) const {
  if (const Leg* leg = legs_.find(LegHandle::unpack(entry.owner)))
    return leg->timers[entry.kind] == entry.name();
  return static_cast<LegTimer>(entry.kind) == LegTimer::linger && remains_.contains(entry.owner);
}

void Legs::on_timer(Leg& leg, LegTimer timer) {
  switch (timer) {
    case LegTimer::no_answer:
      if (leg.state != LegState::inviting) return;
      hang_up(leg.self, {.reason = "SIP;cause=408;text=\"No answer\""});
      return fail(leg, 408, "No answer", false);
    case LegTimer::unheard:
      // RFC 3263 4.3: the next target, long before the transaction would give up. What comes late from this
      // one is cancelled, or acknowledged and ended.
      if (leg.state != LegState::inviting || leg.heard) return;
      leg.fate_told = true;
      emit(LegTarget{
          {leg.inviting->to.transport, leg.inviting->to.remote}, LegTarget::Fate::unreachable, Duration{}});
      hang_up(leg.self, {.reason = "SIP;cause=408;text=\"No response\""});
      return fail(leg, 408, "No response", true);
    case LegTimer::resend_2xx:
      cx_.txns.resend(cx_.now, leg.unacked);
      leg.resend_interval = std::min<Duration>(leg.resend_interval * 2, cx_.timers.t2);
      return arm(leg, timer, leg.resend_interval);
    case LegTimer::ack_wait:
      // RFC 3261 13.3.1.4: the dialog is confirmed all the same, so it is ended by a BYE.
      disarm(leg, LegTimer::resend_2xx);
      leg.unacked = {};
      if (leg.state == LegState::answered || leg.state == LegState::confirmed) {
        leg.bye_reason = "SIP;cause=408;text=\"No ACK\"";
        send_bye(leg);
        if (!leg.end_reported) emit(LegEnded{leg.self, LegEnd::lost, {}});
        leg.end_reported = true;
        return;
      }
      return send_bye(leg);
    case LegTimer::held_refer: {
      if (!std::exchange(leg.refer_held, false)) return;
      const auto timing = leg.state == LegState::closing ? ReferTiming::too_late : ReferTiming::too_early;
      for (OpenRefer& open : leg.open_refers) {
        if (!std::exchange(open.reported, true)) emit(LegReferred{leg.self, open.txn, timing});
      }
      return;
    }
    case LegTimer::reoffer:
      return try_reoffer(leg);
    case LegTimer::notify:
      return pump_notifies(leg);
    case LegTimer::farewell:
      return send_bye(leg);
    case LegTimer::reliable:
      return repeat_reliable(leg);
    case LegTimer::provisional:
      return repeat_progress(leg);
    case LegTimer::probe:
      return probe(leg.self);
    case LegTimer::refresh:
      return send_refresh(leg);
    case LegTimer::session_over:
      return on_session_over(leg);
    case LegTimer::linger:  // of what remains
    case LegTimer::count:
      break;
  }
}

// ---- The end of a leg -------------------------------------------------------------------------------

void Legs::finish(Leg& leg, LegEnd how, std::string reason) {
  if (leg.state == LegState::ended) return;
  leg.state = LegState::ended;
  --live_;
  if (!leg.ended_at) leg.ended_at = cx_.now;
  close_media(leg);
  leg.timers.fill(0);
  leg.inviting.reset();
  // What was still to be said is of no use to anybody.
  std::erase_if(leg.pending, [](const PendingRequest& p) { return p.waits_for_way; });
  for (OpenRefer& open : leg.open_refers) {
    if (std::exchange(open.reported, true)) continue;
    emit(LegReferred{leg.self, open.txn, ReferTiming::too_late});
  }
  if (!leg.open_refers.empty()) unanswered_.push_back(leg.self);
  if (!leg.end_reported) emit(LegEnded{leg.self, how, std::move(reason)});
  for (Subscription& subscription : leg.subscriptions) {
    subscription.state.abandon();
    if (subscription.settled_reported) continue;
    subscription.settled_reported = true;
    emit(LegNotified{leg.self, subscription.state.cseq()});
  }
  leg.end_reported = true;
  collect_when_quiet(leg);
}

// A leg that has ended stays until its last request has been answered or given up, and what remains of it
// until its answer can no longer be repeated: a repeat wants its ACK, and nothing else.
void Legs::collect_when_quiet(Leg& leg) {
  if (leg.state != LegState::ended || !leg.pending.empty()) return;
  (leg.accepted_until > cx_.now ? lingering_ : ended_).push_back(leg.self);
}

// The call learns of the failure now; the leg may linger to see its INVITE off.
void Legs::fail(Leg& leg, int status, std::string reason, bool unreachable, bool ours) {
  leg.final_status = status;
  if (!leg.end_reported) emit(LegFailed{leg.self, status, std::move(reason), unreachable, ours});
  leg.end_reported = true;
  if (leg.state == LegState::inviting || leg.state == LegState::preparing) finish(leg, LegEnd::released);
}

void Legs::hang_up(LegHandle handle, const Goodbye& goodbye) {
  Leg* found = legs_.find(handle);
  if (found == nullptr || !found->alive()) return;
  Leg& leg = *found;
  // The first reason stands.
  if (leg.state == LegState::closing || leg.state == LegState::withdrawing) return;
  leg.bye_reason = goodbye.reason;
  if (!q850_cause(leg.bye_reason)) {
    if (!leg.bye_reason.empty()) leg.bye_reason += ", ";
    leg.bye_reason += q850_reason(q850_for_hangup(goodbye.code));
  }
  leg.bye_code = static_cast<int>(goodbye.code);
  switch (leg.state) {
    case LegState::preparing:
      return finish(leg, LegEnd::released);
    case LegState::inviting:
      leg.state = LegState::withdrawing;
      leg.ended_at = cx_.now;
      disarm(leg, LegTimer::no_answer);
      close_media(leg);
      return cx_.txns.cancel(cx_.now, leg.invite, leg.bye_reason);
    case LegState::offered:
      return reject(handle,
                    {.status = goodbye.reject_status,
                     .code = goodbye.code,
                     .q850 = q850_cause(goodbye.reason).value_or(q850_for_status(goodbye.reject_status))});
    case LegState::answered:
      if (!leg.outgoing) {
        // RFC 3261 15: the callee may not send BYE before the ACK, or before giving up on it.
        leg.state = LegState::closing;
        leg.ended_at = cx_.now;
        return close_media(leg);
      }
      acknowledge(handle);
      return send_bye(leg);
    case LegState::confirmed:
      return goodbye.notified ? send_bye(leg) : bye_after_notify(leg);
    case LegState::withdrawing:
    case LegState::closing:
    case LegState::ended:
      return;
  }
}

void Legs::flow_closed(FlowId flow) {
  if (flow == 0) return;
  legs_.for_each([&](LegHandle, Leg& leg) {
    if (leg.dialog.next_hop.flow == flow) leg.dialog.next_hop.flow = 0;
    if (leg.source.flow == flow) leg.source.flow = 0;
  });
  for (auto& [handle, remains] : remains_) {
    if (remains.dialog.next_hop.flow == flow) remains.dialog.next_hop.flow = 0;
  }
}

// ---- Finding ----------------------------------------------------------------------------------------

void Legs::index(Leg& leg) {
  by_call_id_.emplace(hash_.hash(leg.dialog.call_id), leg.self);
}

void Legs::unindex(const LegRemains& leg) {
  auto [first, last] = by_call_id_.equal_range(hash_.hash(leg.dialog.call_id));
  const auto it = std::find_if(first, last, [&](const auto& entry) { return entry.second == leg.self; });
  if (it != last) by_call_id_.erase(it);
}

const LegRemains* Legs::find_remains(LegHandle handle) const {
  if (const Leg* leg = legs_.find(handle)) return leg;
  const auto found = remains_.find(handle.pack());
  return found == remains_.end() ? nullptr : &found->second;
}

Leg* Legs::find_dialog(const sip::Message& request) {
  auto [first, last] = by_call_id_.equal_range(hash_.hash(request.call_id()));
  Leg* early = nullptr;
  for (auto it = first; it != last; ++it) {
    Leg* leg = legs_.find(it->second);
    if (leg == nullptr || !leg->alive() || leg->dialog.call_id != request.call_id()) continue;
    if (leg->dialog.matches_request(request)) return leg;
    const bool ours = leg->outgoing && request.to_tag() == leg->dialog.local_tag;
    if (ours && leg->inviting && !leg->inviting->other_early.empty() &&
        switch_early(*leg, request.from_tag()))
      return leg;
    // The peer's tag is not known yet: its request overtook the response that makes the dialog.
    if (leg->outgoing && leg->dialog.remote_tag.empty() && request.to_tag() == leg->dialog.local_tag) {
      early = leg;
    }
  }
  return early;
}

LegHandle Legs::find_by_name(const sip::Message& message) const {
  const bool asked = message.is_request();
  const std::string_view our_tag = asked ? message.to_tag() : message.from_tag();
  const std::string_view their_tag = asked ? message.from_tag() : message.to_tag();
  auto [first, last] = by_call_id_.equal_range(hash_.hash(message.call_id()));
  for (auto it = first; it != last; ++it) {
    const LegRemains* leg = find_remains(it->second);
    if (leg == nullptr || leg->dialog.call_id != message.call_id()) continue;
    // A request without a To tag is the INVITE that makes the dialog, or its CANCEL.
    const bool same =
        our_tag.empty() ? leg->dialog.remote_tag == their_tag : leg->dialog.local_tag == our_tag;
    if (same) return it->second;
  }
  return {};
}

LegHandle Legs::find_dialog_id(const sip::DialogId& id) const {
  auto [first, last] = by_call_id_.equal_range(hash_.hash(id.call_id));
  for (auto it = first; it != last; ++it) {
    const LegRemains* leg = find_remains(it->second);
    if (leg == nullptr || leg->dialog.call_id != id.call_id) continue;
    const std::string& ours = leg->dialog.local_tag;
    const std::string& theirs = leg->dialog.remote_tag;
    const bool same =
        (id.to_tag == ours && id.from_tag == theirs) || (id.from_tag == ours && id.to_tag == theirs);
    if (same) return it->second;
  }
  return {};
}

bool Legs::knows_call_id(const std::string& call_id, const std::string& account_id) const {
  auto [first, last] = by_call_id_.equal_range(hash_.hash(call_id));
  return std::any_of(first, last, [&](const auto& entry) {
    const LegRemains* leg = find_remains(entry.second);
    return leg != nullptr && leg->dialog.call_id == call_id && leg->account_id == account_id;
  });
}

// ---- What every message of ours says about us ----------------------------------------------------

std::optional<SocketAddress> Legs::local_for(Transport transport, bool v6) const {
  for (const Listener& listener : cx_.listeners) {
    if (listener.transport == transport && listener.advertised.ip.v6 == v6) return listener.advertised;
  }
  return std::nullopt;
}

std::string_view Legs::contact_of(const dialog::Dialog& dialog) const {
  const Destination& to = dialog.next_hop;
  contact_ = dialog.sips ? "<sips:baton@" : "<sip:baton@";
  to.local.append_to(contact_);
  if (!dialog.sips && to.transport != Transport::udp)
    contact_.append(";transport=").append(to_string(to.transport));
  return contact_.append(">");
}

void Legs::add_our_headers(sip::Draft& draft, const Leg& leg) const {
  draft.set(sip::HeaderId::contact, contact_of(leg.dialog));
  draft.set(sip::HeaderId::allow, allowed_methods);
  draft.set(sip::HeaderId::supported, supported_of(leg));
}

void Legs::respond_with(const sip::Message& request, txn::TxnId txn, const Rejection& verdict, Leg* leg,
                        std::span<const sip::Draft::FieldView> headers) {
  const std::string tag = leg != nullptr ? leg->dialog.local_tag : cx_.rng.token(10);
  sip::Draft response = sip::make_response(request, verdict.status, tag);
  if (verdict.challenge) {
    for (const auto& challenge : cx_.digest.challenges(cx_.now, verdict.realm, verdict.stale,
                                                       verdict.algorithms, verdict.challenged)) {
      response.add(sip::HeaderId::www_authenticate, challenge.to_string());
    }
  }
  if (verdict.status == 405 || verdict.status == 501) response.add(sip::HeaderId::allow, allowed_methods);
  if (verdict.status == 489) response.add(sip::HeaderId::allow_events, "refer");
  if (verdict.retry_after_s != 0) {
    response.add(sip::HeaderId::retry_after, std::to_string(verdict.retry_after_s));
  }
  if (verdict.min_se_s != 0) response.add(sip::HeaderId::min_se, std::to_string(verdict.min_se_s));
  if (verdict.q850 != 0) response.add(sip::HeaderId::reason, q850_reason(verdict.q850));
  if (!verdict.require.empty()) response.add(sip::HeaderId::require, verdict.require);
  if (!verdict.text.empty()) {
    const auto local = cx_.listeners.empty() ? SocketAddress{} : cx_.listeners.front().advertised;
    response.add(sip::HeaderId::warning,
                 std::to_string(verdict.warning) + " " + local.to_string() + " " + sip::quote(verdict.text));
  }
  if (verdict.code != Hangup::none) {
    response.add(sip::HeaderId::x_baton_hangup_code, std::to_string(static_cast<int>(verdict.code)));
  }
  for (const auto& field : headers) response.add(field);
  response.set(sip::HeaderId::server, cx_.user_agent);
  // An INVITE refused at sight comes from anybody: no timer repeats the answer to a forged source (26.3.2.4).
  const bool at_sight = leg == nullptr && request.method() == sip::Method::invite && request.to_tag().empty();
  if (verdict.unproven || at_sight) return cx_.txns.respond_once(cx_.now, txn, std::move(response));
  cx_.txns.respond(cx_.now, txn, std::move(response));
}

std::string unsupported_extensions(const sip::Message& request) {
  std::string missing;
  for (const auto tag : request.elements(sip::HeaderId::require)) {
    std::string_view known = supported_tags;
    bool found = false;
    while (!known.empty() && !found) {
      const std::string_view one = known.substr(0, known.find(','));
      found = sip::text::equals_ignoring_case(tag, sip::text::trim(one));
      known.remove_prefix(std::min(one.size() + 1, known.size()));
    }
    if (!found) missing.append(missing.empty() ? "" : ", ").append(tag);
  }
  return missing;
}

}  // namespace baton::call
