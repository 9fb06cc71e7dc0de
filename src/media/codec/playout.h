// What a party sends, as a steady stream of samples: a jitter buffer, the codec, and what is made up for what
// does not come. No clock of its own.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/time.h"
#include "media/codec/coder.h"
#include "media/codec/jitter_buffer.h"

namespace baton::media {

class Playout {
 public:
  // `rate`: of the samples that come out, 8000 or 16000; `frame_ms`: how many are taken at once, 10 to 60.
  Playout(sdp::Codec codec, unsigned rate, unsigned frame_ms);

  // How long after its first packet a stream is played: less than a packet of the one who speaks is no good
  // to one who listens in longer ones.
  [[nodiscard]] Duration start_after(std::uint32_t first_duration) const;

  // A packet's place in its stream and its payload. False: it is of no use. `next_take`: when the next frame
  // is taken.
  bool put(Time now, std::uint16_t sequence, std::uint32_t timestamp, std::span<const std::uint8_t> payload,
           Time next_take);
  // RFC 3389.
  void put_noise(Time now, std::uint16_t sequence, std::uint32_t timestamp,
                 std::span<const std::uint8_t> payload, Time next_take);
  // The next packet is of another stream.
  void restart();

  // One frame; good until the next call. Empty: for a long time nothing has been said, and nobody needs to
  // hear that.
  [[nodiscard]] std::span<const std::int16_t> take();

  [[nodiscard]] sdp::Codec codec() const { return decoder_.codec(); }
  [[nodiscard]] unsigned rate() const { return decoder_.rate(); }
  [[nodiscard]] const JitterBuffer::Counters& counters() const { return buffer_.counters(); }

 private:
  // A frame less one sample, and then a packet of the longest.
  static constexpr std::size_t room = 16 * (60 + 2 * packet_ms_max);

  [[nodiscard]] std::size_t samples_of(std::uint32_t ticks) const;
  [[nodiscard]] std::uint32_t ticks_of(std::size_t samples) const;
  void fill();
  void shorten(std::size_t from);

  Decoder decoder_;
  ComfortNoise noise_;
  bool noisy_ = false;  // the party said that there is only noise now
  std::uint32_t clock_;
  std::size_t frame_;
  std::size_t taken_ = 0, filled_ = 0;  // samples [taken_, filled_) of waiting_ wait
  // Large ones last: what every frame looks at lies together.
  JitterBuffer buffer_;
  std::array<std::int16_t, room> waiting_{};
};

}  // namespace baton::media
