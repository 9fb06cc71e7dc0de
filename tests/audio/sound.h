// Sounds to send, and what can be said about those that arrive.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace baton::audio {

// Of the time in seconds since the party began to speak; between -1 and 1.
using Sound = std::function<double(double)>;

[[nodiscard]] Sound tone(double hz);
// A voice that says nothing: a gliding pitch with overtones, in syllables. Different seeds sound different.
[[nodiscard]] Sound speech(unsigned seed);
[[nodiscard]] Sound silence();

struct Clip {
  unsigned rate = 8'000;  // samples a second
  std::vector<std::int16_t> samples;

  [[nodiscard]] double seconds() const { return static_cast<double>(samples.size()) / rate; }
};

[[nodiscard]] Clip render(const Sound& sound, double from_seconds, double seconds, unsigned rate);

// How strong the tone of that frequency is, as a share of all there is; between 0 and 1. Of silence: 0.
[[nodiscard]] double share_of_tone(const Clip& clip, double hz);
// Of the tone against everything else, in decibels: the median over pieces of 100 ms, so that one click does
// not decide.
[[nodiscard]] double signal_to_noise_db(const Clip& clip, double hz);
[[nodiscard]] double rms(const Clip& clip);
// How alike the two are where they fit best, `heard` being the later one by up to half a second: 1 for the
// same. Rates may differ.
[[nodiscard]] double likeness(const Clip& said, const Clip& heard);

}  // namespace baton::audio
