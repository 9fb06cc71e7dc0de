// Measuring audio in tests.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>
#include <span>
#include <vector>

namespace baton::media::test {

inline std::vector<std::int16_t> sine(double hz, double amplitude, std::size_t count) {
  std::vector<std::int16_t> samples(count);
  for (std::size_t n = 0; n < count; ++n) {
    const double phase = 2.0 * std::numbers::pi * hz * static_cast<double>(n) / 8'000.0;
    samples[n] = static_cast<std::int16_t>(std::lround(amplitude * std::sin(phase)));
  }
  return samples;
}

// Amplitude of the sine of this frequency in the samples (Goertzel).
inline double amplitude_at(double hz, std::span<const std::int16_t> samples) {
  const double w = 2.0 * std::numbers::pi * hz / 8'000.0;
  double before = 0, before_that = 0;
  for (const std::int16_t sample : samples) {
    const double value = sample + 2.0 * std::cos(w) * before - before_that;
    before_that = before;
    before = value;
  }
  const double power = before * before + before_that * before_that - 2.0 * std::cos(w) * before * before_that;
  return 2.0 * std::sqrt(power) / static_cast<double>(samples.size());
}

inline double rms(std::span<const std::int16_t> samples) {
  double sum = 0;
  for (const std::int16_t sample : samples) sum += double{1} * sample * sample;
  return samples.empty() ? 0 : std::sqrt(sum / static_cast<double>(samples.size()));
}

// Of `heard` against what was said, in decibels.
inline double signal_to_noise_db(std::span<const std::int16_t> said, std::span<const std::int16_t> heard) {
  double signal = 0, noise = 0;
  for (std::size_t n = 0; n < said.size(); ++n) {
    const double error = said[n] - heard[n];
    signal += double{1} * said[n] * said[n];
    noise += error * error;
  }
  return noise == 0 ? 200.0 : 10.0 * std::log10(signal / noise);
}

}  // namespace baton::media::test
