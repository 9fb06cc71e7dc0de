#include "media/relay/ports.h"

#include <algorithm>
#include <utility>

namespace baton::media {

PortPool::PortPool(std::uint16_t port_min, std::uint16_t port_max, Duration rest, Rng& rng)
    : port_min_(port_min), port_max_(port_max), rest_(rest) {
  for (unsigned port = std::max(2U, (port_min + 1U) & ~1U); port + 1 <= port_max; port += 2) {
    pairs_.push_back({static_cast<std::uint16_t>(port), Time::min()});
  }
  size_ = pairs_.size();
  for (std::size_t i = size_; i > 1; --i) std::swap(pairs_[i - 1], pairs_[rng.below(i)]);
}

std::optional<std::uint16_t> PortPool::take(Time now) {
  if (pairs_.empty() || pairs_.front().free_at > now) return std::nullopt;
  const std::uint16_t port = pairs_.front().port;
  pairs_.pop_front();
  return port;
}

void PortPool::give_back(Time now, std::uint16_t port, bool used) {
  if (used) {
    pairs_.push_back({port, now + rest_});
  } else {
    pairs_.push_front({port, Time::min()});
  }
}

std::string PortPool::shortage() const {
  const std::string range = std::to_string(port_min_) + "-" + std::to_string(port_max_);
  if (size_ == 0) return "the RTP port range " + range + " has no even port with its odd neighbour";
  return "no RTP port pair is free in " + range + ": " + std::to_string(size_ - pairs_.size()) + " in use, " +
         std::to_string(pairs_.size()) + " at rest after use";
}

}  // namespace baton::media
