// How a leg's audio was, from what the media plane measured.
#pragma once

#include <cstdint>
#include <optional>

#include "call/records.h"
#include "media/port.h"

namespace baton::call {

// Below it many users are dissatisfied (ITU-T G.107 Annex B).
inline constexpr std::int64_t mos_poor = 360;

// What decides how one direction of a conversation sounds.
struct Impairments {
  sdp::Codec codec = sdp::Codec::pcmu;
  unsigned ptime_ms = 20;
  double loss = 0;  // 0 … 1
  std::uint32_t jitter_us = 0;
  std::optional<std::uint32_t> round_trip_us{};  // nothing: the way is taken as short
};

// An estimate of the mean opinion score in hundredths, 100 … 450, by the E-model (ITU-T G.107) with its
// default values but for delay, codec and loss; docs/operations.md has the formula.
[[nodiscard]] int estimate_mos(const Impairments& impairments);

// The figures of `closed`, with an estimate for each direction in which there was a stream.
void describe(const media::Closed& closed, LegQuality& quality);

}  // namespace baton::call
