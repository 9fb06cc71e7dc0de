// What SRTP makes of a simulated party's packets, straight on libsrtp2: nothing of it is the server's.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "media/port.h"

namespace baton::audio {

class Secrecy {
 public:
  Secrecy();
  ~Secrecy();

  // What stands from now on, from where the party stands; nothing: RTP. What stands already goes on.
  void agree(const std::optional<media::Srtp>& srtp);
  // False: it is not to be sent, or can not be understood.
  [[nodiscard]] bool seal(std::vector<std::uint8_t>& datagram);
  [[nodiscard]] bool open(std::vector<std::uint8_t>& datagram);

 private:
  struct Sessions;
  std::optional<media::Srtp> srtp_;
  std::unique_ptr<Sessions> sessions_;
};

}  // namespace baton::audio
