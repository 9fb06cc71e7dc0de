// Baton's relay, driven as a shard drives it.
#pragma once

#include <vector>

#include "media/relay/relay.h"
#include "relay/plane.h"
#include "relay/speaks.h"

namespace baton::bench {

class BatonPlane : public Plane {
 public:
  static constexpr std::uint16_t port_min = 1'024,
                                 port_max = 32'000;  // below what the kernel gives to others
  static constexpr std::size_t endpoints_max = (port_max - port_min) / 2;

  // Throws std::runtime_error when an endpoint can not be had.
  BatonPlane(const std::vector<SocketAddress>& parties, const std::vector<Speaks>& speak);

  [[nodiscard]] SocketAddress address(std::size_t stream) const override { return addresses_[stream]; }
  void run(const std::atomic<bool>& stop) override;
  [[nodiscard]] std::optional<std::uint64_t> forwarded() const override { return relay_.counters().sent; }
  [[nodiscard]] const media::Relay::Counters& counters() const { return relay_.counters(); }

 private:
  media::Relay relay_;
  std::vector<media::Result> results_;
  std::vector<SocketAddress> addresses_;
};

}  // namespace baton::bench
