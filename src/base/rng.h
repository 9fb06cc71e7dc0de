// Seeded randomness: SipHash-2-4 of a counter under a key that the seed gives. The machine draws tags,
// branches, Call-IDs and back-off times from one of these, so a seed replays a run byte for byte; and whoever
// is shown tags and branches, which every peer is, learns nothing of those that others are given (RFC
// 3261 8.1.1.7). A server seeds it from the operating system; nonces and SRTP keys come from a longer secret.
#pragma once

#include <cstdint>
#include <string>

#include "base/keyed_hash.h"

namespace baton {

class Rng {
 public:
  explicit Rng(std::uint64_t seed);

  [[nodiscard]] std::uint64_t next();
  // Uniform in [0, bound); bound must not be 0.
  [[nodiscard]] std::uint64_t below(std::uint64_t bound);
  // Uniform in [low, high], both included.
  [[nodiscard]] std::int64_t between(std::int64_t low, std::int64_t high);
  // True with probability numerator/denominator.
  [[nodiscard]] bool chance(std::uint64_t numerator, std::uint64_t denominator);
  // `length` characters of [a-z0-9], all legal in a SIP token.
  [[nodiscard]] std::string token(std::size_t length);
  void append_token(std::string& to, std::size_t length);
  // A version 4 UUID, lower case.
  [[nodiscard]] std::string uuid();

 private:
  KeyedHash secret_;
  std::uint64_t drawn_ = 0;
};

}  // namespace baton
