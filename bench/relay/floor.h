// The least a relay can do: one socket a stream, epoll, recvmmsg, sendmmsg, and no look into any packet.
#pragma once

#include <sys/socket.h>

#include <array>
#include <vector>

#include "media/relay/sockets.h"
#include "relay/plane.h"

namespace baton::bench {

class Floor : public Plane {
 public:
  // `parties`: where each stream's party is. Throws std::runtime_error when there are not enough sockets.
  explicit Floor(const std::vector<SocketAddress>& parties);

  [[nodiscard]] SocketAddress address(std::size_t stream) const override { return streams_[stream].local; }
  void run(const std::atomic<bool>& stop) override;
  [[nodiscard]] std::optional<std::uint64_t> forwarded() const override { return forwarded_; }

 private:
  static constexpr std::size_t batch = 16;
  struct Stream {
    media::Descriptor fd;
    SocketAddress local;
    media::KernelAddress party;
  };
  void pass_on(std::size_t stream);

  std::vector<Stream> streams_;
  media::Descriptor epoll_;
  std::uint64_t forwarded_ = 0;
  std::array<std::array<std::uint8_t, 2'048>, batch> buffers_{};
  std::array<iovec, batch> parts_{};
  std::array<mmsghdr, batch> messages_{};
};

}  // namespace baton::bench
