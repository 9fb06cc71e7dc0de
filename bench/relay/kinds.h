// What is measured: what the two parties of a call speak.
#pragma once

#include <string>
#include <vector>

#include "relay/speaks.h"

namespace baton::bench {

struct Kind {
  std::string name;
  sdp::Codec one = sdp::Codec::pcmu, other = sdp::Codec::pcmu;
  std::optional<sdp::Suite> one_suite{}, other_suite{};
  std::size_t streams_max = 100'000;  // as many as are sure to be carried
  bool searched = true;               // for how many it carries; another of its sort says as much when not

  [[nodiscard]] bool converts() const { return one != other; }
  [[nodiscard]] bool plain() const { return !converts() && !one_suite && !other_suite; }
};

[[nodiscard]] std::vector<Kind> kinds();
[[nodiscard]] std::vector<Speaks> speak(const Kind& kind, std::size_t streams);

}  // namespace baton::bench
