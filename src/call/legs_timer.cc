// Legs: session timers (RFC 4028): refreshing the session, and ending one that nobody refreshes.
#include <algorithm>

#include "call/legs.h"

namespace baton::call {
namespace {

// Something else is under way in the dialog; it may refresh the session itself.
constexpr Duration busy_wait = 2s;

constexpr Duration probe_interval = 60s;
constexpr Duration probe_again = 10s;  // after one that failed
constexpr unsigned probes_failed_max = 2;

}  // namespace

// The interval counts from the 2xx to whatever refreshed the session last (RFC 4028 7.2, 9).
void Legs::restart_session(Leg& leg) {
  disarm(leg, LegTimer::refresh);
  disarm(leg, LegTimer::session_over);
  if (!leg.session.active()) return;
  if (leg.session.we_refresh()) arm(leg, LegTimer::refresh, leg.session.refresh_after());
  arm(leg, LegTimer::session_over, leg.session.over_after());
}

void Legs::send_refresh(Leg& leg) {
  if (leg.state != LegState::confirmed || !leg.session.we_refresh()) return;
  const bool refreshing =
      std::any_of(leg.pending.begin(), leg.pending.end(), [](const PendingRequest& p) { return p.refresh; });
  if (refreshing || leg.reoffering || leg.unacked) return arm(leg, LegTimer::refresh, busy_wait);
  PendingRequest request;
  request.refresh = true;
  request.method = leg.peer_updates ? sip::Method::update : sip::Method::invite;
  request.draft = leg.dialog.request(request.method, &cx_.spares);
  if (request.method == sip::Method::invite) {
    // Word for word what was said last: the same o= line tells the peer that nothing changes (7.4).
    leg.before_offer = std::make_unique<const Leg::Said>(Leg::Said{leg.local, leg.last_sdp, leg.offered});
    leg.reoffering = true;
    leg.offered_as_echo = false;
    request.draft.body("application/sdp", leg.last_sdp);
  }
  send_in_dialog(leg, std::move(request));
}

void Legs::probe(LegHandle handle) {
  Leg* leg = legs_.find(handle);
  if (leg == nullptr || leg->state != LegState::confirmed) return;
  const bool holds = leg->remote && leg->remote->direction != sdp::Direction::sendrecv;
  const bool asked = std::any_of(leg->pending.begin(), leg->pending.end(),
                                 [](const PendingRequest& p) { return p.method == sip::Method::options; });
  if (!holds) leg->probes_failed = 0;
  if (!holds || asked) return;
  PendingRequest request;
  request.method = sip::Method::options;
  request.draft = leg->dialog.request(sip::Method::options, &cx_.spares);
  send_in_dialog(*leg, std::move(request));
}

void Legs::on_probe_answered(Leg& leg, int status) {
  if (leg.state != LegState::confirmed) return;
  const bool failed = status == 481 || status == 408;
  if (!failed) leg.probes_failed = 0;
  // Not every peer serves OPTIONS inside a dialog; where sessions are refreshed, that finds out better.
  if (!failed || leg.session.active()) return arm(leg, LegTimer::probe, probe_interval);
  if (++leg.probes_failed >= probes_failed_max) return lose(leg);
  arm(leg, LegTimer::probe, probe_again);
}

void Legs::on_session_over(Leg& leg) {
  if (leg.state != LegState::confirmed) return;
  leg.bye_reason = "SIP;cause=408;text=\"Session timer expired\"";
  leg.bye_code = static_cast<int>(Hangup::request_timeout);
  lose(leg);
}

}  // namespace baton::call
