// Audio of the parties: 50 packets a second from each party of a call that is up, through the server to the
// other one. What arrives is counted, and how long it was on the way: from just before it was sent until the
// kernel had it again, so that the generator's own delays are not the server's. One socket a party.
#pragma once

#include <netinet/in.h>

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "load/call.h"
#include "load/histogram.h"
#include "load/wire.h"

namespace baton::bench {

class Media {
 public:
  struct Tally {
    std::uint64_t sent = 0, heard = 0;
    std::uint64_t made = 0;   // tones and silence of the server's own
    std::uint64_t wrong = 0;  // of a party that nobody should hear here
    std::uint64_t late = 0;   // by a frame of 20 ms or more
    Histogram on_the_way;     // ns
    Nanos behind_max = 0;     // how late the generator itself sent
  };

  // Throws std::runtime_error with the reason.
  Media(const Wire::Options& wire, std::uint16_t port, bool flows);
  ~Media();
  Media(const Media&) = delete;
  Media& operator=(const Media&) = delete;

  // The party sends to that address from now on. `description` is the server's.
  void begin(std::uint64_t call, Role role, std::string_view description);
  void end(std::uint64_t call, Role role);
  // Sends what is due and takes what has come. At least once a millisecond.
  void round(Nanos now);

  [[nodiscard]] bool flows() const { return flows_; }
  [[nodiscard]] const Tally& tally() const { return tally_; }

 private:
  struct Stream {
    std::uint64_t call = 0;
    Role role = Role::carrier;
    std::uint16_t sequence = 0;
    std::uint32_t timestamp = 0;
    sockaddr_in to{};
  };
  static constexpr std::size_t slots = 20;  // one a millisecond of a frame

  void send(std::vector<Stream>& streams);
  void receive(Role role);

  bool flows_;
  std::array<int, role_count> sockets_{-1, -1, -1};
  std::array<std::vector<Stream>, slots> streams_;  // by call
  Nanos due_ = 0;
  std::size_t slot_ = 0;
  Tally tally_;
};

}  // namespace baton::bench
