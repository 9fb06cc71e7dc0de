// Digits on their way to a party, one after the other: each is a run of packets of ours, one every packet
// time. What a packet looks like, telephone-event or tone, is for the caller.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "base/time.h"

namespace baton::media {

// A key of which nothing was heard for so long has been let go, and the news of it was lost.
inline constexpr Duration key_forgotten_after = 500ms;

class DigitPlayer {
 public:
  // A key is pressed; it sounds until end() says how long it was. Digits beyond the bound are lost.
  void begin(Time now, std::uint8_t event);
  // The key pressed last is still down.
  void hold(Time now);
  void end(Duration lasted);
  // A key that was pressed for so long.
  void play(Time now, std::uint8_t event, Duration lasts);

  // Something is still to be sent.
  [[nodiscard]] bool busy() const { return !digits_.empty(); }

  struct Packet {
    enum class Kind : std::uint8_t { sounds, ended, pause } kind = Kind::pause;
    std::uint8_t event = 0;
    bool first = false;      // of the digit
    Duration lasted{};       // of the digit, this packet included
    Duration sounds_from{};  // where in the digit this packet begins
  };
  // The next packet; to be called once every `packet_time` while busy().
  [[nodiscard]] Packet next(Time now, Duration packet_time);

 private:
  struct Digit {
    std::uint8_t event = 0;
    std::optional<Duration> lasts;  // nothing: not over yet
    Time held_at{};
  };

  std::deque<Digit> digits_;
  Duration played_{};  // of the first of them
  unsigned ends_ = 0;  // of it sent
  Duration paused_{};  // after it
};

}  // namespace baton::media
