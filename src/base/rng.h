// Seeded randomness (xoshiro256**, seeded by splitmix64). The machine draws tags, branches, Call-IDs and
// back-off times from one of these, so a seed replays a run byte for byte. A server seeds it from the
// operating system; nonces and keys that must not be guessed come in from outside the machine.
#pragma once

#include <array>
#include <cstdint>
#include <string>

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
  // A version 4 UUID, lower case.
  [[nodiscard]] std::string uuid();

 private:
  std::array<std::uint64_t, 4> state_{};
};

}  // namespace baton
