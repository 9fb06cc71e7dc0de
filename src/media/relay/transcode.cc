// Audio that is made for a listener: what a party says in another codec, and tones. It leaves on a grid of
// the listener's packet time; what comes in goes through a jitter buffer first, the only place that needs
// one.
#include "media/relay/relay_impl.h"

namespace baton::media {
// The encoder stays: what the listener decodes next follows on what it made, whoever is heard then.
void Relay::Impl::stop_transcoding(Endpoint& listener) {
  if (listener.playout == nullptr) return;
  listener.playout.reset();
  listener.deadline(RelayTimer::frame).reset();
  listener.out.cut();
}

// A packet of the party the listener hears, whose codec is not the listener's. `noise`: comfort noise, which
// is of whatever codec it was spoken in before.
void Relay::Impl::transcode_packet(Time now, sdp::Codec codec, bool noise, const RtpPacket& packet,
                                   std::span<const std::uint8_t> payload, EndpointHandle handle,
                                   Endpoint& listener) {
  if (!noise && (listener.playout == nullptr || listener.playout->codec() != codec)) {
    stop_transcoding(listener);
    listener.playout =
        std::make_unique<Playout>(codec, common_rate(codec, listener.format.codec), listener.ptime_ms);
  }
  Playout& playout = *listener.playout;
  Deadline& next = listener.deadline(RelayTimer::frame);
  Time first_take = now;
  if (!next) first_take += playout.start_after(duration(codec, payload).value_or(listener.packet_ticks()));
  const RtpHeader& header = packet.header;
  if (noise) {
    playout.put_noise(now, header.sequence, header.timestamp, payload, next.value_or(first_take));
  } else if (!playout.put(now, header.sequence, header.timestamp, payload, next.value_or(first_take))) {
    ++counters_.dropped_late;
    return;
  }
  if (!next) arm(handle, listener, RelayTimer::frame, first_take);
}

// Sends what is due, on a grid from the first frame on, so that lateness never adds up.
void Relay::Impl::send_frames(Time now, EndpointHandle handle, Endpoint& listener, Time due) {
  if (listener.playout == nullptr || !listener.sending()) return;
  std::uint32_t ticks =
      listener.ticks_over(leave_out_backlog(now, listener.packet_time(), frame_backlog_max, due));
  for (; due <= now; due += listener.packet_time()) {
    const auto samples = listener.playout->take();
    if (samples.empty()) {
      // Nobody has spoken for long. The next packet starts it again.
      listener.out.cut();
      return;
    }
    // Digits take the place of audio, which goes on behind them.
    if (!listener.hears_digits()) {
      send_samples(now, listener, samples, listener.playout->rate(), ticks);
      ++counters_.transcoded;
    }
    ticks = listener.packet_ticks();
  }
  arm(handle, listener, RelayTimer::frame, due);
}

// One packet; `ticks` after the one before.
void Relay::Impl::send_samples(Time now, Endpoint& listener, std::span<const std::int16_t> samples,
                               unsigned rate, std::uint32_t ticks) {
  if (listener.encoder == nullptr || listener.encoder->rate() != rate ||
      listener.encoder->codec() != listener.format.codec) {
    listener.encoder = std::make_unique<Encoder>(listener.format.codec, rate);
  }
  const std::size_t size = listener.encoder->encode(samples, scratch_.data() + rtp_header_bytes);
  if (size == 0) return;
  RtpHeader header = listener.out.generate(now, ticks);
  header.payload_type = listener.format.payload_type;
  write_rtp_header(header, scratch_.data());
  send_rtp(listener, scratch_.data(), size);
}

}  // namespace baton::media
