// Ring-back tone as a caller of each country knows it (ITU-T E.180 and its supplement 2).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "sdp/codec.h"

namespace baton::media {

struct RingBackPlan {
  struct Burst {
    unsigned on_ms = 0;
    unsigned off_ms = 0;
  };
  unsigned first_hz = 0;
  unsigned second_hz = 0;     // 0: one frequency only
  unsigned modulated_hz = 0;  // the rate at which the tone swells and fades; 0: steady
  std::array<Burst, 2> bursts{};
};

// Level of each frequency.
inline constexpr double ring_back_dbm0 = -19.0;

// By ISO 3166 alpha-2 code in capitals. Unknown or empty: 425 Hz, 1 s on, 4 s off, which most of the world
// uses.
[[nodiscard]] const RingBackPlan& ring_back_plan(std::string_view country);

// One whole cadence, 8000 samples a second, to be played round and round; it begins with the tone.
[[nodiscard]] std::vector<std::int16_t> render(const RingBackPlan& plan);
// The same as G.711, to be played round and round; it begins with the tone.
[[nodiscard]] std::vector<std::uint8_t> render(const RingBackPlan& plan, sdp::Codec codec);

// Cadences, made when first asked for and kept: a few dozen at the most.
class RingBackLibrary {
 public:
  // Good for the life of the library.
  [[nodiscard]] const std::vector<std::uint8_t>& cadence(const RingBackPlan& plan, sdp::Codec codec);
  [[nodiscard]] const std::vector<std::int16_t>& samples(const RingBackPlan& plan);

 private:
  std::map<std::pair<const RingBackPlan*, sdp::Codec>, std::vector<std::uint8_t>> rendered_;
  std::map<const RingBackPlan*, std::vector<std::int16_t>> samples_;
};

}  // namespace baton::media
