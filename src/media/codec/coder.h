// The codecs as values: encoders and decoders over spandsp (G.711, G.722) and libopus. One lives for one
// stream. Both ends of a transcoder work at the narrower of the two codecs' rates, which all of them speak of
// themselves, so nothing is ever resampled between two of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "sdp/codec.h"

struct g722_encode_state_s;
struct g722_decode_state_s;
struct OpusEncoder;
struct OpusDecoder;

namespace baton::media {

// No packet that is decoded is longer.
inline constexpr unsigned packet_ms_max = 120;
inline constexpr std::size_t encoded_bytes_max = 1'275;  // RFC 6716 3.2.1; of the others 480 at 60 ms

// Samples a second at which the codec has all it can carry, as far as a call needs it: 8000 or 16000.
[[nodiscard]] constexpr unsigned natural_rate(sdp::Codec codec) {
  return codec == sdp::Codec::g722 || codec == sdp::Codec::opus ? 16'000 : 8'000;
}
[[nodiscard]] constexpr unsigned common_rate(sdp::Codec one, sdp::Codec other) {
  return natural_rate(one) < natural_rate(other) ? natural_rate(one) : natural_rate(other);
}

[[nodiscard]] constexpr bool is_g711(sdp::Codec codec) {
  return codec == sdp::Codec::pcmu || codec == sdp::Codec::pcma;
}

// The packet time in which a party that asks for `ptime_ms` (10 to 60) gets its audio: Opus has frames of 10,
// 20, 40 and 60 ms (RFC 6716 2.1.4), of which the next shorter one is taken.
[[nodiscard]] unsigned frame_ms(sdp::Codec codec, unsigned ptime_ms);

// How long a payload plays, in ticks of the codec's RTP clock. Nothing: no payload of this codec, or longer
// than packet_ms_max.
[[nodiscard]] std::optional<std::uint32_t> duration(sdp::Codec codec, std::span<const std::uint8_t> payload);

namespace detail {
struct Concealer;
struct Free {
  void operator()(g722_encode_state_s* state) const;
  void operator()(g722_decode_state_s* state) const;
  void operator()(Concealer* concealer) const;
  void operator()(OpusEncoder* state) const;
  void operator()(OpusDecoder* state) const;
};
}  // namespace detail

class Encoder {
 public:
  // `rate`: of the samples, 8000 or 16000.
  Encoder(sdp::Codec codec, unsigned rate);

  // One packet's payload; `samples` are one frame_ms(). Returns its size, at most encoded_bytes_max; 0 when
  // the library can not.
  [[nodiscard]] std::size_t encode(std::span<const std::int16_t> samples, std::uint8_t* out);

  [[nodiscard]] sdp::Codec codec() const { return codec_; }
  [[nodiscard]] unsigned rate() const { return rate_; }

 private:
  sdp::Codec codec_;
  unsigned rate_;
  std::unique_ptr<g722_encode_state_s, detail::Free> g722_;
  std::unique_ptr<OpusEncoder, detail::Free> opus_;
};

class Decoder {
 public:
  Decoder(sdp::Codec codec, unsigned rate);

  // Returns how many samples there are; `out` has room for packet_ms_max. 0: the payload is broken.
  [[nodiscard]] std::size_t decode(std::span<const std::uint8_t> payload, std::int16_t* out);

  // What may have been in `count` samples that are missing (at most packet_ms_max, multiples of 2.5 ms for
  // Opus); it fades away as it goes on. `next`: the packet behind them, which may tell more (RFC
  // 6716 2.1.7); may be empty.
  void conceal(std::size_t count, std::span<const std::uint8_t> next, std::int16_t* out);

  [[nodiscard]] sdp::Codec codec() const { return codec_; }
  [[nodiscard]] unsigned rate() const { return rate_; }

 private:
  sdp::Codec codec_;
  unsigned rate_;
  std::unique_ptr<g722_decode_state_s, detail::Free> g722_;
  std::unique_ptr<detail::Concealer, detail::Free> plc_;
  std::unique_ptr<OpusDecoder, detail::Free> opus_;
};

// RFC 3389: the noise of a room in which nobody speaks.
class ComfortNoise {
 public:
  // The payload's first octet: so many decibels below the loudest (3.1). The spectrum behind it is not used.
  void set_level(std::uint8_t level);
  void fill(std::span<std::int16_t> out);

 private:
  double amplitude_ = 0;  // 0: silence
  std::uint32_t state_ = 0x2545f491;
};

}  // namespace baton::media
