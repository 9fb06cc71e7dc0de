// Which codec a payload number stands for on one leg. What a number was bound to, by either side, it means
// for the life of the leg (RFC 6337 5.3, RFC 3264 8.3.2), so whatever was ever agreed can still be read.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "sdp/session.h"

namespace baton::sdp {

class PayloadNumbers {
 public:
  // What the peer's description binds. A peer that binds a number anew is believed.
  void learn(const RemoteAudio& description);
  // A number in use for something that is no codec (telephone-event).
  void reserve(std::uint8_t number);

  // The codec under its number on this leg: the one it has, or one that was free and is taken now.
  [[nodiscard]] Format format(Codec codec);

  // All that may come in.
  [[nodiscard]] std::vector<Format> known() const;
  // Whether the peer has named the codec in some description.
  [[nodiscard]] bool named_by_peer(Codec codec) const { return by_peer_[index(codec)]; }

 private:
  enum class Use : std::uint8_t { none, other, codec };
  struct Binding {
    Use use = Use::none;
    Codec codec = Codec::pcmu;
  };

  [[nodiscard]] static std::size_t index(Codec codec) { return static_cast<std::size_t>(codec); }
  void bind(const Format& format);
  void reserve_all(std::string_view numbers);

  std::array<Binding, 128> bindings_{};
  std::array<std::uint8_t, all_codecs.size()> latest_{};  // by codec, where `has_`
  std::array<bool, all_codecs.size()> has_{};
  std::array<bool, all_codecs.size()> by_peer_{};
};

}  // namespace baton::sdp
