// Legs: changes to a session that is there or being made: re-INVITE (RFC 3261 14) and UPDATE (RFC 3311), the
// peer's and ours.
#include <algorithm>
#include <charconv>

#include "call/legs.h"

namespace baton::call {
namespace {

constexpr Duration retry_least = 10s;  // a refresh that was refused for now
constexpr Duration retry_most = 60s;

Duration retry_after(const sip::Message* response) {
  if (response == nullptr) return retry_least;
  const auto text = response->header(sip::HeaderId::retry_after);
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc{} || seconds < 0 || seconds > 60) return retry_least;
  return std::clamp<Duration>(std::chrono::seconds(seconds), retry_least, retry_most);
}

}  // namespace

// Whatever the peer says about itself in passing.
void Legs::learn_peer(Leg& leg, const sip::Message& message) {
  if (!message.has(sip::HeaderId::allow)) return;
  leg.peer_updates = !leg.update_refused && message.lists(sip::HeaderId::allow, "UPDATE");
}

// ---- The peer's --------------------------------------------------------------------------------------

void Legs::on_offer_or_refresh(Leg& leg, txn::RequestReceived& event) {
  const sip::Message& request = event.request;
  const bool invite = request.method() == sip::Method::invite;
  const std::string_view text = sdp_of(request);
  const auto refuse = [&](const Rejection& verdict) { respond(request, event.txn, verdict, &leg); };
  const auto later = [&](std::string why) {
    refuse({.status = 500,
            .text = std::move(why),
            .retry_after_s = static_cast<unsigned>(cx_.rng.between(1, 10))});
  };
  if (const auto least = leg.session.too_small(request)) {
    return refuse({.status = 422, .min_se_s = *least});
  }
  const bool early = leg.state == LegState::offered || leg.state == LegState::inviting;
  if (invite || !text.empty()) {
    // An offer of ours is unanswered: the two have crossed (RFC 3261 14.2, RFC 3311 5.2).
    const bool ours = leg.reoffering || (leg.unacked && leg.offer_in_2xx) ||
                      (leg.state == LegState::inviting && !leg.early_settled);
    if (ours || (invite && leg.state == LegState::inviting)) return refuse({.status = 491});
    // One of the peer's is.
    if (invite && (leg.unacked || early)) return later("The last INVITE is not done with yet");
    if (early && !leg.early_settled) return later("The last offer is not answered yet");
  }
  if (text.empty()) {
    leg.dialog.refresh_target(request, event.source);
    learn_peer(leg, request);
    if (invite) {
      // An offerless re-INVITE gets a fresh, full offer, not a mirror of a hold (RFC 6337 5.2.5).
      leg.offer_in_2xx = true;
      return send_2xx(leg, event.txn, request, make_offer(leg, leg.wanted));
    }
    return send_update_2xx(leg, event.txn, request, {});
  }
  if (const auto refusal = take_offer(leg, text)) return refuse(*refusal);
  // Only what is accepted changes anything (14.2).
  leg.dialog.refresh_target(request, event.source);
  learn_peer(leg, request);
  if (invite) {
    send_2xx(leg, event.txn, request, leg.last_sdp);
  } else {
    send_update_2xx(leg, event.txn, request, leg.last_sdp);
  }
  emit(LegUpdated{leg.self});
}

void Legs::send_update_2xx(Leg& leg, txn::TxnId txn, const sip::Message& request, std::string_view sdp) {
  sip::Draft ok = sip::make_response(request, 200, leg.dialog.local_tag);
  add_our_headers(ok, leg);
  ok.set(sip::HeaderId::server, cx_.user_agent);
  if (!sdp.empty()) ok.body("application/sdp", sdp);
  // Before the call is up there is no session to refresh (RFC 4028 7.4).
  const bool in_call = leg.in_call();
  if (in_call) leg.session.answer(request, ok);
  cx_.txns.respond(cx_.now, txn, std::move(ok));
  if (in_call) restart_session(leg);
}

// ---- Ours --------------------------------------------------------------------------------------------

void Legs::on_change_answered(Leg& leg, const PendingRequest& request, const sip::Message& response,
                              const Source& source) {
  // The new target first: the ACK goes there (RFC 3261 12.2.1.2).
  leg.dialog.refresh_target(response, source);
  learn_peer(leg, response);
  if (request.method == sip::Method::invite) {
    leg.accepted_until = cx_.now + cx_.timers.t1 * 64;
    acknowledge(leg, response.cseq().number, sip::credentials_of(request.draft));
  }
  const bool offered = !request.draft.body().empty();
  if (offered) leg.reoffering = false;
  if (leg.state != LegState::confirmed) return;
  leg.session.take(response);
  restart_session(leg);
  const sdp::Direction wish = leg.wish;
  if (offered && !take_answer(leg, sdp_of(response))) {
    restore_offer(leg);
    cx_.world.log({Severity::warning, "leg.reoffer_unusable", {{"party", leg.party}}});
  }
  if (leg.wish != wish && !leg.offered_as_echo) emit(LegWishChanged{leg.self});
  if (offered) leg.before_offer.reset();
  if (leg.reoffer_wanted) try_reoffer(leg);
}

// A change that is refused leaves the session as it was (RFC 3261 14.1).
void Legs::on_change_failed(Leg& leg, PendingRequest request, const sip::Message* response, int status) {
  const bool offered = !request.draft.body().empty();
  if (status == 422 && leg.state == LegState::confirmed && response != nullptr &&
      request.interval_tries < interval_tries_max && leg.session.raise(*response)) {
    ++request.interval_tries;
    request.draft.set(sip::HeaderId::cseq,
                      std::to_string(++leg.dialog.local_cseq) + " " + std::string(to_string(request.method)));
    return send_in_dialog(leg, std::move(request));
  }
  if (offered) {
    leg.reoffering = false;
    restore_offer(leg);
  }
  if (leg.state != LegState::confirmed) return;
  // UPDATE has to be answered at once; a peer that would have to ask its user first wants a re-INVITE (RFC
  // 3311 5.2). Others say that they allow it and do not, with whatever status; even a 481 may mean no more.
  const bool for_now = status == 401 || status == 407 || status == 408 || status == 422 || status == 491;
  if (request.method == sip::Method::update && response != nullptr && !for_now) {
    leg.update_refused = true;
    leg.peer_updates = false;
    return request.refresh ? send_refresh(leg) : try_reoffer(leg);
  }
  if (status == 481 || status == 408) return lose(leg);
  const LegTimer again = request.refresh ? LegTimer::refresh : LegTimer::reoffer;
  if (status == 491) {
    // RFC 3261 14.1: who owns the Call-ID waits longer, so the two do not meet again.
    const auto wait_ms = leg.outgoing ? cx_.rng.between(210, 400) * 10 : cx_.rng.between(0, 200) * 10;
    return arm(leg, again, std::chrono::milliseconds(wait_ms));
  }
  if (request.refresh) arm(leg, LegTimer::refresh, retry_after(response));
  if (leg.reoffer_wanted) try_reoffer(leg);
}

// The peer has no such dialog any more, or does not answer.
void Legs::lose(Leg& leg) {
  if (!leg.end_reported) emit(LegEnded{leg.self, LegEnd::lost, {}});
  leg.end_reported = true;
  send_bye(leg);
}

}  // namespace baton::call
