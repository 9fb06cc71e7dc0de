#include "media/digits/tones.h"

#include <array>
#include <cmath>
#include <numbers>

// dtmf.h needs the others before it.
// clang-format off
#include <spandsp/telephony.h>
#include <spandsp/logging.h>
#include <spandsp/queue.h>
#include <spandsp/tone_generate.h>
#include <spandsp/super_tone_rx.h>
#include <spandsp/dtmf.h>
// clang-format on

#include "media/digits/telephone_event.h"

namespace baton::media {
namespace {

// Of each of the two; -7 dBm0 as most equipment sends, of a full scale that is 3.14 dBm0 (ITU-T G.711).
const double amplitude = 32'767 * std::pow(10.0, (-7.0 - 3.14) / 20.0);
constexpr std::array<double, 4> rows = {697, 770, 852, 941};
constexpr std::array<double, 4> columns = {1'209, 1'336, 1'477, 1'633};

struct Place {
  std::uint8_t row, column;
};
// By event number: 0-9, *, #, A-D.
constexpr std::array<Place, digit_events> places = {{{3, 1},
                                                     {0, 0},
                                                     {0, 1},
                                                     {0, 2},
                                                     {1, 0},
                                                     {1, 1},
                                                     {1, 2},
                                                     {2, 0},
                                                     {2, 1},
                                                     {2, 2},
                                                     {3, 0},
                                                     {3, 2},
                                                     {0, 3},
                                                     {1, 3},
                                                     {2, 3},
                                                     {3, 3}}};

}  // namespace

void make_digit_tone(std::uint8_t event, std::size_t from, std::span<std::int16_t> samples, unsigned rate) {
  const Place place = places[event % digit_events];
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const double t = 2 * std::numbers::pi * static_cast<double>(from + i) / rate;
    const double value = std::sin(rows[place.row] * t) + std::sin(columns[place.column] * t);
    samples[i] = static_cast<std::int16_t>(std::lround(amplitude * value));
  }
}

struct ToneDetector::State {
  dtmf_rx_state_t* detector = nullptr;
  std::optional<std::uint8_t> present;
  std::size_t since = 0;  // samples it has been there
  std::vector<Change> changes;
};

ToneDetector::ToneDetector() : state_(std::make_unique<State>()) {
  state_->detector = dtmf_rx_init(nullptr, nullptr, nullptr);
  dtmf_rx_set_realtime_callback(state_->detector, &ToneDetector::report, state_.get());
}

ToneDetector::~ToneDetector() {
  dtmf_rx_free(state_->detector);
}

void ToneDetector::report(void* self, int code, int /*level*/, int /*delay*/) {
  State& state = *static_cast<State*>(self);
  const auto event = event_of(static_cast<char>(code));
  if (state.present) state.changes.push_back({std::nullopt, state.since});
  state.present = event;
  state.since = 0;
  if (event) state.changes.push_back({event, 0});
}

bool ToneDetector::sounding() const {
  return state_->present.has_value();
}

const std::vector<ToneDetector::Change>& ToneDetector::take(std::span<const std::int16_t> samples) {
  State& state = *state_;
  state.changes.clear();
  // spandsp looks at blocks of 102 samples; shorter pieces keep the count of what has passed true.
  constexpr std::size_t piece = 80;
  while (!samples.empty()) {
    const auto now = samples.first(std::min(piece, samples.size()));
    state.since += now.size();
    dtmf_rx(state.detector, now.data(), static_cast<int>(now.size()));
    samples = samples.subspan(now.size());
  }
  return state.changes;
}

}  // namespace baton::media
