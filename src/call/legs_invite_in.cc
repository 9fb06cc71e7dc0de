// Legs: the callee's side of an INVITE (RFC 3261 13.3), and who gets which request.
#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/limits.h"
#include "call/legs.h"

namespace baton::call {

namespace {

// What is wrong with any request, before anyone asks what it is for (RFC 3261 8.2.1 to 8.2.3).
struct FirstLook {
  Rejection verdict;
  std::string unsupported{};
};

std::optional<FirstLook> refused_at_sight(const sip::Message& request) {
  // Inside a dialog its tags say whose it is, and the Request-URI is our own Contact. What it requires is the
  // dialog's affair: a REFER refused for it is put on record.
  if (!request.to_tag().empty()) return std::nullopt;
  const auto uri = sip::Uri::parse(request.request_uri());
  if (!uri) {
    return FirstLook{
        {.status = uri.error().status, .code = Hangup::bad_request, .text = std::string(uri.error().reason)}};
  }
  if (!uri->headers.empty()) {  // 19.1.1: they have no place there, and must not become headers of ours
    return FirstLook{
        {.status = 400, .code = Hangup::bad_request, .text = "Headers in the Request-URI (RFC 3261 19.1.1)"}};
  }
  if (request.method() == sip::Method::other || request.method() == sip::Method::register_) {
    return std::nullopt;  // the method is refused, whatever it asks for
  }
  if (uri->scheme == sip::Scheme::other) {
    return FirstLook{
        {.status = 416, .code = Hangup::bad_request, .text = "Only sip, sips and tel URIs are served"}};
  }
  if (std::string tags = unsupported_extensions(request); !tags.empty()) {
    return FirstLook{{.status = 420, .code = Hangup::bad_request}, std::move(tags)};
  }
  return std::nullopt;
}

}  // namespace

void Legs::on_request(txn::RequestReceived& event) {
  const sip::Message& request = event.request;
  if (const auto look = refused_at_sight(request)) {
    if (look->unsupported.empty()) return respond(request, event.txn, look->verdict, nullptr);
    return respond(request, event.txn, look->verdict, nullptr,
                   {{sip::HeaderId::unsupported, {}, look->unsupported}});
  }
  const bool in_dialog = !request.to_tag().empty();
  if (!in_dialog) {
    return request.method() == sip::Method::invite ? on_new_invite(event) : on_outside_request(event);
  }
  Leg* leg = find_dialog(request);
  if (leg == nullptr) {
    return respond(request, event.txn,
                   {.status = 481, .code = Hangup::call_does_not_exist, .text = "There is no such call here"},
                   nullptr);
  }
  cx_.txns.set_owner(event.txn, leg->self.pack());
  on_dialog_request(*leg, event);
}

void Legs::on_new_invite(txn::RequestReceived& event) {
  const sip::Message& invite = event.request;
  const auto refuse = [&](const Rejection& rejection) { respond(invite, event.txn, rejection, nullptr); };
  if (size() >= limits::legs_max) {
    return refuse({.status = 503, .code = Hangup::unavailable, .text = "Too many calls", .retry_after_s = 5});
  }
  if (!invite.contact()) {
    return refuse(
        {.status = 400, .code = Hangup::bad_request, .text = "INVITE without a Contact (RFC 3261 8.1.1.8)"});
  }
  if (const auto hops = invite.max_forwards(); !hops) {
    return refuse({.status = hops.error().status,
                   .code = Hangup::bad_request,
                   .text = std::string(hops.error().reason)});
  } else if (*hops == 0) {
    return refuse({.status = 483, .code = Hangup::too_many_hops});
  }
  if (refuse_unserved(invite, event.txn, nullptr)) return;
  if (is_own_invite(invite)) return refuse({.status = 482, .code = Hangup::loop_detected});
  const LegHandle handle = legs_.emplace();
  ++live_;
  Leg& leg = legs_.at(handle);
  leg.self = handle;
  leg.state = LegState::offered;
  leg.party = "caller";
  leg.source = event.source;
  leg.invite = event.txn;
  leg.invite_cseq = invite.cseq().number;
  leg.dialog = dialog::Dialog::from_invite(invite, cx_.rng.token(10), event.source);
  cx_.txns.set_owner(event.txn, handle.pack());
  index(leg);

  learn_peer(leg, invite);
  leg.request = std::move(event.request);
  if (const std::string_view text = sdp_of(*leg.request); !text.empty()) {
    // What nobody could be served with; what this caller may have is asked when it is known (set_terms).
    auto offer = read_offer(text, {});
    if (!offer) {
      leg.end_reported = true;  // the call layer never hears of it
      offer.error().unproven = true;
      respond(*leg.request, leg.invite, offer.error(), &leg);
      return finish(leg, LegEnd::released);
    }
    leg.remote = std::move(*offer);
  }
  emit(LegOffered{handle});
}

// An INVITE of ours that comes back to where it was made has gone round in a circle (RFC 3261 16.3, for lack
// of a Via of ours that would tell: 482). To another number it is a spiral, and welcome.
bool Legs::is_own_invite(const sip::Message& invite) const {
  const auto asked = sip::Uri::parse(invite.request_uri());
  const auto [first, last] = by_call_id_.equal_range(hash_.hash(invite.call_id()));
  return std::any_of(first, last, [&](const auto& entry) {
    const Leg* leg = legs_.find(entry.second);
    if (leg == nullptr || !leg->outgoing || leg->dialog.call_id != invite.call_id()) return false;
    if (leg->dialog.local_tag != invite.from_tag()) return false;
    return asked && leg->asked_hash == hash_of_user(*asked);
  });
}

std::optional<Rejection> Legs::set_terms(LegHandle handle, const trunk::SipSettings& terms,
                                         const trunk::MediaSettings& media) {
  Leg* leg = legs_.find(handle);
  if (leg == nullptr || leg->state != LegState::offered) return std::nullopt;
  leg->sip = terms;
  leg->srtp_rules = srtp_rules_for(*leg, terms);
  leg->media_terms = media;
  leg->session = dialog::SessionTimer(terms.session_expires, terms.min_se);
  if (const auto least = leg->session.too_small(*leg->request)) {
    return Rejection{.status = 422, .min_se_s = *least};
  }
  const bool reliable = leg->request->lists(sip::HeaderId::supported, "100rel") ||
                        leg->request->lists(sip::HeaderId::require, "100rel");
  if (terms.reliable_provisionals == trunk::ReliableProvisionals::required && !reliable) {
    return Rejection{.status = 421, .require = "100rel"};
  }
  if (const std::string_view text = sdp_of(*leg->request); !text.empty()) {
    auto offer = read_offer(text, leg->srtp_rules);
    if (!offer) return offer.error();
    leg->remote = std::move(*offer);
  }
  if (leg->remote && !serves(*leg, *leg->remote)) return no_codec;
  return std::nullopt;
}

void Legs::prepare(LegHandle handle, media::EndpointId beside) {
  Leg* leg = legs_.find(handle);
  if (leg == nullptr || leg->state != LegState::offered || leg->media != 0) return;
  open_media(*leg, leg->source.local.ip.v6, beside);
  arm(*leg, LegTimer::provisional, 60s);
}

void Legs::answer(LegHandle handle, const sdp::Codecs& wanted) {
  Leg* found = legs_.find(handle);
  if (found == nullptr || found->state != LegState::offered) return;
  Leg& leg = *found;
  if (!leg.media_ready) {
    return reject(handle,
                  {.status = 503, .code = Hangup::nomedia, .text = "No media port", .retry_after_s = 5});
  }
  leg.wanted = wanted;
  if (leg.unpracked) leg.unpracked->next.reset();
  // Not before the PRACK of a response with a description (RFC 3262 3).
  if (leg.unpracked && leg.unpracked->sdp) {
    leg.answer_waits = true;
    return;
  }
  leg.answer_waits = false;
  disarm(leg, LegTimer::reliable);
  disarm(leg, LegTimer::provisional);
  std::string_view sdp;
  if (leg.early_settled) {
    // All has been said (RFC 3262 5).
  } else if (leg.described) {
    sdp = leg.last_sdp;  // what a 18x said already is said again, unchanged (RFC 3261 13.2.1)
  } else if (leg.remote) {
    leg.described = true;
    sdp = make_answer(leg, wanted);
  } else {
    leg.offer_in_2xx = true;
    sdp = make_offer(leg, wanted);
  }
  leg.state = LegState::answered;
  leg.final_status = 200;
  send_2xx(leg, leg.invite, *leg.request, sdp);
  leg.request.reset();
}

// The 2xx to the first INVITE or to a re-INVITE: repeated until the ACK, over every transport (13.3.1.4).
void Legs::send_2xx(Leg& leg, txn::TxnId txn, const sip::Message& request, std::string_view sdp) {
  sip::Draft response = sip::make_response(request, 200, leg.dialog.local_tag);
  for (const auto element : request.elements(sip::HeaderId::record_route)) {
    response.add(sip::HeaderId::record_route, element);
  }
  add_our_headers(response, leg);
  response.set(sip::HeaderId::server, cx_.user_agent);
  if (!sdp.empty()) response.body("application/sdp", sdp);
  leg.session.answer(request, response);
  leg.unacked = txn;
  leg.unacked_cseq = request.cseq().number;
  leg.resend_interval = cx_.timers.t1;
  cx_.txns.respond(cx_.now, txn, std::move(response));
  arm(leg, LegTimer::resend_2xx, cx_.timers.t1);
  arm(leg, LegTimer::ack_wait, cx_.timers.t1 * 64);
  restart_session(leg);
}

void Legs::on_ack(txn::AckReceived& event) {
  Leg* found = find_dialog(event.ack);
  if (found == nullptr || !found->unacked || event.ack.cseq().number != found->unacked_cseq) return;
  Leg& leg = *found;
  leg.unacked = {};
  disarm(leg, LegTimer::resend_2xx);
  disarm(leg, LegTimer::ack_wait);
  leg.source = event.source;
  const bool first = leg.state == LegState::answered;
  if (leg.state == LegState::closing) return send_bye(leg);
  if (leg.offer_in_2xx) {
    leg.offer_in_2xx = false;
    if (!take_answer(leg, sdp_of(event.ack))) {
      // Answered without a usable description: there can be no audio, so there is no call (RFC
      // 3261 13.3.1.4).
      leg.bye_reason = "SIP;cause=488;text=\"No usable answer in the ACK\"";
      if (!leg.end_reported) emit(LegEnded{leg.self, LegEnd::lost, {}});
      leg.end_reported = true;
      leg.state = LegState::confirmed;
      return send_bye(leg);
    }
    emit(LegUpdated{leg.self});
  }
  if (first) {
    leg.state = LegState::confirmed;
    emit(LegConfirmed{leg.self});
    pump_keys(leg);
    if (std::exchange(leg.refer_held, false)) {
      disarm(leg, LegTimer::held_refer);
      for (OpenRefer& open : leg.open_refers) {
        if (!std::exchange(open.reported, true)) emit(LegReferred{leg.self, open.txn, ReferTiming::good});
      }
    }
  }
  if (leg.reoffer_wanted) try_reoffer(leg);
}

void Legs::on_cancel(txn::CancelReceived& event) {
  Leg* leg = legs_.find(LegHandle::unpack(event.owner));
  if (leg == nullptr || leg->state != LegState::offered || leg->invite != event.invite) return;
  const std::string reason = reasons_of(event.cancel);
  respond(*leg->request, leg->invite, {.status = 487, .code = Hangup::user_cancelled}, leg);
  leg->final_status = 487;
  finish(*leg, LegEnd::cancelled, reason);
}

void Legs::reject(LegHandle handle, const Rejection& rejection) {
  Leg* leg = legs_.find(handle);
  if (leg == nullptr || leg->state != LegState::offered) return;
  leg->final_status = rejection.status;
  respond(*leg->request, leg->invite, rejection, leg);
  finish(*leg, LegEnd::released);
}

}  // namespace baton::call
