// What the relay makes a party hear itself: ring-back tones and prompts.
#include <algorithm>
#include <cstring>

#include "media/relay/g711.h"
#include "media/relay/relay_impl.h"

namespace baton::media {
namespace {

constexpr unsigned samples_per_ms = 8;
// A tone that fell behind by more packets than this goes on at the present; fewer are made up for.
constexpr std::int64_t tone_backlog_max = 10;

// What is due of a sound of `size` samples: runs of it, one after the other, as `take(at, count)`; where it
// is played once, silence follows it.
template <typename Take, typename Pad>
void take_tone(Endpoint& endpoint, std::size_t size, std::size_t wanted, Take&& take, Pad&& pad) {
  const bool once = endpoint.plays_once();
  std::size_t at = once ? endpoint.played : endpoint.played % size;
  for (std::size_t done = 0; done < wanted;) {
    const std::size_t part = std::min(wanted - done, size - at);
    take(at, done, part);
    done += part;
    at += part;
    if (at < size) continue;
    if (!once) {
      at = 0;
    } else {
      pad(done);
      break;
    }
  }
  endpoint.played = at;
}

}  // namespace

// Sends what is due of the tone. Packets lie on a grid from the first one on, so that lateness never adds up.
void Relay::Impl::play(Time now, EndpointHandle handle, Endpoint& endpoint, Time due) {
  const std::int64_t skipped = leave_out_backlog(now, endpoint.packet_time(), tone_backlog_max, due);
  endpoint.played += static_cast<std::size_t>(skipped) * endpoint.ptime_ms * samples_per_ms;
  std::uint32_t ticks = endpoint.ticks_over(skipped);
  for (; due <= now; due += endpoint.packet_time()) {
    if (endpoint.plays_once() && endpoint.played >= endpoint.prompt->samples.size()) {
      return unhear(handle, endpoint);
    }
    send_tone(now, endpoint, ticks);
    ticks = endpoint.packet_ticks();
  }
  arm(handle, endpoint, RelayTimer::tone, due);
}

void Relay::Impl::send_tone(Time now, Endpoint& endpoint, std::uint32_t ticks) {
  ++counters_.tone_packets;
  const bool prompt = endpoint.source == Endpoint::Source::prompt;
  const sdp::Codec codec = endpoint.format.codec;
  const std::size_t wanted = std::size_t{endpoint.ptime_ms} * samples_per_ms;
  if (!is_g711(codec)) {
    const auto& samples = prompt ? endpoint.prompt->samples : ring_backs_.samples(*endpoint.ring_back);
    take_tone(
        endpoint, samples.size(), wanted,
        [&](std::size_t at, std::size_t to, std::size_t count) {
          std::copy_n(samples.data() + at, count, tone_.data() + to);
        },
        [&](std::size_t from) { std::fill(tone_.data() + from, tone_.data() + wanted, std::int16_t{0}); });
    return send_samples(now, endpoint, {tone_.data(), wanted}, samples_per_ms * 1'000, ticks);
  }
  const auto& octets =
      prompt ? endpoint.prompt->octets(codec) : ring_backs_.cadence(*endpoint.ring_back, codec);
  std::uint8_t* const payload = scratch_.data() + rtp_header_bytes;
  take_tone(
      endpoint, octets.size(), wanted,
      [&](std::size_t at, std::size_t to, std::size_t count) {
        std::memcpy(payload + to, octets.data() + at, count);
      },
      [&](std::size_t from) {
        std::memset(payload + from, codec == sdp::Codec::pcma ? 0xd5 : 0xff, wanted - from);
      });
  RtpHeader header = endpoint.out.generate(now, ticks);
  header.payload_type = endpoint.format.payload_type;
  write_rtp_header(header, scratch_.data());
  send_rtp(endpoint, scratch_.data(), wanted);
}

}  // namespace baton::media
