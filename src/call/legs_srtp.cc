// Which keys a leg's descriptions carry, and what comes of the peer's (RFC 4568 with offer and answer, RFC
// 8643). Each leg has keys of its own: nothing of one leg's SRTP is known to the other.
#include <algorithm>

#include "call/legs.h"

namespace baton::call {
namespace {

bool is_encrypted(Transport transport) {
  return transport == Transport::tls;
}

}  // namespace

sdp::SrtpRules Legs::srtp_rules_for(const Leg& leg, const trunk::SipSettings& terms) {
  const auto use = [&] {
    switch (terms.srtp) {
      case trunk::Srtp::off:
        return sdp::SrtpUse::off;
      case trunk::Srtp::optional:
        return sdp::SrtpUse::optional;
      case trunk::Srtp::required:
        return sdp::SrtpUse::required;
      case trunk::Srtp::by_transport:
        break;
    }
    return is_encrypted(leg.source.transport) ? sdp::SrtpUse::optional : sdp::SrtpUse::off;
  };
  sdp::SrtpRules rules{use(), {}};
  for (const sdp::Suite suite : terms.srtp_suites) rules.suites.add(suite);
  return rules;
}

// Not twice the same in the life of the secret: the tag, the session id and the time are this leg's alone. A
// plane with keys of its own has one for each suite, fresh or not.
sdp::MasterKey Legs::fresh_key(Leg& leg, sdp::Suite suite) {
  for (const sdp::Crypto& own : leg.plane_keys) {
    if (own.suite == suite) return own.key;
  }
  std::string purpose = "srtp\n" + leg.dialog.call_id + '\n' + leg.dialog.local_tag + '\n';
  purpose += std::to_string(leg.local.session_id) + '\n' + leg.local.rtp.to_string() + '\n';
  purpose += std::to_string(to_micros(leg.opened_at)) + '\n' + std::to_string(++leg.srtp_keys);
  return sdp::derive_key(cx_.secret, purpose, suite);
}

// Before our offer is written. A later one keeps what is agreed, key and all: whoever reads several lines may
// take another than the last time.
void Legs::offer_keys(Leg& leg) {
  if (leg.remote) {
    const auto agreed = [&](const sdp::Crypto& ours) { return leg.srtp && ours.key == leg.srtp->ours; };
    std::erase_if(leg.local.crypto, [&](const sdp::Crypto& ours) { return !agreed(ours); });
    leg.local.secure = leg.local.secure && !leg.local.crypto.empty();
    return warn_of_open_keys(leg);
  }
  const sdp::SrtpRules& rules = leg.srtp_rules;
  leg.local.crypto.clear();
  leg.local.secure = rules.use == sdp::SrtpUse::required;
  if (rules.use == sdp::SrtpUse::off) return;
  for (const sdp::Suite suite : rules.suites) {
    const auto tag = static_cast<std::uint32_t>(leg.local.crypto.size() + 1);
    leg.local.crypto.push_back({tag, suite, fresh_key(leg, suite)});
  }
  warn_of_open_keys(leg);
}

// Which of the offer's keys an answer would take, the one in use rather than another, and whether ours stays.
std::optional<Legs::KeyChoice> Legs::choose_key(const Leg& leg, const sdp::RemoteAudio& offer) {
  if (offer.crypto.empty()) return std::nullopt;
  const auto in_use = std::find_if(offer.crypto.begin(), offer.crypto.end(), [&](const sdp::Crypto& theirs) {
    return leg.srtp && theirs.suite == leg.srtp->suite && theirs.key == leg.srtp->theirs;
  });
  const sdp::Crypto& theirs = in_use != offer.crypto.end() ? *in_use : offer.crypto.front();
  // RFC 4568 7.1.4: another address with another key may be another machine, which knows nothing of our
  // roll-over counter, so it starts anew with a key of ours too. Otherwise ours stays, and no packet is lost.
  const bool same_suite = leg.srtp && leg.srtp->suite == theirs.suite;
  const bool moved =
      in_use == offer.crypto.end() && !offer.rtp.ip.is_unspecified() && leg.srtp_peer != offer.rtp;
  return KeyChoice{theirs, same_suite && !moved};
}

// False: an answer would take a key more of ours than the plane can tell apart. Before the call is up all of
// them may be asked for again, by whoever answers it in the end.
bool Legs::has_key_for(const Leg& leg, const sdp::RemoteAudio& offer) {
  const auto choice = choose_key(leg, offer);
  const std::size_t most = leg.in_call() ? media::srtp_keys_max : media::srtp_keys_kept;
  return !choice || choice->ours_stays || leg.srtp_keys < most;
}

// Before our answer is written.
void Legs::answer_keys(Leg& leg) {
  sdp::RemoteAudio& offer = *leg.remote;
  leg.local.secure = offer.secure;
  leg.local.crypto.clear();
  const auto choice = choose_key(leg, offer);
  if (!choice) return;
  const sdp::Crypto& theirs = choice->theirs;
  offer.crypto = {theirs};
  const sdp::MasterKey ours = choice->ours_stays ? leg.srtp->ours : fresh_key(leg, theirs.suite);
  leg.local.crypto = {{theirs.tag, theirs.suite, ours}};
  warn_of_open_keys(leg);
}

// The peer's answer names one of our lines by tag and suite, and another key (RFC 4568 5.1.3, 7.1.2). False:
// it can not be used.
bool Legs::take_keys(const Leg& leg, sdp::RemoteAudio& answer) const {
  if (leg.local.crypto.empty()) {
    answer.crypto.clear();
    return !answer.secure;
  }
  if (answer.crypto.empty()) return !leg.local.secure && !answer.secure;
  const auto fits = [&](const sdp::Crypto& theirs) {
    return std::any_of(leg.local.crypto.begin(), leg.local.crypto.end(), [&](const sdp::Crypto& ours) {
      return ours.tag == theirs.tag && ours.suite == theirs.suite && ours.key != theirs.key;
    });
  };
  std::erase_if(answer.crypto, [&](const sdp::Crypto& theirs) { return !fits(theirs); });
  if (answer.crypto.empty()) return false;
  answer.crypto.resize(1);
  return true;
}

// What the last answer, ours or the peer's, comes to.
void Legs::agree_on_keys(Leg& leg) {
  const auto& taken = leg.remote->crypto;
  const auto& own = leg.local.crypto;
  const auto ours = std::find_if(own.begin(), own.end(), [&](const sdp::Crypto& one) {
    return taken.size() == 1 && one.tag == taken.front().tag && one.suite == taken.front().suite;
  });
  if (ours == own.end()) return leg.srtp.reset();
  if (!leg.srtp) leg.srtp = std::make_unique<media::Srtp>();
  *leg.srtp = {ours->suite, ours->key, taken.front().key};
  if (!leg.remote->rtp.ip.is_unspecified()) leg.srtp_peer = leg.remote->rtp;
}

// Once for each trunk and carrier: keys that anybody on the way can read keep nothing secret.
void Legs::warn_of_open_keys(const Leg& leg) {
  if (leg.local.crypto.empty() || is_encrypted(leg.source.transport)) return;
  const bool carrier = !leg.carrier_id.empty();
  const std::string& id = carrier ? leg.carrier_id : leg.trunk_id;
  if (!warned_of_keys_.insert((carrier ? "carrier " : "trunk ") + id).second) return;
  cx_.world.log({Severity::warning,
                 "srtp.keys_in_clear",
                 {{carrier ? "carrier" : "trunk", id},
                  {"party", leg.party},
                  {"transport", std::string(to_string(leg.source.transport))}}});
}

}  // namespace baton::call
