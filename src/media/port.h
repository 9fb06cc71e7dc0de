// What the machine asks of a media plane and what it hears back: plain values, so that the built-in relay and
// others can stand behind them. One endpoint is one RTP/RTCP port pair facing one party of a call. The plane
// holds no call logic: the machine says what each party hears, and that is all there is to a transfer's
// media. A plane may answer at once or later; operations on an endpoint need not wait for the answer to the
// one before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/address.h"
#include "base/time.h"
#include "sdp/codec.h"
#include "sdp/crypto.h"

namespace baton::media {

// Chosen by the machine, never used twice.
using EndpointId = std::uint64_t;
using RecordingId = std::uint64_t;

// Take a port pair. Answered by Opened or OpenFailed.
struct Open {
  EndpointId id = 0;
  bool v6 = false;
  bool srtp = false;  // keys may be agreed on with the party
  // An endpoint of the same call, for a plane that has several places: the two will hear each other. 0: none.
  EndpointId beside = 0;
};

// So many keys of one endpoint, ours and theirs each, stay where they are when another is named: one that is
// named again goes on from there, roll-over counter and all. Of those before, none of ours is named again.
inline constexpr std::size_t srtp_keys_kept = 16;
// Keys of ours that an endpoint can have in its life.
inline constexpr std::size_t srtp_keys_max = 4'096;

// SRTP with a party: each side encrypts with a key of its own.
struct Srtp {
  sdp::Suite suite = sdp::Suite::aes_cm_128_hmac_sha1_80;
  sdp::MasterKey ours, theirs;
  bool operator==(const Srtp&) const = default;
};

// How a party is told which keys the other one presses.
enum class DigitsBy : std::uint8_t {
  events,  // telephone-events (RFC 4733), where a number for them is agreed; otherwise not at all
  tones,   // in its audio
  report,  // not by the plane: each is told as a Digit
};

// What the party's last offer or answer and ours amount to. May be repeated (re-INVITE).
struct Configure {
  EndpointId id = 0;
  SocketAddress remote_rtp;  // where its SDP asks for RTP
  std::optional<SocketAddress> remote_rtcp;
  sdp::Format format;                             // what we send it
  sdp::CodecNumberSets accepted;                  // what it may send us
  std::optional<std::uint8_t> dtmf_payload_type;  // of the telephone-events it is sent
  bool send = true;     // false: the party does not want to receive (hold); nothing is sent to it
  bool receive = true;  // false: what it sends is dropped
  unsigned ptime_ms = 20;
  // Where its signalling comes from. A party whose SDP names a private address (NAT) may be latched onto
  // there and nowhere else; nothing: wherever the first fitting packet comes from.
  std::optional<IpAddress> latch_from = std::nullopt;
  // What telephone-events of its may come as, besides that: by rights it sends with the numbers of our
  // description (RFC 3264 5.1), many send with their own.
  sdp::EventNumberSets events_accepted = {};
  std::optional<Srtp> srtp = std::nullopt;  // nothing: RTP
  std::uint32_t dtmf_clock_rate = 8'000;    // of the telephone-events it is sent
  DigitsBy digits = DigitsBy::events;
};

// What a party hears from now on. Takes effect with the next packet; the stream it hears keeps its SSRC,
// sequence and time line.
struct Hear {
  struct Silence {};
  struct Party {
    EndpointId id = 0;
    // When it has sent nothing for so long, quiet noise until it does; 0: nothing then.
    Duration comfort_after{};
  };
  struct RingBack {
    std::string country;
  };  // ISO 3166 alpha-2 of the target; empty: the default cadence
  // A prompt by its name, round and round, or once and then silence; silence when there is none of that name.
  struct Play {
    std::string prompt;
    bool once = false;
  };
  EndpointId listener = 0;
  std::variant<Silence, Party, RingBack, Play> source;
};

// Give the ports back. Answered by Closed with the totals.
struct Close {
  EndpointId id = 0;
};

// A key for the party to hear, in the way it was configured; nothing with DigitsBy::report.
struct SendDigit {
  EndpointId id = 0;
  std::uint8_t event = 0;  // RFC 4733 3.2: 0-9, 10 *, 11 #, 12-15 A-D
  Duration lasts{};
  // Whose key it is: one that this party tells of by telephone-events too is sent once. 0: nobody's.
  EndpointId from = 0;
};

// Keep what two parties say from now on in a file: `left` on its left channel, `right` on its right one.
struct Record {
  RecordingId id = 0;
  EndpointId left = 0, right = 0;
  std::string name;  // of the file, without directory and ending
};
// Answered by Recorded. To be sent also when the endpoints have been closed.
struct StopRecording {
  RecordingId id = 0;
};

using Operation = std::variant<Open, Configure, Hear, Close, SendDigit, Record, StopRecording>;

struct Opened {
  EndpointId id = 0;
  SocketAddress local_rtp;  // the advertised address; RTCP is on port + 1
  // What it encrypts with for the life of the endpoint, one key for each suite, where the plane makes its
  // keys itself; empty: with what the machine names in Configure.
  std::vector<sdp::Crypto> keys{};
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
// The plane has lost the endpoint: no packet of it goes anywhere any more. It is to be closed all the same,
// and this is told again and again until it is.
struct Lost {
  EndpointId id = 0;
  std::string reason;
};
// How one direction of a party's audio arrived.
struct Reception {
  std::uint64_t packets = 0;                       // that arrived
  std::uint64_t lost = 0;                          // expected, and they did not (RFC 3550 A.3)
  std::uint32_t jitter_us = 0, jitter_us_max = 0;  // mean and highest (RFC 3550 A.8)
};
struct Closed {
  EndpointId id = 0;
  std::uint64_t packets_received = 0;
  std::uint64_t packets_sent = 0;
  std::uint64_t packets_dropped = 0;    // wrong source, wrong payload type, too short …
  std::optional<sdp::Codec> codec{};    // what it was sent last; nothing: it was never configured
  unsigned ptime_ms = 20;               // and in packets of that length
  std::optional<Reception> received{};  // what it sent; nothing: no stream
  std::optional<Reception> reported{};  // what it says in RTCP of what we sent
  std::optional<std::uint32_t> round_trip_us{}, round_trip_us_max{};  // mean and highest, from RTCP
};

// The party has pressed a key, and whoever hears it is to be told by other means.
struct Digit {
  EndpointId id = 0;
  std::uint8_t event = 0;
  Duration lasted{};
};

// A recording is over and its file complete, but for what `error` says.
struct Recorded {
  RecordingId id = 0;
  std::string file{};  // its path; empty: there is none
  Duration lasted{};   // of audio in it
  std::uint64_t bytes = 0;
  std::uint64_t packets_dropped = 0;  // for want of time to write them
  std::string error{};                // empty: none
};

using Result = std::variant<Opened, OpenFailed, Silent, Closed, Digit, Recorded, Lost>;

}  // namespace baton::media
