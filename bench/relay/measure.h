// Planes by turns on one load, so that whatever else the machine does meets all of them.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>

#include "relay/kinds.h"

namespace baton::bench {

struct Settings {
  std::size_t streams = 1'000;
  double seconds = 1;
  unsigned rounds = 3;
  std::size_t search_up_to = 8'000;  // 0: no search
  bool rtpengine = true;
};

// Each plane's CPU a packet and lateness, and its ratio to the floor, the median over the rounds.
[[nodiscard]] nlohmann::json compare(const Kind& kind, const Settings& settings);

// The most streams of which no packet is lost or late by a frame.
[[nodiscard]] nlohmann::json search(const Kind& kind, const Settings& settings);

// What an endpoint of the relay takes of resident memory, with audio both ways; as many as descriptors
// permit, at most so many.
[[nodiscard]] nlohmann::json memory(std::size_t endpoints);

}  // namespace baton::bench
