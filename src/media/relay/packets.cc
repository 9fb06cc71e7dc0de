#include <sys/socket.h>

#include <cstring>
#include <optional>

#include "base/assert.h"
#include "media/relay/g711.h"
#include "media/relay/relay_impl.h"
#include "media/relay/rtcp.h"

namespace baton::media {
namespace {

// As they are: numbered anew, and that is all.
bool passes_events(const Endpoint& source, const Endpoint& listener) {
  return listener.digits_by == DigitsBy::events && listener.dtmf_payload_type &&
         source.events_clock() == listener.dtmf_clock_rate;
}

bool may_listen(Time now, Endpoint& endpoint, sdp::Codec codec, std::span<const std::uint8_t> payload) {
  const auto ticks = duration(codec, payload);
  return ticks &&
         endpoint.listening.take(now, Duration(std::int64_t{*ticks} * 1'000'000 / sdp::clock_rate(codec)));
}

}  // namespace

void Relay::Impl::poll(Time now, std::vector<Result>& results) {
  const int count = ::epoll_wait(epoll_.get(), events_.data(), static_cast<int>(events_.size()), 0);
  for (int i = 0; i < count; ++i) {
    const std::uint64_t data = events_[static_cast<std::size_t>(i)].data.u64;
    if (data == recorder_mark) {
      options_.recorder->take_finished(results);
      continue;
    }
    read(now, Watched::unpack(data));
  }
  report_digits(results);
}

void Relay::Impl::report_digits(std::vector<Result>& results) {
  results.insert(results.end(), digits_reported_.begin(), digits_reported_.end());
  digits_reported_.clear();
}

void Relay::Impl::read(Time now, Watched socket) {
  const std::size_t count = batch_.receive(socket.fd);
  const EndpointHandle handle = owner_of(socket.port);
  Endpoint* endpoint = endpoints_.find(handle);
  if (endpoint == nullptr) {  // at rest: nobody is meant any more
    counters_.dropped_at_rest += count;
    if (count != 0) ports_.heard_at_rest(now, static_cast<std::uint16_t>(socket.port & ~1U));
    return;
  }
  const bool rtcp = socket.port % 2 != 0;
  for (std::size_t i = 0; i < count; ++i) {
    const SocketAddress from = from_kernel(batch_.from[i]);
    // A datagram cut short is longer than any audio packet; empty, it fails every check below.
    const auto bytes = batch_.whole(i) ? batch_.bytes(i) : batch_.bytes(i).first(0);
    if (rtcp) {
      receive_rtcp(now, handle, *endpoint, bytes, from);
    } else {
      receive_rtp(now, handle, *endpoint, bytes, from);
    }
  }
}

void Relay::Impl::heard(Time now, EndpointHandle handle, Endpoint& endpoint) {
  endpoint.last_heard = now;
  if (endpoint.silence_reported) watch_silence(now, handle, endpoint);
}

void Relay::Impl::drop(Endpoint& endpoint, std::uint64_t& why) {
  ++why;
  ++endpoint.packets_dropped;
}

void Relay::Impl::receive_rtp(Time now, EndpointHandle handle, Endpoint& endpoint,
                              std::span<std::uint8_t> bytes, const SocketAddress& from) {
  ++counters_.received;
  ++endpoint.packets_received;
  if (endpoint.srtp && !unseal(now, endpoint, endpoint.rtp_gate.admits(from, true), bytes, false)) return;
  const auto packet = read_rtp(bytes);
  if (!packet) return drop(endpoint, counters_.dropped_malformed);
  const Meaning meaning = endpoint.meanings.of(packet->header.payload_type);
  const bool fits = meaning != Meaning::nothing && packet->payload_size != 0;
  const Gate::Verdict verdict = endpoint.rtp_gate.judge(from, fits);
  if (verdict == Gate::Verdict::refused) return drop(endpoint, counters_.dropped_source);
  if (!endpoint.budget.take(now)) return drop(endpoint, counters_.dropped_rate);
  if (verdict == Gate::Verdict::latched) {
    ++counters_.latched;
    retarget(now, handle, endpoint);
  }
  heard(now, handle, endpoint);
  if (meaning == Meaning::nothing) return drop(endpoint, counters_.dropped_payload_type);
  const sdp::Codec codec = endpoint.meanings.codec(packet->header.payload_type);
  const bool event = meaning == Meaning::telephone_event;
  if (packet->payload_size < (event ? telephone_event_bytes : 1)) {
    return drop(endpoint, counters_.dropped_malformed);
  }
  endpoint.rtcp_due = true;
  const bool audio = meaning == Meaning::audio;
  const auto place =
      endpoint.in.packet(now, packet->header, audio, audio ? sdp::clock_rate(codec) : endpoint.in.clock());
  if (place == ReceivedStream::Verdict::stray) return drop(endpoint, counters_.dropped_stale);
  if (place == ReceivedStream::Verdict::restarted) cut_listeners(endpoint);
  if (!endpoint.receive) return drop(endpoint, counters_.dropped_held);
  const std::span<const std::uint8_t> payload{bytes.data() + packet->payload_offset, packet->payload_size};
  if (event) {
    take_event(now, handle, endpoint, *packet, payload.data());
  } else if (meaning == Meaning::audio) {
    const bool listened_to = !endpoint.dtmf_payload_type || !endpoint.tracks.empty();
    const bool affordable = listened_to && may_listen(now, endpoint, codec, payload);
    if (affordable && !endpoint.dtmf_payload_type) listen_for_tones(now, endpoint, codec, payload);
    for (const auto& track : endpoint.tracks) {
      if (!affordable) break;
      options_.recorder->audio(
          {track.recording, track.channel, now, codec, packet->header.ssrc, packet->header.timestamp},
          payload);
    }
  }
  // Other events than digits (RFC 4733 3.2) are never told by other means.
  const bool left_out = event && payload.front() < digit_events && endpoint.keys &&
                        endpoint.keys->events_left_out.has(packet->header.timestamp);
  for (const EndpointHandle listener : endpoint.listeners) {
    Endpoint& to = endpoints_.at(listener);
    if (to.hears_digits()) {
      to.fed_at = now;
      continue;
    }
    if (!event || (passes_events(endpoint, to) && !left_out)) {
      forward(now, meaning, codec, *packet, bytes.data(), listener);
    } else {
      // Its number goes to the next packet, so that it is not taken for lost.
      if (to.playout == nullptr) to.out.leave_out(packet->header);
      if (to.digits_by == DigitsBy::events && !to.dtmf_payload_type) ++counters_.dropped_payload_type;
    }
  }
}

void Relay::Impl::forward(Time now, Meaning meaning, sdp::Codec codec, const RtpPacket& packet,
                          std::uint8_t* bytes, EndpointHandle handle) {
  Endpoint& listener = endpoints_.at(handle);
  if (!listener.sending()) return;
  const bool event = meaning == Meaning::telephone_event;
  const bool noise = meaning == Meaning::comfort_noise;
  if (!noise) listener.fed_at = now;
  if (meaning == Meaning::audio && listener.comforted) end_comfort(listener);
  if (!event) {
    const bool alike =
        noise || codec == listener.format.codec || (is_g711(codec) && is_g711(listener.format.codec));
    if (!alike || (noise && listener.playout != nullptr)) {
      return transcode_packet(now, codec, noise, packet, {bytes + packet.payload_offset, packet.payload_size},
                              handle, listener);
    }
    if (listener.playout != nullptr) stop_transcoding(listener);
    if (noise) return listener.out.leave_out(packet.header);
    // Nothing is made for it any more, unless keys are to sound in its audio.
    if (listener.encoder != nullptr && listener.digits_by != DigitsBy::tones) listener.encoder.reset();
  }
  // Among packets that are made for the listener the party's own numbers mean nothing.
  const bool among_made = listener.playout != nullptr || listener.comforted;
  auto header = among_made ? listener.out.insert(now, packet.header) : listener.out.relay(now, packet.header);
  if (!header) {
    ++counters_.dropped_stale;
    return;
  }
  header->payload_type = event ? *listener.dtmf_payload_type : listener.format.payload_type;
  // The header is written right before the payload, over the one it came with: nothing of it is needed any
  // more, and the next listener's goes to the same place.
  std::uint8_t* out = bytes + packet.payload_offset - rtp_header_bytes;
  if (!event && codec != listener.format.codec) {
    transcode(codec, listener.format.codec, {bytes + packet.payload_offset, packet.payload_size},
              scratch_.data() + rtp_header_bytes);
    out = scratch_.data();
    ++counters_.transcoded;
  }
  write_rtp_header(*header, out);
  send_rtp(listener, out, packet.payload_size);
}

// Before anything is read in a packet of a party with SRTP: nobody else's may move or silence its stream. A
// packet from elsewhere is not worth a look.
bool Relay::Impl::unseal(Time now, Endpoint& endpoint, bool admitted, std::span<std::uint8_t>& bytes,
                         bool rtcp) {
  if (!admitted) {
    drop(endpoint, counters_.dropped_source);
    return false;
  }
  const auto verdict = endpoint.srtp->unprotect(now, bytes, rtcp);
  if (verdict == SrtpContext::Verdict::forged) drop(endpoint, counters_.dropped_forged);
  if (verdict == SrtpContext::Verdict::replayed) drop(endpoint, counters_.dropped_replayed);
  return verdict == SrtpContext::Verdict::good;
}

// Encrypts a copy, because others may hear the same packet. Nothing: its number has gone out before.
const std::uint8_t* Relay::Impl::seal(Endpoint& endpoint, const std::uint8_t* bytes, std::size_t& size,
                                      bool rtcp) {
  BATON_ASSERT(size + srtp_trailer_bytes_max <= sealed_.size());
  std::memcpy(sealed_.data(), bytes, size);
  if (endpoint.srtp->protect(sealed_.data(), size, rtcp)) return sealed_.data();
  ++counters_.dropped_stale;
  return nullptr;
}

void Relay::Impl::send_rtp(Endpoint& endpoint, const std::uint8_t* bytes, std::size_t payload_bytes) {
  std::size_t size = rtp_header_bytes + payload_bytes;
  if (endpoint.srtp) bytes = seal(endpoint, bytes, size, false);
  if (bytes == nullptr) return;
  const auto* target = reinterpret_cast<const sockaddr*>(&endpoint.rtp_target.storage);
  if (::sendto(endpoint.sockets.rtp.get(), bytes, size, MSG_DONTWAIT, target, endpoint.rtp_target.length) <
      0) {
    ++counters_.send_failed;
    return;
  }
  ++counters_.sent;
  ++endpoint.packets_sent;
  endpoint.out.count_sent(payload_bytes);
  endpoint.rtcp_due = true;
}

void Relay::Impl::receive_rtcp(Time now, EndpointHandle handle, Endpoint& endpoint,
                               std::span<std::uint8_t> bytes, const SocketAddress& from) {
  // Behind a NAT the two ports are mapped apart, but to one address.
  const auto& latched = endpoint.rtp_gate.latched();
  const bool may_latch = latched && latched->ip == from.ip;
  if (endpoint.srtp && !unseal(now, endpoint, endpoint.rtcp_gate.admits(from, may_latch), bytes, true))
    return;
  const auto seen = read_rtcp(bytes, endpoint.out.ssrc());
  if (!seen) return drop(endpoint, counters_.dropped_malformed);
  const Gate::Verdict verdict = endpoint.rtcp_gate.judge(from, may_latch);
  if (verdict == Gate::Verdict::refused) return drop(endpoint, counters_.dropped_source);
  if (!endpoint.budget.take(now)) return drop(endpoint, counters_.dropped_rate);
  if (verdict == Gate::Verdict::latched) endpoint.rtcp_target = to_kernel(from);
  ++counters_.rtcp_received;
  heard(now, handle, endpoint);
  if (seen->sender_report) endpoint.in.sender_report(now, seen->ssrc, seen->middle_of_ntp);
  if (!seen->about_us) return;
  endpoint.peer_lost = seen->about_us->cumulative_lost;
  endpoint.peer_jitter_us.add(ticks_to_us(seen->about_us->jitter, sdp::clock_rate(endpoint.format.codec)));
  if (const auto took = round_trip(now, *seen->about_us)) {
    endpoint.round_trip_us.add(static_cast<std::uint32_t>(took->count()));
  }
}

}  // namespace baton::media
