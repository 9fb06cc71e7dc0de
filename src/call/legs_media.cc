// A leg's session description and its media endpoint (RFC 3264, RFC 6337). Ours is always written from our
// own state; nothing of one leg's SDP reaches the other.
#include <algorithm>
#include <utility>

#include "call/legs.h"
#include "call/quality.h"

namespace baton::call {
namespace {

bool holds(const sdp::Formats& formats, sdp::Codec codec) {
  return std::any_of(formats.begin(), formats.end(),
                     [codec](const sdp::Format& format) { return format.codec == codec; });
}

// What may be spoken with the party, `wanted` first: what its counterpart speaks needs no transcoding.
sdp::Codecs widened(const Leg& leg, const sdp::Codecs& wanted) {
  sdp::Codecs codecs;
  for (const auto* list : {&wanted, &leg.media_terms.codecs}) {
    for (const sdp::Codec codec : *list) {
      if (leg.media_terms.codecs.contains(codec)) codecs.add(codec);
    }
  }
  return codecs;
}

// All that is offered, under the numbers it has on this leg.
void list_formats(Leg& leg, bool with_events) {
  leg.local.formats.clear();
  leg.local.events = {};
  for (const sdp::Codec codec : widened(leg, leg.wanted)) {
    leg.local.formats.push_back(leg.numbers.format(codec));
  }
  if (!with_events) return;
  leg.local.events[sdp::EventClock::at_8000] = leg.numbers.event_number(sdp::EventClock::at_8000);
  if (holds(leg.local.formats, sdp::Codec::opus)) {
    leg.local.events[sdp::EventClock::at_48000] = leg.numbers.event_number(sdp::EventClock::at_48000);
  }
}

}  // namespace

media::EndpointId Legs::endpoint_of(LegHandle handle) const {
  const Leg* leg = legs_.find(handle);
  return leg != nullptr && media_.contains(leg->media) ? leg->media : 0;
}

void Legs::open_media(Leg& leg, bool v6, media::EndpointId beside) {
  leg.media = ++next_media_;
  media_.emplace(leg.media, leg.self);
  cx_.world.media(media::Open{leg.media, v6, leg.srtp_rules.use != sdp::SrtpUse::off, beside});
}

void Legs::close_media(Leg& leg) {
  if (leg.media == 0 || media_.erase(leg.media) == 0) return;
  LegQuality& quality = closing_media_[leg.media];
  quality.call_uuid = leg.call_uuid.empty() ? leg.root_call_uuid : leg.call_uuid;
  quality.root_call_uuid = leg.root_call_uuid;
  quality.party = leg.party;
  quality.sip_call_id = leg.dialog.call_id;
  cx_.world.media(media::Close{leg.media});
}

// The leg may be gone by now.
void Legs::on_media_closed(const media::Closed& closed) {
  const auto it = closing_media_.find(closed.id);
  if (it == closing_media_.end()) return;
  LegQuality quality = std::move(it->second);
  closing_media_.erase(it);
  cx_.counters.rtp_received += closed.packets_received;
  cx_.counters.rtp_sent += closed.packets_sent;
  cx_.counters.rtp_dropped += closed.packets_dropped;
  if (closed.received) cx_.counters.rtp_lost += closed.received->lost;
  // Nothing was ever agreed with it: an attempt that failed, or one of many that rang.
  if (!closed.codec || quality.call_uuid.empty()) return;
  quality.ended_at = cx_.now;
  describe(closed, quality);
  if (const auto& mos = quality.mos ? quality.mos : quality.reported_mos) {
    ++cx_.counters.legs_rated;
    if (*mos < mos_poor) ++cx_.counters.legs_poor;
  }
  cx_.world.write(std::move(quality));
}

void Legs::media_done(const media::Result& result) {
  const auto leg_of = [&](media::EndpointId id) -> Leg* {
    const auto it = media_.find(id);
    return it == media_.end() ? nullptr : legs_.find(it->second);
  };
  if (const auto* opened = std::get_if<media::Opened>(&result)) {
    Leg* leg = leg_of(opened->id);
    if (leg == nullptr) return;
    leg->media_ready = true;
    leg->local.rtp = opened->local_rtp;
    leg->plane_keys.assign(opened->keys.begin(), opened->keys.end());
    leg->local.session_id = cx_.rng.next() >> 16;
    leg->local.version = leg->last_version = leg->local.session_id;
    leg->opened_at = cx_.now;
    if (leg->state == LegState::preparing) send_invite(*leg);
    if (leg->state == LegState::offered) emit(LegReady{leg->self});
  } else if (const auto* failed = std::get_if<media::OpenFailed>(&result)) {
    Leg* leg = leg_of(failed->id);
    if (leg == nullptr) return;
    media_.erase(failed->id);
    leg->media = 0;
    cx_.world.log({Severity::error, "media.no_port", {{"party", leg->party}, {"why", failed->reason}}});
    if (leg->state == LegState::preparing) {
      fail(*leg, 503, "No media port is free", false, true);
    } else if (leg->state == LegState::offered) {
      reject(leg->self,
             {.status = 503, .code = Hangup::nomedia, .text = "No media port free", .retry_after_s = 5});
    }
  } else if (const auto* silent = std::get_if<media::Silent>(&result)) {
    Leg* leg = leg_of(silent->id);
    if (leg == nullptr || leg->state != LegState::confirmed || leg->end_reported) return;
    // A party that holds may say nothing while it does, as long as it is there.
    if (leg->remote && leg->remote->direction != sdp::Direction::sendrecv) return probe(leg->self);
    emit(LegSilent{leg->self});
  } else if (const auto* lost = std::get_if<media::Lost>(&result)) {
    Leg* leg = leg_of(lost->id);
    if (leg == nullptr || leg->state != LegState::confirmed || leg->end_reported) return;
    cx_.world.log({Severity::error, "media.lost", {{"party", leg->party}, {"why", lost->reason}}});
    emit(LegSilent{leg->self, true});
  } else if (const auto* closed = std::get_if<media::Closed>(&result)) {
    on_media_closed(*closed);
  } else if (const auto* digit = std::get_if<media::Digit>(&result)) {
    Leg* leg = leg_of(digit->id);
    if (leg == nullptr || told_before(*leg, ToldTwice::By::media, digit->event, digit->lasted)) return;
    emit(LegDigit{leg->self, {digit->event, digit->lasted}});
  }
}

// Whether some codec of the offer may be spoken with the party.
bool Legs::serves(const Leg& leg, const sdp::RemoteAudio& offer) {
  return !sdp::choose_formats(offer.formats, leg.media_terms.codecs).empty();
}

// What the party is sent from now on: what it listed first among what we listed too is what it wants to hear
// (RFC 3264 7).
void Legs::agree(Leg& leg) {
  leg.sends.reset();
  for (const sdp::Format& format : leg.remote->formats) {
    if (!leg.sends && holds(leg.local.formats, format.codec)) leg.sends = format;
  }
}

void Legs::configure(Leg& leg) {
  if (!media_.contains(leg.media) || !leg.remote || leg.local.formats.empty()) return;
  const sdp::RemoteAudio& remote = *leg.remote;
  media::Configure configure;
  configure.id = leg.media;
  configure.remote_rtp = remote.rtp;
  configure.remote_rtcp = remote.rtcp;
  configure.format = leg.sends.value_or(leg.local.formats.front());
  // What was once agreed may still be on its way, and what was offered may be there before the answer.
  configure.accepted = leg.numbers.known();
  if (const auto events = remote.events.beside(configure.format.codec)) {
    configure.dtmf_payload_type = events->payload_type;
    configure.dtmf_clock_rate = events->clock_rate;
  }
  configure.send = sdp::receives(remote.direction) && !remote.rtp.ip.is_unspecified() && !remote.rejected();
  configure.receive = sdp::sends(remote.direction) && !remote.rejected();
  configure.ptime_ms = remote.ptime_ms;
  configure.latch_from = leg.source.remote.ip;
  configure.events_accepted = leg.numbers.known_events();
  agree_on_keys(leg);
  if (leg.srtp) configure.srtp = *leg.srtp;
  configure.digits = digits_by(leg);
  cx_.world.media(configure);
}

Result<sdp::RemoteAudio, Rejection> Legs::read_offer(std::string_view text, const sdp::SrtpRules& srtp) {
  auto offer = sdp::read_description(text, srtp);
  if (!offer) {
    return baton::fail(Rejection{.status = offer.error().status,
                                 .code = Hangup::sdp_not_acceptable,
                                 .text = std::move(offer.error().reason),
                                 .warning = offer.error().warning});
  }
  if (offer->rejected()) {
    return baton::fail(Rejection{.status = 488,
                                 .code = Hangup::sdp_not_acceptable,
                                 .text = "The audio line is disabled",
                                 .warning = 304});
  }
  return std::move(*offer);
}

std::optional<Rejection> Legs::take_offer(Leg& leg, std::string_view text) {
  // Word for word what stands (RFC 3264 8), as when a session is refreshed (RFC 4028 7.4): so does the
  // answer.
  if (leg.answered_offer && *leg.answered_offer == hash_.wide(text)) {
    configure(leg);  // it may have been heard from somewhere else
    return std::nullopt;
  }
  auto offer = read_offer(text, leg.srtp_rules);
  if (!offer) return offer.error();
  if (!serves(leg, *offer)) return no_codec;
  if (!has_key_for(leg, *offer)) return no_key;
  if (leg.state == LegState::inviting && !leg.inviting->first_offer) {
    leg.inviting->first_offer = std::make_unique<Leg::Said>(Leg::Said{leg.local, leg.last_sdp});
  }
  leg.remote = std::move(*offer);
  make_answer(leg, leg.wanted);
  if (leg.in_call()) leg.answered_offer = hash_.wide(text);
  return std::nullopt;
}

const std::string& Legs::make_offer(Leg& leg, const sdp::Codecs& wanted) {
  leg.wanted = wanted;
  leg.answered_offer.reset();
  offer_keys(leg);
  if (leg.remote) {
    // A later offer keeps every payload number and m= line that was ever agreed (RFC 6337 5.3), and is full
    // again.
    list_formats(leg, leg.local.events.any());
    leg.local.direction = leg.offered = leg.offer_direction;
    std::string sdp = sdp::write_reoffer(leg.local, *leg.remote);
    if (sdp != leg.last_sdp) {
      leg.local.version = ++leg.last_version;
      sdp = sdp::write_reoffer(leg.local, *leg.remote);
    }
    leg.last_sdp = sdp;
    configure(leg);
    return leg.last_sdp;
  }
  list_formats(leg, leg.sip.dtmf != trunk::DtmfStyle::in_band);
  leg.last_sdp = sdp::write_offer(leg.local);
  return leg.last_sdp;
}

const std::string& Legs::make_answer(Leg& leg, const sdp::Codecs& wanted) {
  const sdp::RemoteAudio& offer = *leg.remote;
  leg.wanted = wanted;
  leg.answered_offer.reset();
  leg.numbers.learn(offer);
  note_wish(leg);
  leg.local.formats = sdp::choose_formats(offer.formats, widened(leg, leg.wanted));
  // One codec in the answer: what will be sent is never in doubt.
  leg.local.formats.truncate(1);
  const bool events = leg.sip.dtmf != trunk::DtmfStyle::in_band && !leg.local.formats.empty();
  leg.local.events =
      events ? sdp::choose_events(offer.events, leg.local.formats.front().codec) : sdp::EventNumbers{};
  leg.local.direction = sdp::mirror(offer.direction);
  leg.local.ptime_ms = offer.ptime_ms;
  answer_keys(leg);
  std::string sdp = sdp::write_answer(leg.local, offer);
  if (!leg.last_sdp.empty() && sdp != leg.last_sdp) {
    leg.local.version = ++leg.last_version;
    sdp = sdp::write_answer(leg.local, offer);
  }
  leg.last_sdp = sdp;
  agree(leg);
  configure(leg);
  return leg.last_sdp;
}

bool Legs::take_answer(Leg& leg, std::string_view body) {
  if (body.empty()) return leg.remote.has_value();
  auto answer = sdp::read_description(body, leg.srtp_rules);
  if (!answer || answer->rejected() || !take_keys(leg, *answer)) return false;
  // Only what was offered can be answered (RFC 3264 6.1).
  answer->formats.erase_if(
      [&](const sdp::Format& format) { return !holds(leg.local.formats, format.codec); });
  if (answer->formats.empty()) return false;
  leg.answered_offer.reset();
  leg.numbers.learn(*answer);
  leg.remote = std::move(*answer);
  note_wish(leg);
  agree(leg);
  configure(leg);
  return true;
}

// ---- Offers of ours in mid-call -----------------------------------------------------------------

// Whoever is told of a hold answers, and offers, what is left of its own wish.
void Legs::note_wish(Leg& leg) {
  const sdp::Direction said = leg.remote->direction;
  const bool to_send = sdp::sends(said) || !sdp::receives(leg.offered);
  const bool to_hear = sdp::receives(said) || !sdp::sends(leg.offered);
  leg.wish = to_send ? (to_hear ? sdp::Direction::sendrecv : sdp::Direction::sendonly)
                     : (to_hear ? sdp::Direction::recvonly : sdp::Direction::inactive);
}

void Legs::reoffer(LegHandle handle, sdp::Direction direction, bool echo) {
  Leg* leg = legs_.find(handle);
  if (leg == nullptr) return;
  leg->offer_direction = direction;
  leg->offer_is_echo = echo;
  leg->codec_question = false;
  try_reoffer(*leg);
}

void Legs::want(LegHandle handle, const sdp::Codecs& codecs) {
  Leg* leg = legs_.find(handle);
  if (leg == nullptr || leg->wanted == codecs) return;
  leg->wanted = codecs;
  leg->answered_offer.reset();
}

bool Legs::ask_codec(LegHandle handle, sdp::Codec codec) {
  Leg* leg = legs_.find(handle);
  if (leg == nullptr || std::exchange(leg->asked[static_cast<std::size_t>(codec)], true)) return false;
  // The offer that is out already asks for it.
  if (leg->reoffering && leg->local.formats.front().codec == codec) return true;
  if (!leg->reoffer_wanted) leg->codec_question = true;
  try_reoffer(*leg);
  return true;
}

void Legs::try_reoffer(Leg& leg) {
  if (leg.state != LegState::confirmed && leg.state != LegState::answered) return;
  leg.reoffer_wanted = true;
  if (leg.reoffering || leg.unacked || leg.state != LegState::confirmed) return;
  send_reoffer(leg);
}

void Legs::send_reoffer(Leg& leg) {
  leg.reoffer_wanted = false;
  leg.reoffering = true;
  leg.offered_as_echo = leg.offer_is_echo;
  leg.before_offer = std::make_unique<const Leg::Said>(Leg::Said{leg.local, leg.last_sdp, leg.offered});
  PendingRequest request;
  // Which codec is spoken nobody has to be asked about, so an UPDATE will do; RFC 3311 5.1 has a re-INVITE
  // for all else.
  request.method = leg.codec_question && leg.peer_updates ? sip::Method::update : sip::Method::invite;
  request.draft = leg.dialog.request(request.method, &cx_.spares);
  request.draft.body("application/sdp", make_offer(leg, leg.wanted));
  send_in_dialog(leg, std::move(request));
}

void Legs::restore_offer(Leg& leg) {
  if (!leg.before_offer) return;
  leg.answered_offer.reset();
  leg.local = leg.before_offer->local;
  leg.last_sdp = leg.before_offer->sdp;
  leg.offered = leg.before_offer->offered;
  leg.before_offer.reset();
}

}  // namespace baton::call
