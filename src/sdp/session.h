// Session descriptions (RFC 4566/8866) as an offer/answer B2BUA with anchored media needs them: the peer's is
// read into what we may send to it, ours is written from our own state, never copied from the other leg.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "sdp/codec.h"
#include "sdp/crypto.h"

namespace baton::sdp {

struct SdpError {
  int status = 400;   // 400: not SDP; 488: SDP we can not serve
  int warning = 399;  // RFC 3261 20.43 warn-code: 304 media type, 305 format, 302 transport protocol …
  std::string reason;
};

// One m= line as the peer wrote it; enough to answer it in its place.
struct MediaLine {
  std::string type;  // "audio"
  std::uint16_t port = 0;
  std::string protocol;  // "RTP/AVP"
  std::string formats;   // as written, space separated
};

// What a peer's description says about its audio.
struct RemoteAudio {
  SocketAddress rtp;                  // where it wants RTP; unspecified address when held the RFC 2543 way
  std::optional<SocketAddress> rtcp;  // a=rtcp, when it differs from port + 1
  Formats formats;                    // the ones we can serve, in the peer's order
  EventNumbers events;
  Direction direction = Direction::sendrecv;  // from the peer's point of view; 0.0.0.0 reads as sendonly
  unsigned ptime_ms = 20;
  std::vector<MediaLine> lines;      // all m= lines in order
  std::size_t audio_line = 0;        // which of them this is
  std::uint64_t origin_version = 0;  // o= version, to tell a refresh from a change (RFC 3264 8)
  bool secure = false;               // RTP/SAVP or RTP/SAVPF
  // The keys it may be encrypted with, in the peer's order; empty: RTP. Tags do not repeat.
  std::vector<Crypto> crypto;

  [[nodiscard]] bool rejected() const { return lines.empty() || lines[audio_line].port == 0; }
};

// Reads an offer or an answer. The first usable audio line counts, one with SRTP before one without. Errors:
// 400 when it is not SDP, 488 with a warn-code when no audio line has a format, a protocol and keys that we
// serve under these rules. An audio line with port 0 is no error: the result says rejected().
[[nodiscard]] Result<RemoteAudio, SdpError> read_description(std::string_view body,
                                                             const SrtpRules& srtp = {});

// Our side of one leg. `version` goes up by exactly one on each change (RFC 3264 8, RFC 6337 5.2).
struct LocalAudio {
  std::uint64_t session_id = 0;
  std::uint64_t version = 0;
  SocketAddress rtp;
  Formats formats;
  EventNumbers events;
  Direction direction = Direction::sendrecv;
  unsigned ptime_ms = 20;
  bool secure = false;         // of offers: RTP/SAVP
  std::vector<Crypto> crypto;  // of offers: what may be chosen; of answers: the one that was
};

[[nodiscard]] std::string write_offer(const LocalAudio& local);

// The answer has the offer's m= lines in the offer's order; all but the audio line we serve get port 0 (RFC
// 3264 6).
[[nodiscard]] std::string write_answer(const LocalAudio& local, const RemoteAudio& offer);

// A later offer on a leg whose peer has already seen `lines` m= lines: their number never shrinks.
[[nodiscard]] std::string write_reoffer(const LocalAudio& local, const RemoteAudio& last_seen);

// Which formats to answer with: the offer's payload numbers, only codecs in `wanted`; `wanted` order decides
// the first, so a codec both parties of a call share comes first. Empty: nothing in common (488).
[[nodiscard]] Formats choose_formats(const Formats& offered, const Codecs& wanted);

// Which of the telephone-events offered to answer with beside that codec.
[[nodiscard]] EventNumbers choose_events(const EventNumbers& offered, Codec codec);

}  // namespace baton::sdp
