// rtpengine in user space as another plane: a daemon of our own for as long as this lives, told by its ng
// protocol of one call for each pair of streams.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "media/relay/sockets.h"
#include "relay/plane.h"
#include "relay/speaks.h"

namespace baton::bench {

class Rtpengine : public Plane {
 public:
  // Whether there is one on this machine.
  [[nodiscard]] static bool available();

  // Throws std::runtime_error when it does not do what it is asked.
  Rtpengine(const std::vector<SocketAddress>& parties, const std::vector<Speaks>& speak);
  ~Rtpengine() override;
  Rtpengine(const Rtpengine&) = delete;
  Rtpengine& operator=(const Rtpengine&) = delete;

  [[nodiscard]] SocketAddress address(std::size_t stream) const override { return addresses_[stream]; }
  void run(const std::atomic<bool>& stop) override;
  [[nodiscard]] std::optional<std::uint64_t> forwarded() const override { return std::nullopt; }
  [[nodiscard]] std::optional<std::uint64_t> cpu_ns() const override;

 private:
  void start();
  void start_at(std::uint16_t port);
  [[nodiscard]] bool answers();
  [[nodiscard]] std::string last_words() const;
  void finish();
  // The description in the answer to a command, of which `fields` are the other entries, encoded.
  [[nodiscard]] std::string ask(const std::string& fields);
  void set_up(const std::vector<SocketAddress>& parties, const std::vector<Speaks>& speak);

  pid_t daemon_ = -1;
  media::Descriptor socket_;
  media::Descriptor words_;  // what it prints
  unsigned cookie_ = 0;
  std::vector<SocketAddress> addresses_;
};

}  // namespace baton::bench
