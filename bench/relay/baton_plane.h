// Baton's relay, driven as a shard drives it.
#pragma once

#include <optional>
#include <vector>

#include "media/relay/relay.h"
#include "relay/plane.h"

namespace baton::bench {

// What a stream's party speaks.
struct Speaks {
  sdp::Format format;
  std::optional<media::Srtp> srtp;
};

class BatonPlane : public Plane {
 public:
  // Throws std::runtime_error when an endpoint can not be had.
  BatonPlane(const std::vector<SocketAddress>& parties, const std::vector<Speaks>& speak);

  [[nodiscard]] SocketAddress address(std::size_t stream) const override { return addresses_[stream]; }
  void run(const std::atomic<bool>& stop) override;
  [[nodiscard]] std::uint64_t forwarded() const override { return relay_.counters().sent; }
  [[nodiscard]] const media::Relay::Counters& counters() const { return relay_.counters(); }

 private:
  media::Relay relay_;
  std::vector<media::Result> results_;
  std::vector<SocketAddress> addresses_;
};

}  // namespace baton::bench
