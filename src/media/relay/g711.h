// G.711 audio: conversion between its two laws and encoding of samples, over spandsp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "sdp/codec.h"

namespace baton::media {

// Octet for octet; `out` is as long as `in`. A codec to itself is a copy.
void transcode(sdp::Codec from, sdp::Codec to, std::span<const std::uint8_t> in, std::uint8_t* out);

[[nodiscard]] std::vector<std::uint8_t> encode(sdp::Codec codec, std::span<const std::int16_t> samples);
[[nodiscard]] std::vector<std::int16_t> decode(sdp::Codec codec, std::span<const std::uint8_t> octets);

}  // namespace baton::media
