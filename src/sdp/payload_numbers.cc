#include "sdp/payload_numbers.h"

#include <algorithm>
#include <charconv>

namespace baton::sdp {
namespace {

constexpr std::uint8_t dynamic_first = 96, dynamic_last = 127;  // RFC 3551 6

}  // namespace

void PayloadNumbers::bind(const Format& format) {
  const std::uint8_t number = format.payload_type & 0x7f;
  // The peer may give a number that it never took up to something else.
  const Binding before = bindings_[number];
  if (before.use == Use::codec && before.codec != format.codec && latest_[index(before.codec)] == number) {
    has_[index(before.codec)] = false;
  }
  bindings_[number] = {Use::codec, format.codec};
  latest_[index(format.codec)] = number;
  has_[index(format.codec)] = true;
}

void PayloadNumbers::reserve(std::uint8_t number) {
  Binding& binding = bindings_[number & 0x7f];
  if (binding.use == Use::none) binding.use = Use::other;
}

void PayloadNumbers::reserve_all(std::string_view numbers) {
  while (!numbers.empty()) {
    const std::string_view word = numbers.substr(0, numbers.find(' '));
    unsigned number = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
    if (error == std::errc{} && end == word.data() + word.size() && number < bindings_.size()) {
      reserve(static_cast<std::uint8_t>(number));
    }
    numbers.remove_prefix(std::min(word.size() + 1, numbers.size()));
  }
}

void PayloadNumbers::learn(const RemoteAudio& description) {
  for (const Format& format : description.formats) {
    bind(format);
    by_peer_[index(format.codec)] = true;
  }
  if (description.dtmf_payload_type) reserve(*description.dtmf_payload_type);
  // Codecs we do not know have their numbers too.
  if (description.audio_line < description.lines.size()) {
    reserve_all(description.lines[description.audio_line].formats);
  }
}

Format PayloadNumbers::format(Codec codec) {
  if (has_[index(codec)]) return {codec, latest_[index(codec)]};
  std::uint8_t number = default_payload_type(codec);
  if (bindings_[number].use != Use::none) {
    number = dynamic_last;
    while (number > dynamic_first && bindings_[number].use != Use::none) --number;
  }
  bind({codec, number});
  return {codec, number};
}

std::vector<Format> PayloadNumbers::known() const {
  std::vector<Format> formats;
  for (std::size_t number = 0; number < bindings_.size(); ++number) {
    if (bindings_[number].use == Use::codec) {
      formats.push_back({bindings_[number].codec, static_cast<std::uint8_t>(number)});
    }
  }
  return formats;
}

}  // namespace baton::sdp
