// Legs: one INVITE of ours, several who answer it (RFC 3261 12.1, 13.2.2.4): early dialogs side by side, and
// the end of those that lost.
#include <algorithm>

#include "base/limits.h"
#include "call/legs.h"

namespace baton::call {

namespace {

// An early dialog in front with another one: each has a session of its own.
void exchange(Leg::Early& early, Leg& leg) {
  std::swap(early.dialog, leg.dialog);
  std::swap(early.remote, leg.remote);
  std::swap(early.peer_rseq, leg.peer_rseq);
  std::swap(early.settled, leg.early_settled);
  std::swap(early.local, leg.local);
  std::swap(early.numbers, leg.numbers);
  std::swap(early.last_sdp, leg.last_sdp);
  std::swap(early.last_version, leg.last_version);
  std::swap(early.srtp, leg.srtp);
  std::swap(early.srtp_peer, leg.srtp_peer);
}

}  // namespace

// Puts the early dialog of that tag in front. False: there is none.
bool Legs::switch_early(Leg& leg, std::string_view tag) {
  if (leg.dialog.remote_tag == tag) return true;
  auto& others = leg.inviting->other_early;
  const auto found = std::find_if(others.begin(), others.end(),
                                  [&](const Leg::Early& early) { return early.dialog.remote_tag == tag; });
  if (found == others.end()) return false;
  exchange(*found, leg);
  if (leg.remote) {
    agree(leg);
    configure(leg);
  }
  return true;
}

// The dialog that a response to our INVITE makes or belongs to. False: there are too many already.
bool Legs::enter_early(Leg& leg, const sip::Message& response, const Source& source) {
  const std::string_view tag = response.to_tag();
  if (tag.empty()) return true;
  if (!leg.dialog.remote_tag.empty() && !switch_early(leg, tag)) {
    Leg::Inviting& invite = *leg.inviting;
    if (invite.other_early.size() + 1 >= limits::forks_max && response.status() < 200) return false;
    // What stands for this one is the INVITE's offer, whatever has been said in the others since.
    Leg::Early fresh;
    fresh.dialog = leg.dialog;
    fresh.local = invite.first_offer ? invite.first_offer->local : leg.local;
    fresh.numbers.learn(fresh.local);
    fresh.last_sdp = invite.first_offer ? invite.first_offer->sdp : leg.last_sdp;
    fresh.last_version = fresh.local.version;
    exchange(fresh, leg);
    invite.other_early.push_back(std::move(fresh));
    // Each counts its requests from the INVITE that they share.
    leg.dialog.remote_tag.clear();
    leg.dialog.local_cseq = leg.invite_cseq;
  }
  leg.dialog.establish(response, source);
  return true;
}

// RFC 6026 8.2: each repeat of a 2xx is answered with the same ACK; another fork's is a call of its own,
// which must not be left alone (RFC 3261 13.2.2.4).
void Legs::acknowledge_again(LegRemains& leg, const sip::Message& response, const Source& source) {
  const std::string tag(response.to_tag());
  if (tag == leg.dialog.remote_tag) {
    if (!leg.acknowledged) return;
    sip::Draft ack = leg.dialog.ack(response.cseq().number, &cx_.spares);
    if (leg.login) {
      for (const auto& field : leg.login->ack_credentials) ack.add(field.id, field.value);
    }
    return cx_.txns.ack(cx_.now, std::move(ack), leg.dialog.next_hop, leg.self.pack());
  }
  if (!leg.forks) leg.forks = std::make_unique<Forks>();
  auto& tags = leg.forks->tags;
  const bool known = std::find(tags.begin(), tags.end(), tag) != tags.end();
  if (!known && tags.size() >= limits::forks_max) return;
  drop_fork(leg, response, source, !known);
  if (!known) tags.push_back(tag);
}

void Legs::drop_fork(LegRemains& leg, const sip::Message& response, const Source& source, bool with_bye) {
  dialog::Dialog fork;
  const auto& forgotten = leg.forks->early;
  const auto early = std::find_if(forgotten.begin(), forgotten.end(), [&](const dialog::Dialog& one) {
    return one.remote_tag == response.to_tag();
  });
  if (early != forgotten.end()) {
    fork = *early;  // its requests go on counting after our PRACKs
  } else {
    fork.call_id = response.call_id();
    fork.local_tag = response.from_tag();
    fork.local_cseq = response.cseq().number;
    sip::NameAddr from = response.from();
    sip::NameAddr to = response.to();
    from.parameters.clear();
    to.parameters.clear();
    fork.local_address = from.to_string();
    fork.remote_address = to.to_string();
    fork.remote_target = to.uri.to_string(false);
  }
  fork.establish(response, source);
  sip::Draft ack = fork.ack(response.cseq().number, &cx_.spares);
  if (leg.login) {
    for (const auto& field : leg.login->invite_credentials) ack.add(field.id, field.value);
  }
  cx_.txns.ack(cx_.now, std::move(ack), fork.next_hop, leg.self.pack());
  if (!with_bye) return;
  sip::Draft bye = fork.request(sip::Method::bye, &cx_.spares);
  bye.add(sip::HeaderId::reason, "SIP;cause=200;text=\"Call completed elsewhere\"");
  if (leg.login) leg.login->sign(bye, cx_.rng);
  cx_.txns.request(cx_.now, std::move(bye), fork.next_hop, leg.self.pack());
}

}  // namespace baton::call
