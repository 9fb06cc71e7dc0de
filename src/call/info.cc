#include "call/info.h"

#include <algorithm>
#include <charconv>

#include "sip/text.h"

namespace baton::call {
namespace {

constexpr std::string_view keys = "0123456789*#ABCD";
constexpr std::size_t body_bytes_max = 256;
constexpr Duration usual = 160ms, shortest = 40ms, longest = 6s;

std::optional<unsigned> number_in(std::string_view text) {
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// A key, or the number of its event: "11" is what some send for "#".
std::optional<std::uint8_t> event_in(std::string_view text) {
  if (text.size() == 1) {
    const std::size_t at =
        keys.find(sip::text::lowered(text)[0] >= 'a' ? static_cast<char>(text[0] & ~0x20) : text[0]);
    if (at == std::string_view::npos) return std::nullopt;
    return static_cast<std::uint8_t>(at);
  }
  const auto number = number_in(text);
  if (text.size() != 2 || !number || *number >= keys.size()) return std::nullopt;
  return static_cast<std::uint8_t>(*number);
}

}  // namespace

std::optional<KeyPress> read_info_body(std::string_view type, std::string_view body) {
  if (body.size() > body_bytes_max) return std::nullopt;
  KeyPress key{0, usual};
  if (type == dtmf_type) {
    const auto event = event_in(sip::text::trim(body));
    if (!event) return std::nullopt;
    key.event = *event;
    return key;
  }
  if (type != dtmf_relay_type) return std::nullopt;
  std::optional<std::uint8_t> event;
  while (!body.empty()) {
    const std::size_t end = body.find_first_of("\r\n");
    const std::string_view line = body.substr(0, end);
    body.remove_prefix(end == std::string_view::npos ? body.size() : end + 1);
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string name = sip::text::lowered(sip::text::trim(line.substr(0, equals)));
    const std::string_view value = sip::text::trim(line.substr(equals + 1));
    if (name == "signal") event = event_in(value);
    if (name != "duration") continue;
    if (const auto ms = number_in(value)) {
      key.lasted = std::clamp<Duration>(std::chrono::milliseconds(std::min(*ms, 60'000U)), shortest, longest);
    }
  }
  if (!event) return std::nullopt;
  key.event = *event;
  return key;
}

std::string write_info_body(const KeyPress& key) {
  return std::string("Signal=") + keys[key.event % keys.size()] +
         "\r\nDuration=" + std::to_string(std::max(key.lasted, shortest) / 1ms) + "\r\n";
}

}  // namespace baton::call
