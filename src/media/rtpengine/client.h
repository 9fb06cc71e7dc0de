// The client's side of rtpengine's ng protocol: requests over UDP, each with a cookie of its own. A
// repetition has the cookie of what it repeats, and the daemon answers it from memory, so nothing is done
// twice. It has no socket and no clock: whoever drives it sends what it is given and says what has come.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "media/rtpengine/bencode.h"

namespace baton::media::rtpengine {

class Client {
 public:
  // `token`: nobody can guess it; who sees no request can not answer one.
  explicit Client(std::string token) : token_(std::move(token)) {}

  struct Answer {
    std::uint64_t request = 0;
    std::optional<Dictionary> said;  // nothing: nobody answered, or what came makes no sense
    bool garbled = false;            // that
    // Empty when the daemon did what it was asked; otherwise why it did not.
    std::string fault;
  };

  // Returns the number of the request; what is to be sent is in `out`.
  std::uint64_t ask(Time now, const Dictionary& request, std::vector<std::string>& out);
  void received(std::string_view datagram, std::vector<Answer>& answers);
  // Repeats what is due, and gives up what was repeated often enough.
  void advance(Time now, std::vector<std::string>& out, std::vector<Answer>& answers);
  [[nodiscard]] std::optional<Time> next_deadline() const;
  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }

  static constexpr Duration first_wait = 250ms;  // then twice as long each time
  static constexpr unsigned sends_max = 4;

 private:
  struct Waiting {
    std::string datagram;
    unsigned sends = 1;
    Duration wait = first_wait;
    Time due{};
  };

  std::string token_;
  std::uint64_t last_ = 0;
  std::map<std::uint64_t, Waiting> waiting_;
  std::set<std::pair<Time, std::uint64_t>> due_;
};

}  // namespace baton::media::rtpengine
