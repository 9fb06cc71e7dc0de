// What a stream's party speaks.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "media/port.h"

namespace baton::bench {

// 20 ms each, encoded, to be said round and round.
using Speech = std::vector<std::vector<std::uint8_t>>;

struct Speaks {
  sdp::Format format;
  std::optional<media::Srtp> srtp;
  std::shared_ptr<const Speech> speech;
};

}  // namespace baton::bench
