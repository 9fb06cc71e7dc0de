// Legs: reliable provisional responses (RFC 3262), sent and received, and the provisional responses that keep
// an INVITE alive (RFC 3261 13.3.1.1).
#include <algorithm>
#include <charconv>

#include "call/legs.h"

namespace baton::call {
namespace {

constexpr Duration provisional_interval = 60s;  // RFC 3261 13.3.1.1: one a minute, or a proxy gives up

std::optional<std::uint32_t> number_of(std::string_view text) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

struct RAck {
  std::uint32_t rseq = 0, cseq = 0;
  std::string_view method;
};

// "776656 1 INVITE" (RFC 3262 7.2)
std::optional<RAck> rack_of(const sip::Message& request) {
  std::string_view text = request.header(sip::HeaderId::rack);
  std::array<std::string_view, 3> words;
  for (std::string_view& word : words) {
    text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
    word = text.substr(0, text.find_first_of(" \t"));
    text.remove_prefix(word.size());
  }
  const auto rseq = number_of(words[0]);
  const auto cseq = number_of(words[1]);
  if (!rseq || !cseq || words[2].empty() || !text.empty()) return std::nullopt;
  return RAck{*rseq, *cseq, words[2]};
}

bool has_tag(const sip::Message& message, sip::HeaderId id) {
  return message.lists(id, "100rel");
}

}  // namespace

std::string_view Legs::supported_of(const Leg& leg) {
  const bool reliable = leg.sip.reliable_provisionals != trunk::ReliableProvisionals::off;
  return reliable ? supported_tags : supported_tags_without_100rel;
}

// ---- As the callee -----------------------------------------------------------------------------------

void Legs::progress(LegHandle handle, int status, bool with_sdp, const sdp::Codecs& wanted) {
  Leg* leg = legs_.find(handle);
  if (leg == nullptr || leg->state != LegState::offered || leg->answer_waits) return;
  // The second must not be sent before the first is acknowledged (RFC 3262 3); what is newest is what counts.
  if (leg->unpracked) {
    auto& next = leg->unpracked->next;
    const bool sdp = with_sdp || (next && next->with_sdp);
    next = Leg::Progress{status, sdp, wanted};
    return;
  }
  send_progress(*leg, {status, with_sdp, wanted});
}

void Legs::send_progress(Leg& leg, const Leg::Progress& progress) {
  const sip::Message& invite = *leg.request;
  const bool required = has_tag(invite, sip::HeaderId::require);
  const bool possible = required || (has_tag(invite, sip::HeaderId::supported) &&
                                     leg.sip.reliable_provisionals != trunk::ReliableProvisionals::off);
  // A first reliable response to an offerless INVITE has to bring the offer (RFC 3262 5), and can not yet.
  if (required && !leg.remote && !leg.media_ready) return;
  std::string_view sdp;
  bool offers = false;
  if (leg.early_settled) {
    // Said and acknowledged: it is not said again.
  } else if (leg.described) {
    sdp = leg.last_sdp;
  } else if (leg.media_ready && leg.remote && progress.with_sdp) {
    leg.described = true;
    sdp = make_answer(leg, progress.wanted);
  } else if (leg.media_ready && !leg.remote && (required || (possible && progress.with_sdp))) {
    leg.described = offers = true;
    sdp = make_offer(leg, progress.wanted);
  }
  sip::Draft response = sip::make_response(invite, progress.status, leg.dialog.local_tag);
  for (const auto element : invite.elements(sip::HeaderId::record_route)) {
    response.add(sip::HeaderId::record_route, element);
  }
  add_our_headers(response, leg);
  const bool has_sdp = !sdp.empty();
  if (has_sdp) response.body("application/sdp", sdp);
  leg.last_progress = progress.status;
  arm(leg, LegTimer::provisional, provisional_interval);
  // Without a description nothing hangs on it, so it is reliable only for a peer that insists.
  if (!required && !(possible && has_sdp)) return cx_.txns.respond(cx_.now, leg.invite, std::move(response));
  leg.rseq = leg.rseq == 0 ? static_cast<std::uint32_t>(cx_.rng.between(1, 0x3fff'ffff)) : leg.rseq + 1;
  response.add(sip::HeaderId::require, "100rel");
  response.add(sip::HeaderId::rseq, std::to_string(leg.rseq));
  leg.unpracked =
      std::make_unique<Leg::Unpracked>(Leg::Unpracked{response, cx_.now, cx_.timers.t1, has_sdp, offers, {}});
  cx_.txns.respond(cx_.now, leg.invite, std::move(response));
  arm(leg, LegTimer::reliable, cx_.timers.t1);
}

// T1 doubling, with no ceiling but the end (RFC 3262 3).
void Legs::repeat_reliable(Leg& leg) {
  if (leg.state != LegState::offered || !leg.unpracked) return;
  Leg::Unpracked& out = *leg.unpracked;
  if (cx_.now - out.since >= cx_.timers.t1 * 64) {
    respond(
        *leg.request, leg.invite,
        {.status = 504, .code = Hangup::server_timeout, .text = "A reliable response was not acknowledged"},
        &leg);
    leg.final_status = 504;
    return finish(leg, LegEnd::lost);
  }
  cx_.txns.respond(cx_.now, leg.invite, out.response);
  out.interval *= 2;
  const Duration left = out.since + cx_.timers.t1 * 64 - cx_.now;
  arm(leg, LegTimer::reliable, std::min(out.interval, left));
}

void Legs::repeat_progress(Leg& leg) {
  if (leg.state != LegState::offered) return;
  arm(leg, LegTimer::provisional, provisional_interval);
  if (leg.unpracked || leg.answer_waits) return;
  send_progress(leg, {leg.last_progress != 0 ? leg.last_progress : 183, false, leg.wanted});
}

bool Legs::is_awaited_prack(const Leg& leg, const sip::Message& request) {
  if (request.method() != sip::Method::prack || !leg.unpracked) return false;
  const auto rack = rack_of(request);
  return rack && rack->rseq == leg.rseq && rack->cseq == leg.invite_cseq && rack->method == "INVITE";
}

void Legs::on_prack(Leg& leg, txn::RequestReceived& event) {
  const sip::Message& request = event.request;
  if (!rack_of(request)) return respond(request, event.txn, {.status = 400, .text = "No usable RAck"}, &leg);
  if (!is_awaited_prack(leg, request)) {
    return respond(request, event.txn, {.status = 481, .text = "No such response waits for a PRACK"}, &leg);
  }
  // From here on the response is acknowledged, whatever becomes of a description in the PRACK (RFC 3262 3).
  const Leg::Unpracked out = std::move(*leg.unpracked);
  leg.unpracked.reset();
  disarm(leg, LegTimer::reliable);
  const std::string_view text = sdp_of(request);
  sip::Draft ok = sip::make_response(request, 200, leg.dialog.local_tag);
  bool unanswered = false, refused = false;
  if (out.offers) {
    unanswered = !take_answer(leg, text) || text.empty();
  } else if (!text.empty()) {
    // Our answer has arrived, so this is the next offer (RFC 3262 5).
    const bool settled = out.sdp || leg.early_settled;
    refused = !settled || take_offer(leg, text);
    if (!refused) ok.body("application/sdp", leg.last_sdp);
  }
  leg.early_settled = leg.early_settled || out.sdp;
  if (refused) {
    respond(request, event.txn,
            {.status = 488,
             .code = Hangup::sdp_not_acceptable,
             .text = "The offer in the PRACK can not be served",
             .warning = 304},
            &leg);
  } else {
    cx_.txns.respond(cx_.now, event.txn, std::move(ok));
  }
  if (leg.state != LegState::offered) return;
  if (unanswered) {
    respond(*leg.request, leg.invite,
            {.status = 488, .code = Hangup::sdp_not_acceptable, .text = "The PRACK brought no usable answer"},
            &leg);
    leg.final_status = 488;
    return finish(leg, LegEnd::lost);
  }
  if (leg.answer_waits) return answer(leg.self, leg.wanted);
  if (out.next) send_progress(leg, *out.next);
}

// ---- As the caller -----------------------------------------------------------------------------------

// In the early dialog the response has been put into. False: it has been seen, or another is missing before
// it (RFC 3262 4).
bool Legs::take_reliable(Leg& leg, const sip::Message& response, const Source& source) {
  if (!has_tag(response, sip::HeaderId::require)) return true;
  const auto rseq = number_of(response.header(sip::HeaderId::rseq));
  if (!rseq || response.to_tag().empty()) return true;
  const bool again = leg.peer_rseq && *rseq == *leg.peer_rseq;
  if (leg.peer_rseq && !again && *rseq != *leg.peer_rseq + 1) return false;
  if (again) {
    // Nothing repeats a PRACK that went down with its connection, so the repeated response asks for another.
    const auto lost = std::find_if(leg.pending.begin(), leg.pending.end(), [&](const PendingRequest& p) {
      return p.method == sip::Method::prack && p.flow != source.flow;
    });
    if (lost == leg.pending.end()) return false;
    leg.pending.erase(lost);
  }
  leg.peer_rseq = rseq;
  PendingRequest prack;
  prack.method = sip::Method::prack;
  prack.draft = leg.dialog.request(sip::Method::prack, &cx_.spares);
  prack.draft.add(sip::HeaderId::rack,
                  std::to_string(*rseq) + " " + std::to_string(response.cseq().number) + " INVITE");
  send_in_dialog(leg, std::move(prack));
  return !again;
}

}  // namespace baton::call
