// Legs: keys pressed, by SIP INFO (RFC 6086 2.1: the legacy usage, without an info package).
#include <algorithm>

#include "call/legs.h"

namespace baton::call {
namespace {

constexpr std::size_t keys_max = 32;

// Which of those that name keys; empty: another.
std::string_view type_of(const sip::Message& info) {
  for (const std::string_view type : {dtmf_relay_type, dtmf_type}) {
    if (sip::TokenWithParameters::is(info.header(sip::HeaderId::content_type), type)) return type;
  }
  return {};
}

}  // namespace

void Legs::on_info(Leg& leg, txn::RequestReceived& event) {
  const sip::Message& request = event.request;
  if (!request.header("Info-Package").empty()) {
    // RFC 6086 4.2.2: none is served.
    return respond(request, event.txn, {.status = 469}, &leg, {{sip::HeaderId::other, "Recv-Info", "nil"}});
  }
  if (request.body().empty()) return respond(request, event.txn, {.status = 200}, &leg);
  const std::string_view type = type_of(request);
  if (type.empty()) {
    return respond(request, event.txn, {.status = 415, .text = "INFO is understood for DTMF only"}, &leg,
                   {{sip::HeaderId::accept, {}, accepted_types}});
  }
  respond(request, event.txn, {.status = 200}, &leg);
  // What is no digit, a hook flash for one, has nobody to go to.
  const auto key = read_info_body(type, request.body());
  if (!key || told_before(leg, ToldTwice::By::signalling, key->event)) return;
  emit(LegDigit{leg.self, *key});
}

// True when the other means has told of that press.
bool Legs::told_before(Leg& leg, ToldTwice::By by, std::uint8_t key, Duration lasted) {
  if (leg.told == nullptr) leg.told = std::make_unique<ToldTwice>();
  return leg.told->take(cx_.now, by, key, lasted);
}

media::DigitsBy Legs::digits_by(const Leg& leg) {
  switch (leg.sip.dtmf) {
    case trunk::DtmfStyle::automatic:
      return leg.remote && leg.remote->events.any() ? media::DigitsBy::events : media::DigitsBy::tones;
    case trunk::DtmfStyle::telephone_events:
      return media::DigitsBy::events;
    case trunk::DtmfStyle::in_band:
      return media::DigitsBy::tones;
    case trunk::DtmfStyle::info:
      return media::DigitsBy::report;
  }
  return media::DigitsBy::events;
}

void Legs::send_key(LegHandle handle, const KeyPress& key, LegHandle from) {
  Leg* leg = legs_.find(handle);
  if (leg == nullptr) return;
  if (digits_by(*leg) != media::DigitsBy::report) {
    if (leg->media_ready && media_.contains(leg->media)) {
      const Leg* presser = legs_.find(from);
      cx_.world.media(
          media::SendDigit{leg->media, key.event, key.lasted, presser == nullptr ? 0 : presser->media});
    }
    return;
  }
  if (!leg->in_call() || leg->keys.size() >= keys_max) return;
  leg->keys.push_back(key);
  pump_keys(*leg);
}

void Legs::forget_keys(LegHandle handle) {
  if (Leg* leg = legs_.find(handle)) leg->keys.clear();
}

// One after the other: over UDP two could change places, and 12 is not 21.
void Legs::pump_keys(Leg& leg) {
  const bool busy = std::any_of(leg.pending.begin(), leg.pending.end(),
                                [](const PendingRequest& p) { return p.method == sip::Method::info; });
  if (busy || leg.keys.empty() || leg.state != LegState::confirmed) return;
  PendingRequest info;
  info.method = sip::Method::info;
  info.draft = leg.dialog.request(sip::Method::info, &cx_.spares);
  info.draft.body(dtmf_relay_type, write_info_body(leg.keys.front()));
  leg.keys.erase(leg.keys.begin());
  send_in_dialog(leg, std::move(info));
}

}  // namespace baton::call
