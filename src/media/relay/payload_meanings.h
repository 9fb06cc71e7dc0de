// What each payload number of a party means, in half an octet: every endpoint has such a table, and looks
// into it for every packet.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "sdp/codec.h"

namespace baton::media {

enum class Meaning : std::uint8_t { nothing, audio, comfort_noise, telephone_event };

class PayloadMeanings {
 public:
  static constexpr std::size_t numbers = 128;  // seven bits (RFC 3550 5.1)

  [[nodiscard]] Meaning of(std::uint8_t number) const {
    const std::uint8_t code = get(number);
    return code >= audio         ? Meaning::audio
           : code == comfort     ? Meaning::comfort_noise
           : code >= slow_events ? Meaning::telephone_event
                                 : Meaning::nothing;
  }
  // Of what means audio; of anything else PCMU.
  [[nodiscard]] sdp::Codec codec(std::uint8_t number) const {
    const std::uint8_t code = get(number);
    return code >= audio ? static_cast<sdp::Codec>(code - audio) : sdp::Codec::pcmu;
  }
  // Of telephone-events, Hz.
  [[nodiscard]] std::uint32_t events_clock(std::uint8_t number) const {
    return sdp::clock_rate(get(number) == fast_events ? sdp::EventClock::at_48000 : sdp::EventClock::at_8000);
  }

  void clear() { codes_.fill(0); }
  void set(std::uint8_t number, sdp::Codec codec) {
    put(number, static_cast<std::uint8_t>(audio + static_cast<std::uint8_t>(codec)));
  }
  void set(std::uint8_t number, sdp::EventClock clock) {
    put(number, clock == sdp::EventClock::at_48000 ? fast_events : slow_events);
  }
  void set_comfort_noise(std::uint8_t number) { put(number, comfort); }

 private:
  static constexpr std::uint8_t comfort = 1, slow_events = 2, fast_events = 3, audio = 4;
  static_assert(audio + sdp::all_codecs.size() <= 16);

  [[nodiscard]] std::uint8_t get(std::uint8_t number) const {
    return static_cast<std::uint8_t>(codes_[number / 2 % codes_.size()] >> (number % 2 * 4) & 0xf);
  }
  void put(std::uint8_t number, std::uint8_t code) {
    std::uint8_t& both = codes_[number / 2 % codes_.size()];
    both = number % 2 == 0 ? static_cast<std::uint8_t>((both & 0xf0) | code)
                           : static_cast<std::uint8_t>((both & 0x0f) | (code << 4));
  }

  std::array<std::uint8_t, numbers / 2> codes_{};
};

}  // namespace baton::media
