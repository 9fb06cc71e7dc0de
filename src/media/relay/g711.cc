#include "media/relay/g711.h"

#include <algorithm>
#include <array>

// g711.h needs the two others before it.
// clang-format off
#include <spandsp/telephony.h>
#include <spandsp/bit_operations.h>
#include <spandsp/g711.h>
// clang-format on

namespace baton::media {
namespace {

using Table = std::array<std::uint8_t, 256>;

Table make_table(std::uint8_t (*convert)(std::uint8_t)) {
  Table table{};
  for (unsigned i = 0; i < table.size(); ++i) table[i] = convert(static_cast<std::uint8_t>(i));
  return table;
}

}  // namespace

void transcode(sdp::Codec from, sdp::Codec to, std::span<const std::uint8_t> in, std::uint8_t* out) {
  static const Table to_pcma = make_table(ulaw_to_alaw);
  static const Table to_pcmu = make_table(alaw_to_ulaw);
  if (from == to) {
    std::copy(in.begin(), in.end(), out);
    return;
  }
  const Table& table = to == sdp::Codec::pcma ? to_pcma : to_pcmu;
  std::transform(in.begin(), in.end(), out, [&table](std::uint8_t octet) { return table[octet]; });
}

std::vector<std::uint8_t> encode(sdp::Codec codec, std::span<const std::int16_t> samples) {
  std::vector<std::uint8_t> octets(samples.size());
  std::transform(samples.begin(), samples.end(), octets.begin(), [codec](std::int16_t sample) {
    return codec == sdp::Codec::pcma ? linear_to_alaw(sample) : linear_to_ulaw(sample);
  });
  return octets;
}

std::vector<std::int16_t> decode(sdp::Codec codec, std::span<const std::uint8_t> octets) {
  std::vector<std::int16_t> samples(octets.size());
  std::transform(octets.begin(), octets.end(), samples.begin(), [codec](std::uint8_t octet) {
    return codec == sdp::Codec::pcma ? alaw_to_linear(octet) : ulaw_to_linear(octet);
  });
  return samples;
}

}  // namespace baton::media
