#include "keys.h"

#include <array>
#include <cmath>
#include <numbers>

// dtmf.h needs the others before it.
// clang-format off
#include <spandsp/telephony.h>
#include <spandsp/logging.h>
#include <spandsp/queue.h>
#include <spandsp/tone_generate.h>
#include <spandsp/super_tone_rx.h>
#include <spandsp/dtmf.h>
// clang-format on

namespace baton::audio {
namespace {

constexpr std::string_view keys = "0123456789*#ABCD";  // by event number (RFC 4733 3.2)
constexpr unsigned pressed_ticks = 5, whole_ticks = 12;
constexpr unsigned ticks_a_second = 50;
constexpr double shortest = 0.055, longest = 0.165;

std::uint8_t event_of(char key) {
  return static_cast<std::uint8_t>(keys.find(key));
}

}  // namespace

Sound key_tone(char key) {
  constexpr std::string_view layout = "123A456B789C*0#D";
  constexpr std::array<double, 4> rows = {697, 770, 852, 941}, columns = {1'209, 1'336, 1'477, 1'633};
  const std::size_t place = layout.find(key);
  const double low = rows[place / 4], high = columns[place % 4];
  return [low, high](double t) {
    constexpr double two_pi = 2.0 * std::numbers::pi;
    return 0.25 * (std::sin(two_pi * low * t) + std::sin(two_pi * high * t));
  };
}

void Keypad::press(By by, const std::string& pressed) {
  by_ = by;
  keys_.insert(keys_.end(), pressed.begin(), pressed.end());
}

void Keypad::tick(Phone& phone, const sdp::Format& format, const std::optional<sdp::EventFormat>& events,
                  const SocketAddress& to) {
  const char key = keys_.front();
  const Sound usual = phone.sound;
  const bool pressed = ticks_ < pressed_ticks;
  const std::uint32_t clock = sdp::clock_rate(format.codec);
  if (ticks_ == 0) began_ = phone.timestamp(clock);
  if (pressed && by_ == By::events && events) {
    // RFC 4733 2.5.1.2 and 2.5.1.4: one time stamp, the duration so far, the end three times.
    const bool last = ticks_ + 1 == pressed_ticks;
    const std::uint32_t duration = (ticks_ + 1) * events->clock_rate / ticks_a_second;
    const std::array<std::uint8_t, 4> payload = {event_of(key), static_cast<std::uint8_t>(last ? 0x8a : 0x0a),
                                                 static_cast<std::uint8_t>(duration >> 8),
                                                 static_cast<std::uint8_t>(duration)};
    for (int i = 0; i < (last ? 3 : 1); ++i) {
      phone.send(to, events->payload_type, ticks_ == 0, payload, began_);
    }
    phone.pause();
  } else {
    phone.sound = pressed && by_ == By::tones ? key_tone(key) : silence();
    phone.speak(format, to);
    phone.sound = usual;
  }
  if (++ticks_ < whole_ticks) return;
  ticks_ = 0;
  keys_.pop_front();
}

std::string keys_by_events(const Phone& phone, const sim::Party& party) {
  std::string found;
  std::optional<std::uint32_t> present;
  bool ended = true;
  for (const Phone::Heard& heard : phone.heard()) {
    if (heard.codec || heard.payload.size() != 4) continue;
    std::uint32_t clock = 0;
    for (const sdp::EventClock one : sdp::event_clocks) {
      const bool ours = party.local.events[one] == heard.header.payload_type;
      const bool theirs = party.remote && party.remote->events[one] == heard.header.payload_type;
      if (ours || theirs) clock = sdp::clock_rate(one);
    }
    if (clock == 0) continue;
    if (present != heard.header.timestamp) {
      if (!ended) found += '?';
      present = heard.header.timestamp;
      ended = false;
      found += heard.payload[0] < keys.size() ? keys[heard.payload[0]] : '!';
    }
    if (ended || (heard.payload[1] & 0x80) == 0) continue;
    ended = true;
    const double lasted = static_cast<double>(heard.payload[2] << 8 | heard.payload[3]) / clock;
    if (lasted < shortest || lasted > longest) found += '?';
  }
  if (!ended) found += '?';
  return found;
}

std::string keys_by_tones(const Phone& phone) {
  std::string found;
  dtmf_rx_state_t* detector = dtmf_rx_init(nullptr, nullptr, nullptr);
  for (const Phone::Heard& heard : phone.heard()) {
    std::vector<std::int16_t> samples = heard.clip.samples;
    if (heard.clip.rate == 16'000) {
      for (std::size_t i = 0; 2 * i + 1 < heard.clip.samples.size(); ++i) {
        samples[i] =
            static_cast<std::int16_t>((heard.clip.samples[2 * i] + heard.clip.samples[2 * i + 1]) / 2);
      }
      samples.resize(heard.clip.samples.size() / 2);
    }
    dtmf_rx(detector, samples.data(), static_cast<int>(samples.size()));
  }
  std::array<char, 128> digits{};
  const std::size_t count = dtmf_rx_get(detector, digits.data(), static_cast<int>(digits.size()) - 1);
  found.assign(digits.data(), count);
  dtmf_rx_free(detector);
  return found;
}

std::string keys_by_info(const sim::Party& party) {
  std::string found;
  for (const std::string& body : party.seen.infos) {
    const auto at = body.find("Signal=");
    found += at == std::string::npos ? '!' : body[at + 7];
  }
  return found;
}

}  // namespace baton::audio
