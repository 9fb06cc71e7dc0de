// Digits as tones in the audio (ITU-T Q.23): made, and found with spandsp. Samples are 16 bit at 8 kHz.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace baton::media {

// `samples` of the digit's tone from the sample `from` on, `rate` a second; `event` below 16.
void make_digit_tone(std::uint8_t event, std::size_t from, std::span<std::int16_t> samples,
                     unsigned rate = 8'000);

// Finds the digits in one party's audio.
class ToneDetector {
 public:
  ToneDetector();
  ~ToneDetector();
  ToneDetector(const ToneDetector&) = delete;
  ToneDetector& operator=(const ToneDetector&) = delete;

  struct Change {
    std::optional<std::uint8_t> event;  // begins; nothing: the one before ends
    std::size_t lasted = 0;             // samples, of what ends
  };
  // What has changed within these samples, in order; good until the next call.
  [[nodiscard]] const std::vector<Change>& take(std::span<const std::int16_t> samples);
  [[nodiscard]] bool sounding() const;

 private:
  static void report(void* self, int code, int level, int delay);
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace baton::media
