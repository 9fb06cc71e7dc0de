// What the network does to a message: decides, never carries. Reordering comes only from jitter or from a
// fault that names one message; nothing here knows SIP.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/rng.h"
#include "base/time.h"

namespace baton::sim {

struct LinkOptions {
  unsigned loss_permille = 0;
  unsigned duplicate_permille = 0;
  unsigned break_permille = 0;  // of stream messages: the connection dies with the message
  Duration delay = 10ms;
  Duration jitter{};
};

// One fault at the `nth` message put on any wire, counted from 1.
struct Fault {
  enum class Kind : std::uint8_t {
    drop,
    duplicate,
    after_next,        // it arrives after the next message the same receiver gets from the same sender
    after_timer,       // the server's next timer fires first
    break_connection,  // streams only; elsewhere a drop
  };
  unsigned nth = 0;
  Kind kind = Kind::drop;
};
[[nodiscard]] const char* to_string(Fault::Kind kind);
[[nodiscard]] std::string to_string(const Fault& fault);

// The fate of one message.
struct Fate {
  std::vector<Duration> copies;  // when each arrives; empty: lost
  bool after_next = false;
  bool after_timer = false;
  bool break_connection = false;
  std::string note;  // for the log; empty: an ordinary passage
};

class Netem {
 public:
  Netem(std::uint64_t seed, LinkOptions link, std::vector<Fault> faults);

  // A datagram, or with `stream` a message on a connection, which is never lost, doubled or overtaken.
  [[nodiscard]] Fate judge(bool stream);
  void set_link(LinkOptions link) { link_ = link; }
  [[nodiscard]] unsigned judged() const { return judged_; }

 private:
  [[nodiscard]] Duration draw_delay();
  [[nodiscard]] std::optional<Fault::Kind> fault_of(unsigned nth) const;

  Rng rng_;
  LinkOptions link_;
  std::vector<Fault> faults_;
  unsigned judged_ = 0;
};

}  // namespace baton::sim
