// The codecs of a simulated party, straight on the libraries: nothing of it is the server's.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "sdp/codec.h"
#include "sound.h"

namespace baton::audio {

// At this rate a party speaks and hears the codec.
[[nodiscard]] unsigned sample_rate(sdp::Codec codec);

class Mouth {
 public:
  explicit Mouth(sdp::Codec codec);
  ~Mouth();
  [[nodiscard]] std::vector<std::uint8_t> encode(const Clip& clip);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

class Ear {
 public:
  explicit Ear(sdp::Codec codec);
  ~Ear();
  [[nodiscard]] Clip decode(std::span<const std::uint8_t> payload);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace baton::audio
