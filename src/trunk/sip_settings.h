// How SIP is spoken with one trunk's endpoint or one carrier, where the RFCs leave a choice. A value; what a
// call was set up with it keeps.
#pragma once

#include <cstdint>
#include <vector>

#include "base/time.h"
#include "sdp/crypto.h"
#include "sip/digest.h"

namespace baton::trunk {

// Reliable provisional responses (RFC 3262). A peer that requires them gets them in any case.
enum class ReliableProvisionals : std::uint8_t {
  off,        // not offered
  supported,  // offered; used for what carries a session description when the peer can do it
  required,   // calls without them are refused (421), ours ask for them
};

// What one party's hold does to the other.
enum class HoldStyle : std::uint8_t {
  anchored,  // nothing on the wire: it hears what the holder sends, its own media goes nowhere
  relayed,   // it is offered the same direction by re-INVITE
};

// Whether audio is encrypted (SRTP), with keys in the session descriptions (RFC 4568).
enum class Srtp : std::uint8_t {
  by_transport,  // optional over TLS, where nobody can read the keys; off over UDP and TCP
  off,
  optional,
  required,
};

// How a party is told the keys that the other one presses. What it sends itself is understood in any way.
enum class DtmfStyle : std::uint8_t {
  automatic,         // telephone-events where it agrees on them, tones where not
  telephone_events,  // RFC 4733 or not at all
  in_band,           // tones; telephone-events are not offered
  info,              // SIP INFO
};

// What a call goes by as long as it lives.
struct CallSettings {
  ReliableProvisionals reliable_provisionals = ReliableProvisionals::supported;
  HoldStyle hold = HoldStyle::anchored;
  DtmfStyle dtmf = DtmfStyle::automatic;
};

// The rest is of use while it is set up.
struct SipSettings : CallSettings {
  Duration session_expires = 1800s;  // RFC 4028; 0: we ask for no session timer
  Duration min_se = 90s;             // the shortest interval that is taken
  // An INVITE to which nothing comes back for so long goes to the next target, where there is one (RFC 3263
  // 4.3); 0: only after 64*T1.
  Duration failover_after = 5s;
  // What a login of the trunk is challenged with, in this order; one at least.
  std::vector<sip::DigestAlgorithm> auth_algorithms = {
      sip::DigestAlgorithm::sha512_256, sip::DigestAlgorithm::sha256, sip::DigestAlgorithm::md5};
  Srtp srtp = Srtp::by_transport;
  // Which are offered, in this order, and taken; one at least.
  std::vector<sdp::Suite> srtp_suites{sdp::all_suites.begin(), sdp::all_suites.end()};
};

}  // namespace baton::trunk
