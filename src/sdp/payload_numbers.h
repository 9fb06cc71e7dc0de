// What a payload number stands for on one leg, a codec or telephone-events. What a number was bound to, by
// either side, it means for the life of the leg (RFC 6337 5.3, RFC 3264 8.3.2), so whatever was ever agreed
// can still be read. A peer that binds a number anew is believed, so each number has one meaning at a time.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "sdp/session.h"

namespace baton::sdp {

class PayloadNumbers {
 public:
  // What the peer's description binds.
  void learn(const RemoteAudio& description);
  // What an offer of ours binds.
  void learn(const LocalAudio& description);
  // A number in use for something we do not know.
  void reserve(std::uint8_t number);

  // The codec under its number on this leg: the one it has, or one that was free and is taken now.
  [[nodiscard]] Format format(Codec codec);
  // Telephone-events at that clock, likewise; nothing when no number is free.
  [[nodiscard]] std::optional<std::uint8_t> event_number(EventClock clock);

  // All that may come in.
  [[nodiscard]] CodecNumberSets known() const;
  [[nodiscard]] EventNumberSets known_events() const;
  // Whether the peer has named the codec in some description.
  [[nodiscard]] bool named_by_peer(Codec codec) const { return by_peer_[static_cast<std::size_t>(codec)]; }

 private:
  // A codec, or behind those telephone-events at one of their clocks.
  using Meaning = std::uint8_t;
  static constexpr Meaning meanings = all_codecs.size() + event_clocks.size();
  static constexpr Meaning nothing = 0xe, unknown = 0xf;
  static_assert(meanings <= nothing);
  static constexpr unsigned numbers_count = 128;

  [[nodiscard]] static Meaning meaning(Codec codec) { return static_cast<Meaning>(codec); }
  [[nodiscard]] static Meaning meaning(EventClock clock) {
    return static_cast<Meaning>(all_codecs.size() + static_cast<std::size_t>(clock));
  }
  [[nodiscard]] Meaning meaning_of(unsigned number) const {
    return static_cast<Meaning>(bindings_[number / 2] >> (number % 2 * 4) & 0xf);
  }
  void set_meaning(unsigned number, Meaning meaning);
  void bind(std::uint8_t number, Meaning meaning);
  [[nodiscard]] std::uint8_t free_number(std::uint8_t usual) const;
  void reserve_all(std::string_view numbers);

  // Two numbers to an octet: there is one of these for every leg.
  std::array<std::uint8_t, numbers_count / 2> bindings_ = [] {
    std::array<std::uint8_t, numbers_count / 2> none{};
    none.fill(nothing << 4 | nothing);
    return none;
  }();
  std::array<std::uint8_t, meanings> latest_{};  // number, where `has_`
  std::array<bool, meanings> has_{};
  std::array<bool, all_codecs.size()> by_peer_{};
};

}  // namespace baton::sdp
