// The one time scale of the machine: microseconds since 1970-01-01 UTC that never run backwards. A driver
// makes them from the wall clock at its start plus a steady clock; the simulator makes them up.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace baton {

struct Epoch {
  using rep = std::int64_t;
  using period = std::micro;
  using duration = std::chrono::microseconds;
  using time_point = std::chrono::time_point<Epoch>;
  static constexpr bool is_steady = true;
};

using Time = Epoch::time_point;
using Duration = Epoch::duration;
using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): 500ms reads as in the RFCs

[[nodiscard]] constexpr std::int64_t to_micros(Time t) {
  return t.time_since_epoch().count();
}
[[nodiscard]] constexpr Time from_micros(std::int64_t us) {
  return Time{Duration{us}};
}

// "2026-11-21T10:08:00.123456Z"
[[nodiscard]] std::string to_iso8601(Time t);

}  // namespace baton
