// Something that passes on RTP between parties, on a thread of its own.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/address.h"

namespace baton::bench {

// Streams come in pairs: what arrives for one is sent from the other's socket to the other's party.
[[nodiscard]] constexpr std::size_t partner(std::size_t stream) {
  return stream ^ 1;
}

class Plane {
 public:
  virtual ~Plane() = default;
  // Where the party of a stream sends to, and where what is meant for it comes from.
  [[nodiscard]] virtual SocketAddress address(std::size_t stream) const = 0;
  // Until `stop`.
  virtual void run(const std::atomic<bool>& stop) = 0;
  [[nodiscard]] virtual std::uint64_t forwarded() const = 0;
};

}  // namespace baton::bench
