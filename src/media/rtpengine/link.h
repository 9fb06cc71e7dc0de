// UDP sockets that never block: to rtpengine's ng port, connected, so that nothing from elsewhere arrives;
// and the one to which it logs keys, from a port of its choice.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "media/relay/sockets.h"

namespace baton::media::rtpengine {

class Link {
 public:
  // The error is the system's.
  [[nodiscard]] static baton::Result<Link, std::string> open(const SocketAddress& address);
  // Hears what is sent there; not for sending.
  [[nodiscard]] static baton::Result<Link, std::string> listen(const SocketAddress& address);

  [[nodiscard]] int fd() const { return socket_.get(); }
  // What the kernel does not take is as good as lost on the way, and will be repeated.
  void send(std::string_view datagram) const;
  // The next datagram that has arrived, good until the next call; nothing: none.
  [[nodiscard]] std::optional<std::string_view> receive();

 private:
  explicit Link(Descriptor socket) : socket_(std::move(socket)), buffer_(65'536) {}
  Descriptor socket_;
  std::vector<char> buffer_;
};

}  // namespace baton::media::rtpengine
