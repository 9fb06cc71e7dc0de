// Keys of a telephone as a simulated party presses and hears them: tones and telephone-events of its own,
// none of them made or found by the server's code.
#pragma once

#include <deque>
#include <optional>
#include <string>

#include "phone.h"
#include "sdp/codec.h"
#include "sim/party.h"

namespace baton::audio {

// What a press of 100 ms and the 140 ms after it become, one packet time after the other.
class Keypad {
 public:
  enum class By : std::uint8_t { events, tones };
  // Keys of "0123456789*#ABCD", one after the other.
  void press(By by, const std::string& keys);
  [[nodiscard]] bool busy() const { return !keys_.empty(); }
  // The next packet time of 20 ms. Nothing: audio as always; otherwise the packet has been sent or is the
  // sound to be sent.
  void tick(Phone& phone, const sdp::Format& format, const std::optional<sdp::EventFormat>& events,
            const SocketAddress& to);

 private:
  By by_ = By::events;
  std::deque<char> keys_;
  unsigned ticks_ = 0;  // of the first of them
  std::uint32_t began_ = 0;
};

[[nodiscard]] Sound key_tone(char key);

// The keys that arrived as telephone-events: a '?' stands behind one that had no end, or lasted for another
// time than about 100 ms.
[[nodiscard]] std::string keys_by_events(const Phone& phone, const sim::Party& party);
// And as tones in the audio.
[[nodiscard]] std::string keys_by_tones(const Phone& phone);
// And by INFO.
[[nodiscard]] std::string keys_by_info(const sim::Party& party);

}  // namespace baton::audio
