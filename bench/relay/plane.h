// Something that passes on RTP between parties, on a thread or in a process of its own.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>

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
  // Packets; nothing: it does not say, and what arrives is counted instead.
  [[nodiscard]] virtual std::optional<std::uint64_t> forwarded() const = 0;
  // Processor time since the start, ns; nothing: that of the thread of run().
  [[nodiscard]] virtual std::optional<std::uint64_t> cpu_ns() const { return std::nullopt; }
};

}  // namespace baton::bench
