// The parties: a stream of RTP from each, on time, and what comes back of it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "media/relay/sockets.h"
#include "media/relay/srtp.h"
#include "relay/plane.h"
#include "relay/speaks.h"

namespace baton::bench {

struct Round {
  std::uint64_t sent = 0, arrived = 0;
  std::int64_t behind_us = 0;          // how late the parties themselves were, at worst
  std::vector<std::uint32_t> late_us;  // of each packet that arrived, from sendmmsg to the party's socket
  std::uint64_t relay_cpu_ns = 0;      // of the relay's thread or process
  std::uint64_t forwarded = 0;

  [[nodiscard]] double ns_per_packet() const {
    return forwarded == 0 ? 0 : static_cast<double>(relay_cpu_ns) / static_cast<double>(forwarded);
  }
  // Sorts late_us.
  [[nodiscard]] std::uint32_t percentile(double share);
};

class Load {
 public:
  static constexpr unsigned packets_per_second = 50;

  explicit Load(std::size_t streams);

  [[nodiscard]] std::vector<SocketAddress> parties() const;
  // Runs the plane on a thread of its own and sends to it for so long, each party as `speak` says.
  [[nodiscard]] Round run(Plane& plane, double seconds, const std::vector<Speaks>& speak);

 private:
  static constexpr std::size_t group = 16;  // streams that share a socket of ours and a moment
  struct Stream {
    std::uint8_t payload_type = 0;
    std::uint32_t ticks = 0;  // of its clock, in a packet
    std::shared_ptr<const Speech> speech;
    bool secure = false;
    std::uint16_t sequence = 0;
    std::uint32_t timestamp = 0;
    std::optional<std::uint16_t> offset;     // the relay's numbers minus ours
    std::vector<std::uint64_t> sent_at;      // by the low bits of the sequence number
    std::optional<media::SrtpContext> seal;  // stays over rounds without
  };

  void prepare(const Plane& plane, const std::vector<Speaks>& speak);
  void send_group(std::size_t first, Round& round);
  void drain(Round& round);
  void arrived(std::uint16_t port, std::uint16_t sequence, std::uint64_t at, Round& round);

  std::size_t count_;
  std::vector<media::Descriptor> sockets_;
  std::vector<SocketAddress> addresses_;
  media::Descriptor epoll_;
  std::vector<Stream> streams_;
  std::vector<media::KernelAddress> targets_;
  std::vector<std::uint32_t> by_port_;  // the stream whose packets come from that port; count_: none
};

}  // namespace baton::bench
