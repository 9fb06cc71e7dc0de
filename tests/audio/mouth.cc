#include "mouth.h"

#include <opus.h>

#include <algorithm>
#include <array>

// The others before g711.h and g722.h, which need them.
// clang-format off
#include <spandsp/telephony.h>
#include <spandsp/bit_operations.h>
#include <spandsp/g711.h>
#include <spandsp/g722.h>
// clang-format on

namespace baton::audio {
namespace {

using sdp::Codec;

constexpr int g722_bit_rate = 64'000;
constexpr std::size_t packet_bytes_max = 1'500;
constexpr std::size_t samples_max = 16 * 120;

struct Release {
  void operator()(g722_encode_state_t* state) const { g722_encode_free(state); }
  void operator()(g722_decode_state_t* state) const { g722_decode_free(state); }
  void operator()(OpusEncoder* state) const { opus_encoder_destroy(state); }
  void operator()(OpusDecoder* state) const { opus_decoder_destroy(state); }
};

}  // namespace

unsigned sample_rate(Codec codec) {
  return codec == Codec::g722 || codec == Codec::opus ? 16'000 : 8'000;
}

struct Mouth::State {
  Codec codec;
  std::unique_ptr<g722_encode_state_t, Release> g722;
  std::unique_ptr<OpusEncoder, Release> opus;
};

Mouth::Mouth(Codec codec) : state_(std::make_unique<State>(State{codec, nullptr, nullptr})) {
  int error = 0;
  if (codec == Codec::g722) state_->g722.reset(g722_encode_init(nullptr, g722_bit_rate, 0));
  if (codec == Codec::opus) {
    state_->opus.reset(opus_encoder_create(16'000, 1, OPUS_APPLICATION_VOIP, &error));
  }
}
Mouth::~Mouth() = default;

std::vector<std::uint8_t> Mouth::encode(const Clip& clip) {
  std::vector<std::uint8_t> bytes(packet_bytes_max);
  const auto count = static_cast<int>(clip.samples.size());
  int size = 0;
  switch (state_->codec) {
    case Codec::pcmu:
    case Codec::pcma:
      for (const std::int16_t sample : clip.samples) {
        bytes[static_cast<std::size_t>(size++)] =
            state_->codec == Codec::pcma ? linear_to_alaw(sample) : linear_to_ulaw(sample);
      }
      break;
    case Codec::g722:
      size = g722_encode(state_->g722.get(), bytes.data(), clip.samples.data(), count);
      break;
    case Codec::opus:
      size = opus_encode(state_->opus.get(), clip.samples.data(), count, bytes.data(),
                         static_cast<opus_int32>(bytes.size()));
      break;
  }
  bytes.resize(static_cast<std::size_t>(std::max(size, 0)));
  return bytes;
}

struct Ear::State {
  Codec codec;
  std::unique_ptr<g722_decode_state_t, Release> g722;
  std::unique_ptr<OpusDecoder, Release> opus;
};

Ear::Ear(Codec codec) : state_(std::make_unique<State>(State{codec, nullptr, nullptr})) {
  int error = 0;
  if (codec == Codec::g722) state_->g722.reset(g722_decode_init(nullptr, g722_bit_rate, 0));
  if (codec == Codec::opus) state_->opus.reset(opus_decoder_create(16'000, 1, &error));
}
Ear::~Ear() = default;

Clip Ear::decode(std::span<const std::uint8_t> payload) {
  Clip clip{sample_rate(state_->codec), std::vector<std::int16_t>(std::max(samples_max, 2 * payload.size()))};
  const auto size = static_cast<int>(payload.size());
  int count = 0;
  switch (state_->codec) {
    case Codec::pcmu:
    case Codec::pcma:
      for (const std::uint8_t octet : payload) {
        clip.samples[static_cast<std::size_t>(count++)] =
            state_->codec == Codec::pcma ? alaw_to_linear(octet) : ulaw_to_linear(octet);
      }
      break;
    case Codec::g722:
      count = g722_decode(state_->g722.get(), clip.samples.data(), payload.data(), size);
      break;
    case Codec::opus:
      count = opus_decode(state_->opus.get(), payload.data(), size, clip.samples.data(),
                          static_cast<int>(samples_max), 0);
      break;
  }
  clip.samples.resize(static_cast<std::size_t>(std::max(count, 0)));
  return clip;
}

}  // namespace baton::audio
