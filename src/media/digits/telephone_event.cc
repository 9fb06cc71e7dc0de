#include "media/digits/telephone_event.h"

#include <algorithm>
#include <string_view>

#include "media/relay/rtp.h"

namespace baton::media {
namespace {

constexpr std::string_view keys = "0123456789*#ABCD";
constexpr std::uint32_t segment_max = 0xffff;

}  // namespace

std::optional<TelephoneEvent> read_telephone_event(std::span<const std::uint8_t> payload) {
  if (payload.size() < telephone_event_bytes) return std::nullopt;
  return TelephoneEvent{payload[0], (payload[1] & 0x80) != 0, static_cast<std::uint8_t>(payload[1] & 0x3f),
                        load16(payload.data() + 2)};
}

void write_telephone_event(const TelephoneEvent& event, std::uint8_t* out) {
  out[0] = event.event;
  out[1] = static_cast<std::uint8_t>((event.end ? 0x80 : 0) | (event.volume & 0x3f));
  store16(out + 2, event.duration);
}

char key_of(std::uint8_t event) {
  return event < keys.size() ? keys[event] : '\0';
}

std::optional<std::uint8_t> event_of(char key) {
  if (key >= 'a' && key <= 'd') key = static_cast<char>(key - 'a' + 'A');
  const std::size_t at = keys.find(key);
  if (at == std::string_view::npos) return std::nullopt;
  return static_cast<std::uint8_t>(at);
}

EventReader::Change EventReader::take(std::uint32_t timestamp, const TelephoneEvent& event) {
  Change change;
  if (event.event >= digit_events || event.duration == 0) return change;
  const std::uint32_t ahead = timestamp - segment_;
  const bool later = !seen_ || (ahead != 0 && ahead < 0x8000'0000);
  if (!later && ahead != 0) return change;  // of an event or a segment long over
  const std::uint32_t since = timestamp - started_;
  // RFC 4733 2.5.1.3: the next segment of a long one begins where the one before was full.
  const bool in_reach = given_up_ || (open_ && since <= duration_ + segment_max);
  const bool goes_on = in_reach && later && event.event == event_ && since % segment_max == 0;
  segment_ = timestamp;
  if (later && !goes_on) {
    if (open_) change.before_lasted = duration_;
    seen_ = open_ = true;
    given_up_ = false;
    event_ = event.event;
    started_ = timestamp;
    duration_ = 0;
    change.begins = event_;
  } else if (!open_ || event.event != event_) {
    given_up_ = given_up_ && !event.end;
    return change;  // the end again
  }
  duration_ = std::max(duration_, (timestamp - started_) + event.duration);
  if (!event.end) return change;
  open_ = false;
  change.lasted = duration_;
  return change;
}

std::optional<std::uint32_t> EventReader::give_up() {
  if (!open_) return std::nullopt;
  open_ = false;
  given_up_ = true;
  return duration_;
}

}  // namespace baton::media
