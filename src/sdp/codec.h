// The audio formats Baton can put on a leg, and how they are named in SDP (RFC 3551, RFC 4733).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace baton::sdp {

// What can be bridged. Others in a peer's offer are left out of our answer.
enum class Codec : std::uint8_t { pcmu, pcma, g722, opus };
// Good sound first: how they are offered where nothing says otherwise.
inline constexpr std::array all_codecs = {Codec::opus, Codec::g722, Codec::pcmu, Codec::pcma};

// A codec with the payload number it has on one leg for the life of that leg (RFC 6337 5.3).
struct Format {
  Codec codec = Codec::pcmu;
  std::uint8_t payload_type = 0;
  bool operator==(const Format&) const = default;
};

[[nodiscard]] std::string_view encoding_name(Codec codec);  // "PCMU"
// RTP clock, Hz. G.722's is 8000 although it samples at twice that (RFC 3551 4.5.2), Opus' always 48000
// (RFC 7587 4.1).
[[nodiscard]] constexpr std::uint32_t clock_rate(Codec codec) {
  return codec == Codec::opus ? 48'000 : 8'000;
}
// As in rtpmap: 2 for Opus, whatever it carries (RFC 7587 7).
[[nodiscard]] constexpr unsigned channels(Codec codec) {
  return codec == Codec::opus ? 2 : 1;
}
[[nodiscard]] std::string_view format_parameters(Codec codec);  // our fmtp; empty: none
[[nodiscard]] std::uint8_t default_payload_type(Codec codec);   // static number, or our dynamic choice
// `channels` as written in the rtpmap; nothing written is 1 (RFC 8866 6.6).
[[nodiscard]] std::optional<Codec> find_codec(std::string_view encoding_name, std::uint32_t clock_rate,
                                              unsigned channels = 1);
// The codec of a static number, which needs no rtpmap (RFC 3551 6).
[[nodiscard]] std::optional<Codec> static_codec(std::uint8_t payload_type);

// Comfort noise (RFC 3389): no codec, and never offered or answered; some send it all the same.
inline constexpr std::uint8_t comfort_noise_payload_type = 13;

inline constexpr std::uint8_t default_dtmf_payload_type = 101;

enum class Direction : std::uint8_t { sendrecv, sendonly, recvonly, inactive };
[[nodiscard]] std::string_view to_string(Direction direction);
// What we answer to an offered direction when we ourselves want sendrecv (RFC 3264 6.1).
[[nodiscard]] Direction mirror(Direction offered);
[[nodiscard]] constexpr bool sends(Direction d) {
  return d == Direction::sendrecv || d == Direction::sendonly;
}
[[nodiscard]] constexpr bool receives(Direction d) {
  return d == Direction::sendrecv || d == Direction::recvonly;
}

}  // namespace baton::sdp
