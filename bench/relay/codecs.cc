#include "relay/codecs.h"

#include <array>
#include <cmath>
#include <ctime>
#include <numbers>

#include "media/codec/coder.h"
#include "media/relay/g711.h"

namespace baton::bench {
namespace {

constexpr unsigned frame_ms = 20;
constexpr unsigned frames = 50;
constexpr std::size_t room = 16 * media::packet_ms_max;

std::vector<std::int16_t> voice(unsigned rate) {
  std::vector<std::int16_t> samples(rate);
  double phase = 0;
  std::uint32_t noise = 1;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const double at = static_cast<double>(i) / rate;
    const double pitch = 120 + 40 * std::sin(2 * std::numbers::pi * 3 * at);
    phase += 2 * std::numbers::pi * pitch / rate;
    const double loud = std::max(0.0, std::sin(2 * std::numbers::pi * 2 * at));
    noise = noise * 1'664'525 + 1'013'904'223;
    double sample = (static_cast<double>(noise >> 16) / 65'536 - 0.5) * 0.2;
    for (int harmonic = 1; harmonic <= 20; ++harmonic) sample += std::sin(phase * harmonic) / (1 + harmonic);
    samples[i] = static_cast<std::int16_t>(6'000 * loud * sample);
  }
  return samples;
}

std::uint64_t thread_ns() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(time.tv_nsec);
}

// Between the two laws there is a table, and no codec.
double table_ns(sdp::Codec from, sdp::Codec to, const Speech& speech) {
  constexpr unsigned times = 200;
  std::array<std::uint8_t, room> out;
  const std::uint64_t before = thread_ns();
  for (unsigned i = 0; i < times; ++i) {
    for (const auto& payload : speech) media::transcode(from, to, payload, out.data());
  }
  return static_cast<double>(thread_ns() - before) / (times * frames);
}

double one_way_ns(sdp::Codec from, sdp::Codec to, std::size_t streams) {
  struct State {
    media::Decoder decoder;
    media::Encoder encoder;
  };
  const auto speech = speech_in(from);
  if (media::is_g711(from) && media::is_g711(to)) return table_ns(from, to, *speech);
  const unsigned rate = media::common_rate(from, to);
  std::vector<State> states;
  for (std::size_t i = 0; i < streams; ++i) states.push_back({{from, rate}, {to, rate}});
  std::array<std::int16_t, room> samples;
  std::array<std::uint8_t, media::encoded_bytes_max> out;
  const auto round = [&](unsigned frame) {
    for (State& state : states) {
      const std::size_t count = state.decoder.decode((*speech)[frame % frames], samples.data());
      static_cast<void>(state.encoder.encode({samples.data(), count}, out.data()));
    }
  };
  round(0);
  const std::uint64_t before = thread_ns();
  for (unsigned frame = 1; frame <= frames; ++frame) round(frame);
  return static_cast<double>(thread_ns() - before) / static_cast<double>(frames * streams);
}

}  // namespace

std::shared_ptr<const Speech> speech_in(sdp::Codec codec) {
  const unsigned rate = media::natural_rate(codec);
  const std::size_t length = rate / 1'000 * frame_ms;
  const auto samples = voice(rate);
  media::Encoder encoder(codec, rate);
  auto speech = std::make_shared<Speech>();
  for (unsigned i = 0; i < frames; ++i) {
    std::vector<std::uint8_t> payload(media::encoded_bytes_max);
    payload.resize(encoder.encode({samples.data() + i * length, length}, payload.data()));
    speech->push_back(std::move(payload));
  }
  return speech;
}

double codec_ns(sdp::Codec one, sdp::Codec other, std::size_t streams) {
  return (one_way_ns(one, other, streams) + one_way_ns(other, one, streams)) / 2;
}

}  // namespace baton::bench
