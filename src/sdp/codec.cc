#include "sdp/codec.h"

#include <algorithm>

namespace baton::sdp {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

// Encoding names are compared without regard to case (RFC 4855 3).
bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

std::string_view encoding_name(Codec codec) {
  switch (codec) {
    case Codec::pcmu:
      return "PCMU";
    case Codec::pcma:
      return "PCMA";
    case Codec::g722:
      return "G722";
    case Codec::opus:
      return "opus";
  }
  return "PCMU";
}

std::string_view format_parameters(Codec codec) {
  // RFC 7587 7.1: one channel is all we make and all we have a use for.
  return codec == Codec::opus ? "minptime=10;useinbandfec=1;stereo=0;sprop-stereo=0" : "";
}

std::uint8_t default_payload_type(Codec codec) {
  switch (codec) {
    case Codec::pcmu:
      return 0;
    case Codec::pcma:
      return 8;
    case Codec::g722:
      return 9;
    case Codec::opus:
      return 111;
  }
  return 0;
}

std::optional<Codec> find_codec(std::string_view name, std::uint32_t rate, unsigned written_channels) {
  for (const Codec codec : all_codecs) {
    if (same_name(name, encoding_name(codec)) && rate == clock_rate(codec) &&
        written_channels == channels(codec)) {
      return codec;
    }
  }
  return std::nullopt;
}

std::optional<Codec> static_codec(std::uint8_t payload_type) {
  for (const Codec codec : {Codec::pcmu, Codec::pcma, Codec::g722}) {
    if (payload_type == default_payload_type(codec)) return codec;
  }
  return std::nullopt;
}

std::string_view to_string(Direction direction) {
  switch (direction) {
    case Direction::sendrecv:
      return "sendrecv";
    case Direction::sendonly:
      return "sendonly";
    case Direction::recvonly:
      return "recvonly";
    case Direction::inactive:
      return "inactive";
  }
  return "sendrecv";
}

Direction mirror(Direction offered) {
  switch (offered) {
    case Direction::sendonly:
      return Direction::recvonly;
    case Direction::recvonly:
      return Direction::sendonly;
    case Direction::sendrecv:
    case Direction::inactive:
      return offered;
  }
  return offered;
}

}  // namespace baton::sdp
