// The audio formats Baton can put on a leg, and how they are named in SDP (RFC 3551, RFC 4733).
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>

#include "base/inline_list.h"

namespace baton::sdp {

// What can be bridged. Others in a peer's offer are left out of our answer.
enum class Codec : std::uint8_t { pcmu, pcma, g722, opus };
// Good sound first: how they are offered where nothing says otherwise.
inline constexpr std::array all_codecs = {Codec::opus, Codec::g722, Codec::pcmu, Codec::pcma};
// Some of them, none twice.
using Codecs = InlineList<Codec, all_codecs.size()>;

// A codec with the payload number it has on one leg for the life of that leg (RFC 6337 5.3).
struct Format {
  Codec codec = Codec::pcmu;
  std::uint8_t payload_type = 0;
  bool operator==(const Format&) const = default;
};
// Those of a description. A codec may stand there under more than one number, with other parameters.
inline constexpr std::size_t numbers_per_codec_max = 2;
using Formats = InlineList<Format, all_codecs.size() * numbers_per_codec_max>;

// All the payload numbers (0 to 127) of each codec.
class CodecNumberSets {
 public:
  CodecNumberSets() = default;
  CodecNumberSets(std::initializer_list<Format> formats) {
    for (const Format& format : formats) add(format);
  }
  void add(const Format& format) {
    Words& words = sets_[static_cast<std::size_t>(format.codec)];
    words[format.payload_type / 64 % 2] |= std::uint64_t{1} << format.payload_type % 64;
  }
  template <typename F>  // visit(Format)
  void for_each(F&& visit) const {
    for (std::size_t codec = 0; codec < sets_.size(); ++codec) {
      for (unsigned word = 0; word < 2; ++word) {
        for (std::uint64_t rest = sets_[codec][word]; rest != 0; rest &= rest - 1) {
          const auto number = static_cast<unsigned>(std::countr_zero(rest)) + 64 * word;
          visit(Format{static_cast<Codec>(codec), static_cast<std::uint8_t>(number)});
        }
      }
    }
  }
  bool operator==(const CodecNumberSets&) const = default;

 private:
  using Words = std::array<std::uint64_t, 2>;
  std::array<Words, all_codecs.size()> sets_{};
};

[[nodiscard]] std::string_view encoding_name(Codec codec);  // "PCMU"
// RTP clock, Hz. G.722's is 8000 although it samples at twice that (RFC 3551 4.5.2), Opus' always 48000
// (RFC 7587 4.1).
[[nodiscard]] constexpr std::uint32_t clock_rate(Codec codec) {
  return codec == Codec::opus ? 48'000 : 8'000;
}
// As in rtpmap: 2 for Opus, whatever it carries (RFC 7587 7).
[[nodiscard]] constexpr unsigned channels(Codec codec) {
  return codec == Codec::opus ? 2 : 1;
}
[[nodiscard]] std::string_view format_parameters(Codec codec);  // our fmtp; empty: none
[[nodiscard]] std::uint8_t default_payload_type(Codec codec);   // static number, or our dynamic choice
// `channels` as written in the rtpmap; nothing written is 1 (RFC 8866 6.6).
[[nodiscard]] std::optional<Codec> find_codec(std::string_view encoding_name, std::uint32_t clock_rate,
                                              unsigned channels = 1);
// The codec of a static number, which needs no rtpmap (RFC 3551 6).
[[nodiscard]] std::optional<Codec> static_codec(std::uint8_t payload_type);

// Comfort noise (RFC 3389): no codec, and never offered or answered; some send it all the same.
inline constexpr std::uint8_t comfort_noise_payload_type = 13;

// Telephone-events go at the clock of the audio they stand among (RFC 4733 2.5.1.2): that of Opus, or that of
// all the others.
enum class EventClock : std::uint8_t { at_8000, at_48000 };
inline constexpr std::array event_clocks = {EventClock::at_8000, EventClock::at_48000};
[[nodiscard]] constexpr std::uint32_t clock_rate(EventClock clock) {
  return clock == EventClock::at_48000 ? 48'000 : 8'000;
}
[[nodiscard]] constexpr EventClock event_clock(Codec codec) {
  return clock_rate(codec) == 48'000 ? EventClock::at_48000 : EventClock::at_8000;
}
inline constexpr std::uint8_t default_dtmf_payload_type = 101;
[[nodiscard]] constexpr std::uint8_t default_payload_type(EventClock clock) {
  return clock == EventClock::at_48000 ? 110 : default_dtmf_payload_type;
}

// Telephone-events under a payload number.
struct EventFormat {
  std::uint8_t payload_type = 0;
  std::uint32_t clock_rate = 8'000;  // Hz
  bool operator==(const EventFormat&) const = default;
};

// All the dynamic payload numbers (96 to 127) of telephone-events at each of their clocks.
class EventNumberSets {
 public:
  void add(EventClock clock, unsigned number) {
    if (number >= first && number < first + 32) of(clock) |= 1U << (number - first);
  }
  [[nodiscard]] bool has(EventClock clock, unsigned number) const {
    return number >= first && number < first + 32 && (sets_[index(clock)] >> (number - first) & 1) != 0;
  }
  bool operator==(const EventNumberSets&) const = default;

 private:
  static constexpr unsigned first = 96;
  [[nodiscard]] static std::size_t index(EventClock clock) { return static_cast<std::size_t>(clock); }
  [[nodiscard]] std::uint32_t& of(EventClock clock) { return sets_[index(clock)]; }
  std::array<std::uint32_t, event_clocks.size()> sets_{};
};

// The payload numbers of telephone-events in a description.
class EventNumbers {
 public:
  [[nodiscard]] std::optional<std::uint8_t>& operator[](EventClock clock) {
    return numbers_[static_cast<std::size_t>(clock)];
  }
  [[nodiscard]] const std::optional<std::uint8_t>& operator[](EventClock clock) const {
    return numbers_[static_cast<std::size_t>(clock)];
  }
  [[nodiscard]] bool any() const { return numbers_[0] || numbers_[1]; }
  // What to send beside that codec: those at its clock, or the others, which is better than none.
  [[nodiscard]] std::optional<EventFormat> beside(Codec codec) const {
    const EventClock best = event_clock(codec);
    for (const EventClock clock : {best, event_clocks[0], event_clocks[1]}) {
      if (const auto& number = (*this)[clock]) return EventFormat{*number, clock_rate(clock)};
    }
    return std::nullopt;
  }
  bool operator==(const EventNumbers&) const = default;

 private:
  std::array<std::optional<std::uint8_t>, event_clocks.size()> numbers_;
};

enum class Direction : std::uint8_t { sendrecv, sendonly, recvonly, inactive };
[[nodiscard]] std::string_view to_string(Direction direction);
// What we answer to an offered direction when we ourselves want sendrecv (RFC 3264 6.1).
[[nodiscard]] Direction mirror(Direction offered);
[[nodiscard]] constexpr bool sends(Direction d) {
  return d == Direction::sendrecv || d == Direction::sendonly;
}
[[nodiscard]] constexpr bool receives(Direction d) {
  return d == Direction::sendrecv || d == Direction::recvonly;
}

}  // namespace baton::sdp
