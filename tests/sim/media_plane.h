// A media plane that moves no packet: it hands out ports and remembers who would hear whom.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "media/port.h"

namespace baton::sim {

class MediaPlane {
 public:
  struct Endpoint {
    media::EndpointId id = 0;
    SocketAddress local_rtp;
    std::vector<sdp::Crypto> keys;
    std::optional<media::Configure> configured;
    media::Hear hears;
    std::vector<media::SendDigit> digits;
    std::vector<sdp::MasterKey> ours;  // keys, in the order in which they were named last
  };

  // Performs an operation; the result, if the operation has one, is for the caller to deliver. A misuse is
  // told in `misuse`. `real`: what a plane that does move packets answered.
  [[nodiscard]] std::optional<media::Result> perform(Time now, const media::Operation& operation,
                                                     std::string& misuse,
                                                     const std::optional<media::Result>& real = {});
  // As a plane that makes its keys itself: each endpoint that may need them has one for each suite, and
  // encrypts with no other.
  void make_keys() { makes_keys_ = true; }
  void refuse_next(unsigned count) { refuse_ = count; }  // the next Opens fail: no ports

  struct Recording {
    media::Record what;
    bool running = false;
  };
  [[nodiscard]] const std::map<media::RecordingId, Recording>& recordings() const { return recordings_; }

  [[nodiscard]] const Endpoint* find(media::EndpointId id) const;
  [[nodiscard]] const Endpoint* by_local(const SocketAddress& rtp) const;
  [[nodiscard]] std::size_t open_count() const { return open_.size(); }
  [[nodiscard]] const std::map<media::EndpointId, Endpoint>& open() const { return open_; }

  // True when a packet of `speaker` would reach the party at `listener`.
  [[nodiscard]] bool reaches(media::EndpointId speaker, media::EndpointId listener) const;
  [[nodiscard]] bool both_ways(media::EndpointId one, media::EndpointId other) const;

 private:
  std::map<media::EndpointId, Endpoint> open_;
  // What is wrong about these keys; empty: nothing.
  [[nodiscard]] std::string take_keys(Endpoint& endpoint, const media::Srtp& srtp);

  std::map<std::string, media::EndpointId> keys_;  // ours: each is for one endpoint
  std::map<media::RecordingId, Recording> recordings_;
  enum class Use : std::uint8_t { open, refused, closed };
  std::map<media::EndpointId, Use> uses_;
  std::uint16_t next_port_ = 10'000;
  unsigned refuse_ = 0;
  bool makes_keys_ = false;
};

}  // namespace baton::sim
