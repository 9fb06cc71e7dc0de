// Which codecs the parties of a call speak with each other. What both speak passes through; where they
// differ, one of them is asked to speak what the other does, once, and audio is transcoded until it does.
#include "call/calls.h"
#include "media/port.h"

namespace baton::call {
namespace {

// The two laws of G.711 are the same sound by a table (RFC 3551 4.5.14): not worth a re-INVITE.
bool fit(sdp::Codec one, sdp::Codec other) {
  const auto g711 = [](sdp::Codec codec) { return codec == sdp::Codec::pcmu || codec == sdp::Codec::pcma; };
  return one == other || (g711(one) && g711(other));
}

}  // namespace

// What a party hears now, then what else it has said it can: what the other side should be offered.
sdp::Codecs Calls::spoken(LegHandle handle) {
  sdp::Codecs codecs;
  const Leg* leg = legs_.find(handle);
  if (leg == nullptr) return codecs;
  if (leg->sends) codecs.add(leg->sends->codec);
  if (leg->remote) {
    for (const sdp::Format& format : leg->remote->formats) codecs.add(format.codec);
  }
  for (const sdp::Codec codec : sdp::all_codecs) {
    if (leg->numbers.named_by_peer(codec)) codecs.add(codec);
  }
  return codecs;
}

// From now on the two talk with each other, and nobody waits any more. Taking one off hold and asking it for
// a codec is one offer.
void Calls::bring_together(LegHandle stays, LegHandle comes, bool both_off_hold) {
  const Leg* leg = legs_.find(stays);
  if (Call* call = leg == nullptr ? nullptr : calls_.find(CallHandle::unpack(leg->call)))
    call->comforted = {};
  hear(stays, comes);
  hear(comes, stays);
  // What one of them was still to be told of was pressed by the party before.
  legs_.forget_keys(stays);
  legs_.forget_keys(comes);
  legs_.want(stays, spoken(comes));
  legs_.want(comes, spoken(stays));
  take_off_hold(stays);
  if (both_off_hold) take_off_hold(comes);
  match_codecs(stays, comes);
}

// The two talk with each other. Who stays is asked before who has just come.
void Calls::match_codecs(LegHandle stays, LegHandle comes) {
  const Leg* first = legs_.find(stays);
  const Leg* second = legs_.find(comes);
  if (first == nullptr || second == nullptr || !first->in_call() || !second->in_call()) return;
  legs_.want(stays, spoken(comes));
  legs_.want(comes, spoken(stays));
  if (!first->sends || !second->sends || fit(first->sends->codec, second->sends->codec)) return;
  for (const Asking sure : {Asking::named, Asking::perhaps}) {
    if (ask_to_speak(stays, second->sends->codec, sure)) return;
    if (ask_to_speak(comes, first->sends->codec, sure)) return;
  }
}

// False: there is no use in asking.
bool Calls::ask_to_speak(LegHandle handle, sdp::Codec codec, Asking sure) {
  const Leg* leg = legs_.find(handle);
  if (!leg->media_terms.renegotiate || !leg->media_terms.codecs.contains(codec)) return false;
  // Whoever answered us with one codec alone may know others all the same; what it offered is all it knows.
  const bool may = leg->numbers.named_by_peer(codec) || (sure == Asking::perhaps && leg->outgoing &&
                                                         leg->remote && leg->remote->formats.size() == 1);
  return may && legs_.ask_codec(handle, codec);
}

}  // namespace baton::call
