// The relay's digits: from telephone-events, tones and orders to what each listener understands.
#include <algorithm>
#include <array>

#include "media/relay/relay_impl.h"

namespace baton::media {
namespace {

constexpr unsigned samples_per_ms = 8;
constexpr std::uint32_t segment_max = 0xffff;  // RFC 4733 2.5.1.3
// A player that fell behind by more goes on at the present.
constexpr Duration backlog_max = 200ms;

Duration to_duration(std::uint64_t ticks, std::uint32_t clock_rate) {
  return Duration{static_cast<Duration::rep>(ticks * 1'000'000 / clock_rate)};
}

bool takes_events(const Endpoint& listener) {
  return listener.digits_by == DigitsBy::events && listener.dtmf_payload_type.has_value();
}

bool needs_conversion(const Endpoint& source, const Endpoint& listener) {
  return !takes_events(listener) || source.events_clock() != listener.dtmf_clock_rate;
}

}  // namespace

void Relay::Impl::perform(Time now, const SendDigit& digit, std::vector<Result>&) {
  const EndpointHandle handle = find(digit.id);
  if (!handle || digit.event >= digit_events) return;
  if (const EndpointHandle from = find(digit.from);
      from && endpoints_.at(from).keys_pressed().told.take(now, ToldTwice::By::signalling, digit.event)) {
    return;
  }
  Endpoint& endpoint = endpoints_.at(handle);
  if (begin_digit(now, handle, digit.event)) endpoint.digits->end(digit.lasts);
}

// Somebody whom this one hears presses a key.
bool Relay::Impl::begin_digit(Time now, EndpointHandle handle, std::uint8_t event) {
  Endpoint& listener = endpoints_.at(handle);
  if (!listener.sending() || listener.is_played_to()) return false;
  if (listener.digits_by != DigitsBy::tones && !takes_events(listener)) return false;
  if (!listener.digits) listener.digits = std::make_unique<DigitPlayer>();
  listener.digits->begin(now, event);
  ++counters_.digits_converted;
  start_digits(now, handle, listener);
  return true;
}

void Relay::Impl::end_digit(Time now, const Endpoint& source, EndpointHandle handle, std::uint8_t event,
                            Duration lasted) {
  Endpoint& listener = endpoints_.at(handle);
  if (listener.digits_by == DigitsBy::report) {
    digits_reported_.push_back({source.id, event, lasted});
    ++counters_.digits_converted;
  } else if (listener.hears_digits()) {
    listener.digits->hold(now);
    listener.digits->end(lasted);
  }
}

void Relay::Impl::take_event(Time now, EndpointHandle source, Endpoint& endpoint, const RtpPacket& packet,
                             const std::uint8_t* payload) {
  const auto event = read_telephone_event({payload, packet.payload_size});
  if (!event) return;
  // Another stream counts its events by another clock.
  const std::uint32_t clock = endpoint.meanings.events_clock(packet.header.payload_type);
  Endpoint::Keys& keys = endpoint.keys_pressed();
  if (keys.events_ssrc != packet.header.ssrc || keys.events_clock != clock) {
    close_event(now, endpoint);
    keys.events = {};
    keys.events_left_out = {};
  }
  keys.events_ssrc = packet.header.ssrc;
  keys.events_clock = clock;
  const std::uint8_t before = keys.events.event();
  const bool before_left_out = keys.event_left_out;
  const auto change = keys.events.take(packet.header.timestamp, *event);
  keys.event_heard = now;
  if (change.begins) {
    keys.event_left_out = keys.told.take(now, ToldTwice::By::media, *change.begins);
  } else if (keys.events.open() || change.lasted) {
    keys.told.hold(now);
  }
  if (keys.event_left_out && event->event == keys.events.event()) {
    keys.events_left_out.add(packet.header.timestamp);
  }
  if (keys.events.open() && !endpoint.deadline(RelayTimer::event)) {
    arm(source, endpoint, RelayTimer::event, now + key_forgotten_after);
  }
  for (const EndpointHandle handle : endpoint.listeners) {
    if (!needs_conversion(endpoint, endpoints_.at(handle))) continue;
    const std::uint32_t rate = keys.events_clock;
    if (change.before_lasted && !before_left_out)
      end_digit(now, endpoint, handle, before, to_duration(*change.before_lasted, rate));
    if (keys.event_left_out) continue;
    if (change.begins) static_cast<void>(begin_digit(now, handle, *change.begins));
    if (change.lasted) {
      end_digit(now, endpoint, handle, keys.events.event(), to_duration(*change.lasted, rate));
    } else if (Endpoint& listener = endpoints_.at(handle); listener.hears_digits()) {
      listener.digits->hold(now);
    }
  }
}

// The packets that say how long a key was pressed may all be lost.
void Relay::Impl::check_event(Time now, EndpointHandle handle, Endpoint& endpoint) {
  if (!endpoint.keys || !endpoint.keys->events.open()) return;
  const Time due = endpoint.keys->event_heard + key_forgotten_after;
  if (due > now) return arm(handle, endpoint, RelayTimer::event, due);
  close_event(now, endpoint);
}

void Relay::Impl::close_event(Time now, Endpoint& endpoint) {
  Endpoint::Keys& keys = *endpoint.keys;
  const auto lasted = keys.events.give_up();
  if (!lasted || keys.event_left_out) return;
  for (const EndpointHandle listener : endpoint.listeners) {
    if (!needs_conversion(endpoint, endpoints_.at(listener))) continue;
    end_digit(now, endpoint, listener, keys.events.event(), to_duration(*lasted, keys.events_clock));
  }
}

void Relay::Impl::listen_for_tones(Time now, Endpoint& endpoint, sdp::Codec codec,
                                   std::span<const std::uint8_t> payload) {
  const auto wants = [&](EndpointHandle handle) {
    const Endpoint& listener = endpoints_.at(handle);
    return takes_events(listener) || listener.digits_by == DigitsBy::report;
  };
  if (endpoint.digits_by == DigitsBy::report ||
      std::none_of(endpoint.listeners.begin(), endpoint.listeners.end(), wants)) {
    if (!endpoint.keys) return;
    endpoint.keys->tones.reset();
    endpoint.keys->tone_decoder.reset();
    return;
  }
  Endpoint::Keys& keys = endpoint.keys_pressed();
  if (!keys.tones) keys.tones = std::make_unique<ToneDetector>();
  if (!keys.tone_decoder || keys.tone_decoder->codec() != codec) {
    keys.tone_decoder = std::make_unique<Decoder>(codec, samples_per_ms * 1'000);
  }
  std::array<std::int16_t, packet_ms_max * samples_per_ms> samples;
  const std::size_t count = keys.tone_decoder->decode(payload, samples.data());
  std::uint8_t present = keys.tone;
  for (const auto& change : keys.tones->take(std::span(samples).first(count))) {
    if (change.event) keys.tone_left_out = false;
    if (keys.tone_left_out) continue;
    for (const EndpointHandle handle : endpoint.listeners) {
      if (!wants(handle)) continue;
      if (change.event) {
        static_cast<void>(begin_digit(now, handle, *change.event));
      } else {
        end_digit(now, endpoint, handle, present, to_duration(change.lasted, 8'000));
      }
    }
    if (change.event) present = *change.event;
  }
  keys.tone = present;
  if (!keys.tones->sounding()) return;
  for (const EndpointHandle handle : endpoint.listeners) {
    if (Endpoint& listener = endpoints_.at(handle); wants(handle) && listener.hears_digits())
      listener.digits->hold(now);
  }
}

// ---- What is sent -----------------------------------------------------------------------------------

void Relay::Impl::start_digits(Time now, EndpointHandle handle, Endpoint& endpoint) {
  if (endpoint.deadline(RelayTimer::digit)) return;
  endpoint.out.cut();
  arm(handle, endpoint, RelayTimer::digit, now);
}

void Relay::Impl::play_digits(Time now, EndpointHandle handle, Endpoint& endpoint, Time due) {
  if (now - due > backlog_max) due = now;
  for (; due <= now && endpoint.hears_digits(); due += endpoint.packet_time()) {
    const DigitPlayer::Packet packet = endpoint.digits->next(now, endpoint.packet_time());
    if (!endpoint.sending()) continue;
    if (takes_events(endpoint)) {
      send_digit_event(now, endpoint, packet);
    } else {
      send_digit_tone(now, endpoint, packet);
    }
  }
  if (endpoint.hears_digits()) return arm(handle, endpoint, RelayTimer::digit, due);
  endpoint.out.cut();
}

void Relay::Impl::send_digit_event(Time now, Endpoint& endpoint, const DigitPlayer::Packet& packet) {
  if (packet.kind == DigitPlayer::Packet::Kind::pause) return;
  if (packet.first) endpoint.digit_started = endpoint.out.next_timestamp(now);
  const auto ticks = static_cast<std::uint32_t>(packet.lasted.count() * endpoint.dtmf_clock_rate / 1'000'000);
  // RFC 4733 2.5.1.3: what a duration can not hold goes on in another segment.
  const std::uint32_t segments = ticks == 0 ? 0 : (ticks - 1) / segment_max;
  RtpHeader header = endpoint.out.event(now, endpoint.digit_started + segments * segment_max, packet.first);
  header.payload_type = *endpoint.dtmf_payload_type;
  write_rtp_header(header, scratch_.data());
  write_telephone_event({packet.event, packet.kind == DigitPlayer::Packet::Kind::ended, digit_volume,
                         static_cast<std::uint16_t>(ticks - segments * segment_max)},
                        scratch_.data() + rtp_header_bytes);
  send_rtp(endpoint, scratch_.data(), telephone_event_bytes);
}

void Relay::Impl::send_digit_tone(Time now, Endpoint& endpoint, const DigitPlayer::Packet& packet) {
  // As the audio before it: an encoder that begins anew is heard, and may be taken for no digit.
  const unsigned rate = endpoint.encoder ? endpoint.encoder->rate() : samples_per_ms * 1'000;
  constexpr std::size_t most = 60 * 16;
  std::array<std::int16_t, most> buffer{};
  const std::span<std::int16_t> samples =
      std::span(buffer).first(std::min<std::size_t>(most, std::size_t{endpoint.ptime_ms} * (rate / 1'000)));
  const auto count_of = [rate](Duration d) {
    return static_cast<std::size_t>(d.count()) * (rate / 1'000) / 1'000;
  };
  if (packet.kind != DigitPlayer::Packet::Kind::pause) {
    const std::size_t from = count_of(packet.sounds_from);
    const std::size_t left = count_of(packet.lasted) - from;
    make_digit_tone(packet.event, from, samples.first(std::min(left, samples.size())), rate);
  }
  send_samples(now, endpoint, samples, rate, endpoint.packet_ticks());
}

}  // namespace baton::media
