#include "sound.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <span>

namespace baton::audio {
namespace {

constexpr double two_pi = 2.0 * std::numbers::pi;
constexpr double loudest = 32'767.0;

using Piece = std::span<const std::int16_t>;

double power(Piece piece) {
  double sum = 0;
  for (const std::int16_t sample : piece) sum += double{1} * sample * sample;
  return piece.empty() ? 0 : sum / static_cast<double>(piece.size());
}

// Power of the sine of that frequency (Goertzel).
double power_of_tone(Piece piece, double hz, unsigned rate) {
  const double w = two_pi * hz / rate;
  double before = 0, before_that = 0;
  for (const std::int16_t sample : piece) {
    const double value = sample + 2.0 * std::cos(w) * before - before_that;
    before_that = before;
    before = value;
  }
  const double squared =
      before * before + before_that * before_that - 2.0 * std::cos(w) * before * before_that;
  const auto count = static_cast<double>(piece.size());
  return piece.empty() ? 0 : 2.0 * squared / (count * count);
}

// Every second sample of two added up: good enough to compare by.
Clip halved(const Clip& clip) {
  Clip half{clip.rate / 2, {}};
  for (std::size_t i = 0; i + 1 < clip.samples.size(); i += 2) {
    half.samples.push_back(static_cast<std::int16_t>((clip.samples[i] + clip.samples[i + 1]) / 2));
  }
  return half;
}

double dot(const std::int16_t* a, const std::int16_t* b, std::size_t count) {
  double sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += double{1} * a[i] * b[i];
  return sum;
}

}  // namespace

Sound tone(double hz) {
  return [hz](double t) { return 0.3 * std::sin(two_pi * hz * t); };
}

Sound silence() {
  return [](double) { return 0.0; };
}

Sound speech(unsigned seed) {
  const double pitch = 110.0 + 23.0 * (seed % 5), glide = 0.31 + 0.17 * (seed % 3),
               beat = 3.1 + 0.7 * (seed % 4);
  return [=](double t) {
    const double phase = two_pi * (pitch * t + 20.0 / (two_pi * glide) * std::sin(two_pi * glide * t));
    double voiced = 0;
    for (int overtone = 1; overtone <= 14; ++overtone) {
      const double colour = 1.0 + std::cos(overtone * (0.7 + 0.3 * std::sin(two_pi * 1.3 * t)));
      voiced += colour / overtone * std::sin(overtone * phase);
    }
    const double syllable = std::max(0.0, std::sin(two_pi * beat * t) + 0.4);
    return 0.12 * syllable * voiced;
  };
}

Clip render(const Sound& sound, double from_seconds, double seconds, unsigned rate) {
  Clip clip{rate, {}};
  const auto count = static_cast<std::size_t>(std::llround(seconds * rate));
  for (std::size_t i = 0; i < count; ++i) {
    const double value = sound(from_seconds + static_cast<double>(i) / rate);
    clip.samples.push_back(static_cast<std::int16_t>(std::lround(loudest * std::clamp(value, -1.0, 1.0))));
  }
  return clip;
}

double share_of_tone(const Clip& clip, double hz) {
  const double all = power(clip.samples);
  return all < 1.0 ? 0 : std::min(1.0, power_of_tone(clip.samples, hz, clip.rate) / all);
}

double signal_to_noise_db(const Clip& clip, double hz) {
  // Pieces of whole periods, or what is cut off counts as noise.
  const double periods = std::max(1.0, std::round(0.1 * hz));
  const auto length = static_cast<std::size_t>(std::lround(periods * clip.rate / hz));
  std::vector<double> found;
  for (std::size_t at = 0; at + length <= clip.samples.size(); at += length) {
    const Piece piece(clip.samples.data() + at, length);
    const double signal = power_of_tone(piece, hz, clip.rate);
    const double noise = std::max(power(piece) - signal, 1e-3);
    found.push_back(10.0 * std::log10(std::max(signal, 1e-3) / noise));
  }
  if (found.empty()) return -100.0;
  std::nth_element(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(found.size() / 2), found.end());
  return found[found.size() / 2];
}

double rms(const Clip& clip) {
  return std::sqrt(power(clip.samples));
}

double likeness(const Clip& said, const Clip& heard) {
  // What makes a voice this one lies low.
  constexpr unsigned enough = 4'000;
  if (said.rate > enough) return likeness(halved(said), heard);
  if (heard.rate > enough) return likeness(said, halved(heard));
  const std::size_t latest = said.rate / 2;
  if (said.samples.size() <= latest || heard.samples.size() < said.samples.size()) return 0;
  const std::size_t count = said.samples.size() - latest;
  const double own = dot(said.samples.data(), said.samples.data(), count);
  double best = 0;
  for (std::size_t lag = 0; lag < latest; ++lag) {
    const std::int16_t* part = heard.samples.data() + lag;
    const double other = dot(part, part, count);
    if (own > 0 && other > 0) {
      best = std::max(best, dot(said.samples.data(), part, count) / std::sqrt(own * other));
    }
  }
  return best;
}

}  // namespace baton::audio
