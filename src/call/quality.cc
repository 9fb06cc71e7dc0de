#include "call/quality.h"

#include <algorithm>
#include <cmath>

namespace baton::call {
namespace {

// G.107 with every default in place: 94.769 before delay and equipment, less the simultaneous impairments.
constexpr double rating_best = 93.2;
// From here on a delay disturbs the turns of a conversation.
constexpr double noticed_delay_ms = 177.3;

struct Equipment {
  double impairment;       // Ie, without loss
  double loss_robustness;  // Bpl
};

// G.113 Appendix I for G.711 with concealment. The model knows narrow-band speech only: wide-band codecs are
// rated as what they are not worse than.
Equipment equipment_of(sdp::Codec) {
  return {0, 25.1};
}

// G.107 Annex B.
double mos_of(double rating) {
  if (rating <= 0) return 1;
  if (rating >= 100) return 4.5;
  return 1 + 0.035 * rating + 7e-6 * rating * (rating - 60) * (100 - rating);
}

std::optional<std::int64_t> rate(const media::Closed& closed, const media::Reception& way) {
  const std::uint64_t expected = way.packets + way.lost;
  if (!closed.codec || expected == 0) return std::nullopt;
  return estimate_mos({*closed.codec, closed.ptime_ms,
                       static_cast<double>(way.lost) / static_cast<double>(expected), way.jitter_us,
                       closed.round_trip_us});
}

}  // namespace

int estimate_mos(const Impairments& given) {
  // Half the way there and back, a packet's length, and a jitter buffer of twice the jitter.
  const double delay_ms =
      given.round_trip_us.value_or(0) / 2'000.0 + given.ptime_ms + 2 * given.jitter_us / 1'000.0;
  const double by_delay = 0.024 * delay_ms + 0.11 * std::max(delay_ms - noticed_delay_ms, 0.0);
  const Equipment equipment = equipment_of(given.codec);
  const double percent = 100 * std::clamp(given.loss, 0.0, 1.0);
  const double by_equipment =
      equipment.impairment + (95 - equipment.impairment) * percent / (percent + equipment.loss_robustness);
  const double mos = std::clamp(mos_of(rating_best - by_delay - by_equipment), 1.0, 4.5);
  return static_cast<int>(std::lround(mos * 100));
}

void describe(const media::Closed& closed, LegQuality& quality) {
  const auto count = [](std::uint64_t value) { return static_cast<std::int64_t>(value); };
  if (closed.codec) quality.codec = sdp::encoding_name(*closed.codec);
  quality.packets_received = count(closed.packets_received);
  quality.packets_sent = count(closed.packets_sent);
  quality.packets_dropped = count(closed.packets_dropped);
  if (const auto& way = closed.received) {
    quality.lost = count(way->lost);
    quality.jitter_us = way->jitter_us;
    quality.jitter_us_max = way->jitter_us_max;
    quality.mos = rate(closed, *way);
  }
  if (const auto& way = closed.reported) {
    quality.reported_lost = count(way->lost);
    quality.reported_jitter_us = way->jitter_us;
    quality.reported_jitter_us_max = way->jitter_us_max;
    quality.reported_mos = rate(closed, *way);
  }
  quality.round_trip_us = closed.round_trip_us;
  quality.round_trip_us_max = closed.round_trip_us_max;
}

}  // namespace baton::call
