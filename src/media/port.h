// What the machine asks of a media plane and what it hears back: plain values, so that the built-in relay and
// others can stand behind them. One endpoint is one RTP/RTCP port pair facing one party of a call. The plane
// holds no call logic: the machine says what each party hears, and that is all there is to a transfer's
// media.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/address.h"
#include "sdp/codec.h"
#include "sdp/crypto.h"

namespace baton::media {

// Chosen by the machine, never used twice.
using EndpointId = std::uint64_t;

// Take a port pair. Answered by Opened or OpenFailed.
struct Open {
  EndpointId id = 0;
  bool v6 = false;
};

// SRTP with a party: each side encrypts with a key of its own. A key that is named again goes on where it
// was, roll-over counter and all; one that was left is never named again.
struct Srtp {
  sdp::Suite suite = sdp::Suite::aes_cm_128_hmac_sha1_80;
  sdp::MasterKey ours, theirs;
  bool operator==(const Srtp&) const = default;
};

// What the party's last offer or answer and ours amount to. May be repeated (re-INVITE).
struct Configure {
  EndpointId id = 0;
  SocketAddress remote_rtp;  // where its SDP asks for RTP
  std::optional<SocketAddress> remote_rtcp;
  sdp::Format format;                             // what we send it
  std::vector<sdp::Format> accepted;              // what it may send us
  std::optional<std::uint8_t> dtmf_payload_type;  // its telephone-event number, both ways
  bool send = true;     // false: the party does not want to receive (hold); nothing is sent to it
  bool receive = true;  // false: what it sends is dropped
  unsigned ptime_ms = 20;
  // Where its signalling comes from. A party whose SDP names a private address (NAT) may be latched onto
  // there and nowhere else; nothing: wherever the first fitting packet comes from.
  std::optional<IpAddress> latch_from = std::nullopt;
  // The telephone-event number our own description names, where it is not the party's: by rights the party
  // sends with ours (RFC 3264 5.1), many send with their own, both are understood.
  std::optional<std::uint8_t> dtmf_payload_type_ours = std::nullopt;
  std::optional<Srtp> srtp = std::nullopt;  // nothing: RTP
};

// What a party hears from now on. Takes effect with the next packet; the stream it hears keeps its SSRC,
// sequence and time line.
struct Hear {
  struct Silence {};
  struct Party {
    EndpointId id = 0;
  };
  struct RingBack {
    std::string country;
  };  // ISO 3166 alpha-2 of the target; empty: the default cadence
  EndpointId listener = 0;
  std::variant<Silence, Party, RingBack> source;
};

// Give the ports back. Answered by Closed with the totals.
struct Close {
  EndpointId id = 0;
};

using Operation = std::variant<Open, Configure, Hear, Close>;

struct Opened {
  EndpointId id = 0;
  SocketAddress local_rtp;  // the advertised address; RTCP is on port + 1
};
struct OpenFailed {
  EndpointId id = 0;
  std::string reason;
};
// No packet from a party that should be sending for the configured time. Told once; again only after it was
// heard again or configured anew.
struct Silent {
  EndpointId id = 0;
};
struct Closed {
  EndpointId id = 0;
  std::uint64_t packets_received = 0;
  std::uint64_t packets_sent = 0;
  std::uint64_t packets_dropped = 0;  // wrong source, wrong payload type, too short …
};

using Result = std::variant<Opened, OpenFailed, Silent, Closed>;

}  // namespace baton::media
