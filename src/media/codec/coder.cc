#include "media/codec/coder.h"

#include <opus.h>

#include <algorithm>
#include <cmath>

#include "base/assert.h"

// The others before g711.h, g722.h and plc.h, which need them.
// clang-format off
#include <spandsp/telephony.h>
#include <spandsp/bit_operations.h>
#include <spandsp/g711.h>
#include <spandsp/g722.h>
#include <spandsp/plc.h>
// clang-format on

namespace baton::media {
namespace {

using sdp::Codec;

constexpr int g722_bit_rate = 64'000;
// Clear speech; more is not heard on a telephone, and costs the listener's line.
constexpr int opus_narrow_bit_rate = 20'000, opus_wide_bit_rate = 28'000;
constexpr int opus_complexity = 5;     // of 10
constexpr int opus_expected_loss = 5;  // per cent: what in-band FEC is measured out for

int g722_options(unsigned rate) {
  return rate == 8'000 ? G722_SAMPLE_RATE_8000 : 0;
}

}  // namespace

namespace detail {
struct Concealer {
  Concealer() { plc_init(&state); }
  plc_state_t state{};
};

void Free::operator()(g722_encode_state_s* state) const {
  g722_encode_free(state);
}
void Free::operator()(g722_decode_state_s* state) const {
  g722_decode_free(state);
}
void Free::operator()(Concealer* concealer) const {
  delete concealer;
}
void Free::operator()(OpusEncoder* state) const {
  opus_encoder_destroy(state);
}
void Free::operator()(OpusDecoder* state) const {
  opus_decoder_destroy(state);
}
}  // namespace detail

unsigned frame_ms(Codec codec, unsigned ptime_ms) {
  const unsigned wanted = std::clamp(ptime_ms, 10U, 60U);
  if (codec != Codec::opus) return wanted;
  return wanted >= 60 ? 60 : wanted >= 40 ? 40 : wanted >= 20 ? 20 : 10;
}

std::optional<std::uint32_t> duration(Codec codec, std::span<const std::uint8_t> payload) {
  const std::uint32_t longest = sdp::clock_rate(codec) / 1'000 * packet_ms_max;
  std::uint32_t ticks = 0;
  if (codec == Codec::opus) {
    if (payload.empty() || payload.size() > 3 * encoded_bytes_max) return std::nullopt;
    const int samples =
        opus_packet_get_nb_samples(payload.data(), static_cast<opus_int32>(payload.size()), 48'000);
    ticks = samples > 0 ? static_cast<std::uint32_t>(samples) : 0;
  } else {
    // An octet is an eighth of a millisecond in all three, and a tick of all their clocks.
    ticks = payload.size() > longest ? 0 : static_cast<std::uint32_t>(payload.size());
  }
  if (ticks == 0 || ticks > longest) return std::nullopt;
  return ticks;
}

Encoder::Encoder(Codec codec, unsigned rate) : codec_(codec), rate_(rate) {
  if (codec == Codec::g722) {
    g722_.reset(g722_encode_init(nullptr, g722_bit_rate, g722_options(rate)));
    BATON_ASSERT(g722_ != nullptr);
  } else if (codec == Codec::opus) {
    int error = 0;
    opus_.reset(opus_encoder_create(static_cast<opus_int32>(rate), 1, OPUS_APPLICATION_VOIP, &error));
    BATON_ASSERT(opus_ != nullptr);
    opus_encoder_ctl(opus_.get(),
                     OPUS_SET_BITRATE(rate == 8'000 ? opus_narrow_bit_rate : opus_wide_bit_rate));
    opus_encoder_ctl(opus_.get(), OPUS_SET_COMPLEXITY(opus_complexity));
    opus_encoder_ctl(opus_.get(), OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE));
    opus_encoder_ctl(opus_.get(), OPUS_SET_INBAND_FEC(1));
    opus_encoder_ctl(opus_.get(), OPUS_SET_PACKET_LOSS_PERC(opus_expected_loss));
  }
}

std::size_t Encoder::encode(std::span<const std::int16_t> samples, std::uint8_t* out) {
  const auto count = static_cast<int>(samples.size());
  switch (codec_) {
    case Codec::pcmu:
      std::transform(samples.begin(), samples.end(), out, [](std::int16_t s) { return linear_to_ulaw(s); });
      return samples.size();
    case Codec::pcma:
      std::transform(samples.begin(), samples.end(), out, [](std::int16_t s) { return linear_to_alaw(s); });
      return samples.size();
    case Codec::g722:
      return static_cast<std::size_t>(g722_encode(g722_.get(), out, samples.data(), count));
    case Codec::opus: {
      const int size = opus_encode(opus_.get(), samples.data(), count, out, encoded_bytes_max);
      return size > 0 ? static_cast<std::size_t>(size) : 0;
    }
  }
  return 0;
}

Decoder::Decoder(Codec codec, unsigned rate) : codec_(codec), rate_(rate) {
  if (codec == Codec::g722) {
    g722_.reset(g722_decode_init(nullptr, g722_bit_rate, g722_options(rate)));
    BATON_ASSERT(g722_ != nullptr);
  }
  if (codec == Codec::opus) {
    int error = 0;
    opus_.reset(opus_decoder_create(static_cast<opus_int32>(rate), 1, &error));
    BATON_ASSERT(opus_ != nullptr);
  } else {
    plc_.reset(new detail::Concealer);
  }
}

std::size_t Decoder::decode(std::span<const std::uint8_t> payload, std::int16_t* out) {
  if (!duration(codec_, payload)) return 0;
  int count = 0;
  switch (codec_) {
    case Codec::pcmu:
    case Codec::pcma: {
      const bool a_law = codec_ == Codec::pcma;
      std::transform(payload.begin(), payload.end(), out, [a_law](std::uint8_t octet) {
        return a_law ? alaw_to_linear(octet) : ulaw_to_linear(octet);
      });
      count = static_cast<int>(payload.size());
      break;
    }
    case Codec::g722:
      count = g722_decode(g722_.get(), out, payload.data(), static_cast<int>(payload.size()));
      break;
    case Codec::opus:
      count = opus_decode(opus_.get(), payload.data(), static_cast<opus_int32>(payload.size()), out,
                          static_cast<int>(rate_ / 1'000 * packet_ms_max), 0);
      break;
  }
  if (count <= 0) return 0;
  // It learns what speech was like, and blends what it made up into what came after it.
  if (plc_) plc_rx(&plc_->state, out, count);
  return static_cast<std::size_t>(count);
}

void Decoder::conceal(std::size_t count, std::span<const std::uint8_t> next, std::int16_t* out) {
  if (count == 0) return;
  if (plc_) {
    plc_fillin(&plc_->state, out, static_cast<int>(count));
    return;
  }
  const int made =
      opus_decode(opus_.get(), next.empty() ? nullptr : next.data(), static_cast<opus_int32>(next.size()),
                  out, static_cast<int>(count), next.empty() ? 0 : 1);
  const auto kept = static_cast<std::size_t>(std::clamp(made, 0, static_cast<int>(count)));
  std::fill(out + kept, out + count, std::int16_t{0});
}

void ComfortNoise::set_level(std::uint8_t level) {
  amplitude_ = 32'767.0 * std::sqrt(3.0) * std::pow(10.0, -(level & 0x7f) / 20.0);
}

void ComfortNoise::fill(std::span<std::int16_t> out) {
  for (std::int16_t& sample : out) {
    // Numerical Recipes' generator: even enough to sound like nothing in particular.
    state_ = state_ * 1'664'525 + 1'013'904'223;
    const double even = static_cast<double>(static_cast<std::int32_t>(state_)) / 2'147'483'648.0;
    sample = static_cast<std::int16_t>(std::clamp(even * amplitude_, -32'768.0, 32'767.0));
  }
}

}  // namespace baton::media
