// The audio formats Baton can put on a leg, and how they are named in SDP (RFC 3551, RFC 4733).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace baton::sdp {

// What can be bridged today. Others in a peer's offer are left out of our answer.
enum class Codec : std::uint8_t { pcmu, pcma };

// A codec with the payload number it has on one leg for the life of that leg (RFC 6337 5.3).
struct Format {
  Codec codec = Codec::pcmu;
  std::uint8_t payload_type = 0;
  bool operator==(const Format&) const = default;
};

[[nodiscard]] std::string_view encoding_name(Codec codec);     // "PCMU"
[[nodiscard]] std::uint32_t clock_rate(Codec codec);           // RTP clock, Hz
[[nodiscard]] std::uint8_t default_payload_type(Codec codec);  // static number, or our dynamic choice
[[nodiscard]] std::optional<Codec> find_codec(std::string_view encoding_name, std::uint32_t clock_rate);

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
