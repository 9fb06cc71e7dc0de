#include "sdp/payload_numbers.h"

#include <algorithm>
#include <charconv>

namespace baton::sdp {
namespace {

constexpr std::uint8_t dynamic_first = 96, dynamic_last = 127;  // RFC 3551 6

}  // namespace

void PayloadNumbers::set_meaning(unsigned number, Meaning meaning) {
  const unsigned shift = number % 2 * 4;
  std::uint8_t& two = bindings_[number / 2];
  two = static_cast<std::uint8_t>((two & ~(0xfU << shift)) | static_cast<unsigned>(meaning) << shift);
}

void PayloadNumbers::bind(std::uint8_t number, Meaning meaning) {
  number &= 0x7f;
  // The peer may give a number that it never took up to something else.
  const Meaning before = meaning_of(number);
  if (before < meanings && before != meaning && latest_[before] == number) has_[before] = false;
  set_meaning(number, meaning);
  latest_[meaning] = number;
  has_[meaning] = true;
}

void PayloadNumbers::reserve(std::uint8_t number) {
  number &= 0x7f;
  if (meaning_of(number) == nothing) set_meaning(number, unknown);
}

void PayloadNumbers::reserve_all(std::string_view numbers) {
  while (!numbers.empty()) {
    const std::string_view word = numbers.substr(0, numbers.find(' '));
    unsigned number = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
    if (error == std::errc{} && end == word.data() + word.size() && number < numbers_count) {
      reserve(static_cast<std::uint8_t>(number));
    }
    numbers.remove_prefix(std::min(word.size() + 1, numbers.size()));
  }
}

void PayloadNumbers::learn(const RemoteAudio& description) {
  for (const Format& format : description.formats) {
    bind(format.payload_type, meaning(format.codec));
    by_peer_[static_cast<std::size_t>(format.codec)] = true;
  }
  for (const EventClock clock : event_clocks) {
    if (const auto number = description.events[clock]) bind(*number, meaning(clock));
  }
  // Codecs we do not know have their numbers too.
  if (description.audio_line < description.lines.size()) {
    reserve_all(description.lines[description.audio_line].formats);
  }
}

void PayloadNumbers::learn(const LocalAudio& description) {
  for (const Format& format : description.formats) bind(format.payload_type, meaning(format.codec));
  for (const EventClock clock : event_clocks) {
    if (const auto number = description.events[clock]) bind(*number, meaning(clock));
  }
}

// The last dynamic one that nobody has named, or the first of all.
std::uint8_t PayloadNumbers::free_number(std::uint8_t usual) const {
  if (meaning_of(usual) == nothing) return usual;
  std::uint8_t number = dynamic_last;
  while (number > dynamic_first && meaning_of(number) != nothing) --number;
  return number;
}

Format PayloadNumbers::format(Codec codec) {
  const Meaning wanted = meaning(codec);
  if (!has_[wanted]) bind(free_number(default_payload_type(codec)), wanted);
  return {codec, latest_[wanted]};
}

std::optional<std::uint8_t> PayloadNumbers::event_number(EventClock clock) {
  const Meaning wanted = meaning(clock);
  if (!has_[wanted]) {
    const std::uint8_t number = free_number(default_payload_type(clock));
    if (meaning_of(number) != nothing) return std::nullopt;
    bind(number, wanted);
  }
  return latest_[wanted];
}

CodecNumberSets PayloadNumbers::known() const {
  CodecNumberSets known;
  for (unsigned number = 0; number < numbers_count; ++number) {
    const Meaning bound = meaning_of(number);
    if (bound >= all_codecs.size()) continue;
    known.add({static_cast<Codec>(bound), static_cast<std::uint8_t>(number)});
  }
  return known;
}

EventNumberSets PayloadNumbers::known_events() const {
  EventNumberSets known;
  for (unsigned number = 0; number < numbers_count; ++number) {
    const Meaning bound = meaning_of(number);
    if (bound < all_codecs.size() || bound >= meanings) continue;
    known.add(static_cast<EventClock>(bound - all_codecs.size()), number);
  }
  return known;
}

}  // namespace baton::sdp
