#include "media/recording/mixdown.h"

#include <algorithm>
#include <cstdlib>

namespace baton::media {
namespace {

// Beyond it the party's clock is no guide any more to when something was said.
constexpr std::int64_t drift_max = recording_rate / 4;
constexpr std::size_t silence_frames = recording_rate;  // written at a time

}  // namespace

std::int64_t Mixdown::frame_at(Time at) const {
  return (at - start_).count() * recording_rate / 1'000'000;
}

void Mixdown::add(unsigned channel, Time at, std::uint32_t ssrc, std::uint32_t timestamp,
                  std::span<const std::int16_t> samples, const Sink& sink) {
  Channel& line = channels_[channel & 1];
  const std::int64_t arrived = std::max<std::int64_t>(frame_at(at), 0);
  // What is far ahead of the window comes after a silence, which is written first.
  advance(at, sink);
  std::int64_t frame = line.frame + static_cast<std::int32_t>(timestamp - line.timestamp);
  if (!line.anchored || line.ssrc != ssrc || std::abs(frame - arrived) > drift_max) frame = arrived;
  line = {true, ssrc, timestamp, frame};
  for (const std::int16_t sample : samples) {
    const std::int64_t place = frame++ - written_;
    if (place < 0) continue;  // too late
    const std::size_t index = 2 * static_cast<std::size_t>(place) + (channel & 1);
    if (index >= window_.size()) window_.resize(2 * (static_cast<std::size_t>(place) + 1));
    window_[index] = sample;
  }
}

void Mixdown::flush(Time until, const Sink& sink) {
  std::int64_t frames = frame_at(until) - written_;
  if (frames <= 0) return;
  const std::size_t held = std::min(window_.size(), 2 * static_cast<std::size_t>(frames));
  if (held != 0) sink({window_.data(), held});
  window_.erase(window_.begin(), window_.begin() + static_cast<std::ptrdiff_t>(held));
  written_ += frames;
  frames -= static_cast<std::int64_t>(held / 2);
  static const std::vector<std::int16_t> silence(2 * silence_frames);
  for (; frames > 0; frames -= static_cast<std::int64_t>(silence_frames)) {
    sink({silence.data(), 2 * static_cast<std::size_t>(std::min<std::int64_t>(frames, silence_frames))});
  }
}

}  // namespace baton::media
