#include "media/relay/ring_back.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "media/relay/g711.h"

namespace baton::media {
namespace {

constexpr unsigned samples_per_ms = 8;
constexpr double samples_per_second = 8'000.0;
// G.711: a sine at full scale is +3.14 dBm0 in A-law and +3.17 in mu-law.
constexpr double full_scale_dbm0 = 3.15;
constexpr double full_scale = 32'767.0;

constexpr RingBackPlan most_of_the_world{425, 0, 0, {{{1000, 4000}}}};
constexpr RingBackPlan every_four_seconds{425, 0, 0, {{{1000, 3000}}}};
constexpr RingBackPlan every_six_seconds{425, 0, 0, {{{1000, 5000}}}};
constexpr RingBackPlan north_america{440, 480, 0, {{{2000, 4000}}}};
constexpr RingBackPlan east_asia{440, 480, 0, {{{1000, 2000}}}};
constexpr RingBackPlan hong_kong{440, 480, 0, {{{400, 200}, {400, 3000}}}};
constexpr RingBackPlan britain{400, 450, 0, {{{400, 200}, {400, 2000}}}};
constexpr RingBackPlan australia{413, 438, 0, {{{400, 200}, {400, 2000}}}};
constexpr RingBackPlan malaysia{425, 0, 0, {{{400, 200}, {400, 2000}}}};
constexpr RingBackPlan singapore{425, 0, 24, {{{400, 200}, {400, 2000}}}};
constexpr RingBackPlan india{400, 0, 25, {{{400, 200}, {400, 2000}}}};
constexpr RingBackPlan south_africa{400, 0, 33, {{{400, 200}, {400, 2000}}}};
constexpr RingBackPlan japan{400, 0, 16, {{{1000, 2000}}}};
constexpr RingBackPlan china{450, 0, 0, {{{1000, 4000}}}};
constexpr RingBackPlan turkey{450, 0, 0, {{{2000, 4000}}}};
constexpr RingBackPlan france{440, 0, 0, {{{1500, 3500}}}};
constexpr RingBackPlan spain{425, 0, 0, {{{1500, 3000}}}};
constexpr RingBackPlan austria{420, 0, 0, {{{1000, 5000}}}};
constexpr RingBackPlan hungary{425, 0, 0, {{{1250, 3750}}}};
constexpr RingBackPlan chile{400, 0, 0, {{{1000, 3000}}}};
constexpr RingBackPlan argentina{425, 0, 0, {{{1000, 4500}}}};
constexpr RingBackPlan philippines{425, 480, 0, {{{1000, 4000}}}};
constexpr RingBackPlan thailand{420, 0, 0, {{{1000, 5000}}}};

struct Row {
  std::string_view country;
  const RingBackPlan* plan;
};

// Sorted. Countries that sound like most of the world are not listed.
constexpr Row rows[] = {
    {"AE", &britain},
    {"AG", &north_america},
    {"AI", &north_america},
    {"AR", &argentina},
    {"AS", &north_america},
    {"AT", &austria},
    {"AU", &australia},
    {"BB", &north_america},
    {"BE", &every_four_seconds},
    {"BM", &north_america},
    {"BS", &north_america},
    {"CA", &north_america},
    {"CL", &chile},
    {"CN", &china},
    {"DM", &north_america},
    {"DO", &north_america},
    {"ES", &spain},
    {"FR", &france},
    {"GB", &britain},
    {"GD", &north_america},
    {"GG", &britain},
    {"GU", &north_america},
    {"HK", &hong_kong},
    {"HU", &hungary},
    {"IE", &britain},
    {"IL", &chile},
    {"IM", &britain},
    {"IN", &india},
    {"JE", &britain},
    {"JM", &north_america},
    {"JP", &japan},
    {"KN", &north_america},
    {"KR", &east_asia},
    {"KY", &north_america},
    {"LC", &north_america},
    {"MP", &north_america},
    {"MS", &north_america},
    {"MY", &malaysia},
    {"NZ", &britain},
    {"PH", &philippines},
    {"PR", &north_america},
    {"PT", &every_six_seconds},
    {"SE", &every_six_seconds},
    {"SG", &singapore},
    {"SX", &north_america},
    {"TC", &north_america},
    {"TH", &thailand},
    {"TR", &turkey},
    {"TT", &north_america},
    {"TW", &east_asia},
    {"US", &north_america},
    {"VC", &north_america},
    {"VG", &north_america},
    {"VI", &north_america},
    {"ZA", &south_africa},
};

constexpr bool sorted() {
  for (std::size_t i = 1; i < std::size(rows); ++i) {
    if (!(rows[i - 1].country < rows[i].country)) return false;
  }
  return true;
}
static_assert(sorted());

double amplitude() {
  return full_scale * std::pow(10.0, (ring_back_dbm0 - full_scale_dbm0) / 20.0);
}

// The tone at sample `n` of a burst; between -2 and 2.
double tone(const RingBackPlan& plan, std::size_t n) {
  const double t = 2.0 * std::numbers::pi * static_cast<double>(n) / samples_per_second;
  double value = std::sin(plan.first_hz * t);
  if (plan.second_hz != 0) value += std::sin(plan.second_hz * t);
  if (plan.modulated_hz != 0) value *= 1.0 - std::cos(plan.modulated_hz * t);
  return value;
}

}  // namespace

const RingBackPlan& ring_back_plan(std::string_view country) {
  const auto* row = std::lower_bound(std::begin(rows), std::end(rows), country,
                                     [](const Row& r, std::string_view c) { return r.country < c; });
  return row != std::end(rows) && row->country == country ? *row->plan : most_of_the_world;
}

std::vector<std::int16_t> render(const RingBackPlan& plan) {
  std::vector<std::int16_t> samples;
  const double level = amplitude();
  for (const auto& burst : plan.bursts) {
    const std::size_t on = std::size_t{burst.on_ms} * samples_per_ms;
    for (std::size_t n = 0; n < on; ++n) {
      samples.push_back(static_cast<std::int16_t>(std::lround(level * tone(plan, n))));
    }
    samples.resize(samples.size() + std::size_t{burst.off_ms} * samples_per_ms);
  }
  return samples;
}

std::vector<std::uint8_t> render(const RingBackPlan& plan, sdp::Codec codec) {
  return encode(codec, render(plan));
}

const std::vector<std::uint8_t>& RingBackLibrary::cadence(const RingBackPlan& plan, sdp::Codec codec) {
  std::vector<std::uint8_t>& octets = rendered_[{&plan, codec}];
  if (octets.empty()) octets = render(plan, codec);
  return octets;
}

const std::vector<std::int16_t>& RingBackLibrary::samples(const RingBackPlan& plan) {
  std::vector<std::int16_t>& samples = samples_[&plan];
  if (samples.empty()) samples = render(plan);
  return samples;
}

}  // namespace baton::media
