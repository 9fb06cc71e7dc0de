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
  }
  return "PCMU";
}

std::uint32_t clock_rate(Codec) {
  return 8'000;
}

std::uint8_t default_payload_type(Codec codec) {
  switch (codec) {
    case Codec::pcmu:
      return 0;
    case Codec::pcma:
      return 8;
  }
  return 0;
}

std::optional<Codec> find_codec(std::string_view name, std::uint32_t rate) {
  for (const Codec codec : {Codec::pcmu, Codec::pcma}) {
    if (same_name(name, encoding_name(codec)) && rate == clock_rate(codec)) return codec;
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
