#include "phone.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace baton::audio {

void Phone::speak(const sdp::Format& format, const SocketAddress& to) {
  const unsigned rate = sample_rate(format.codec);
  Mouth& mouth = mouths_.try_emplace(format.codec, format.codec).first->second;
  const auto payload = mouth.encode(render(sound, spoken_seconds(), ptime_ms / 1'000.0, rate));
  send(to, format.payload_type, false, payload, timestamp(sdp::clock_rate(format.codec)));
  spoken_ms_ += ptime_ms;
}

void Phone::send(const SocketAddress& to, std::uint8_t payload_type, bool marker,
                 std::span<const std::uint8_t> payload, std::uint32_t timestamp, bool count) {
  std::vector<std::uint8_t> datagram(media::rtp_header_bytes);
  media::write_rtp_header({marker, payload_type, sequence_, timestamp, ssrc_}, datagram.data());
  if (count) ++sequence_;
  datagram.insert(datagram.end(), payload.begin(), payload.end());
  if (!secrecy.seal(datagram)) return;
  plug_.send(to, datagram);
}

void Phone::listen(Time now, const std::function<std::optional<sdp::Codec>(std::uint8_t)>& codec_of) {
  while (auto datagram = plug_.receive()) {
    const bool clear = secrecy.open(*datagram);
    const auto packet = media::read_rtp(*datagram);
    if (!clear || !packet) ++unreadable_;
    if (!clear || !packet) continue;
    Heard heard{now, packet->header, codec_of(packet->header.payload_type), {}, {}};
    const auto begin = datagram->begin() + static_cast<std::ptrdiff_t>(packet->payload_offset);
    heard.payload.assign(begin, begin + static_cast<std::ptrdiff_t>(packet->payload_size));
    if (heard.codec)
      heard.clip = ears_.try_emplace(*heard.codec, *heard.codec).first->second.decode(heard.payload);
    heard_.push_back(std::move(heard));
  }
}

Clip Phone::clip(Time from, Time to) const {
  Clip clip;
  for (const Heard& heard : heard_) {
    if (!heard.codec || heard.at < from || heard.at >= to) continue;
    // Another codec in between: only what came last can be judged as one.
    if (heard.clip.rate != clip.rate) clip = {heard.clip.rate, {}};
    clip.samples.insert(clip.samples.end(), heard.clip.samples.begin(), heard.clip.samples.end());
  }
  return clip;
}

Duration Phone::longest_gap(Time from, Time to) const {
  Time last = from;
  Duration longest{};
  for (const Heard& heard : heard_) {
    if (!heard.codec || heard.at < from || heard.at >= to) continue;
    longest = std::max<Duration>(longest, heard.at - last);
    last = heard.at;
  }
  return std::max<Duration>(longest, to - last);
}

std::optional<sdp::Codec> Phone::last_codec() const {
  const auto found = std::find_if(heard_.rbegin(), heard_.rend(),
                                  [](const Heard& heard) { return heard.codec.has_value(); });
  return found == heard_.rend() ? std::nullopt : found->codec;
}

std::string Phone::flaws() const {
  const Heard* before = nullptr;
  for (const Heard& heard : heard_) {
    if (before != nullptr) {
      const std::string place = " at packet " + std::to_string(&heard - heard_.data());
      if (heard.header.ssrc != before->header.ssrc) return "another SSRC" + place;
      if (heard.header.sequence != static_cast<std::uint16_t>(before->header.sequence + 1)) {
        return "a step in the sequence" + place;
      }
      const auto step = static_cast<std::int32_t>(heard.header.timestamp - before->header.timestamp);
      if (heard.codec && before->codec && heard.header.timestamp != before->header.timestamp) {
        const double clock = sdp::clock_rate(*heard.codec);
        const double by_clock = static_cast<double>((heard.at - before->at).count()) * clock / 1e6;
        // Behind a switch a packet may stand for its own length at once; jitter is one of 60 ms at most.
        if (step < 0) return "a time stamp that runs back" + place;
        if (std::abs(step - by_clock) > 0.08 * clock) {
          return "a time stamp " + std::to_string(step) + " on where the clock is " +
                 std::to_string(by_clock) + place;
        }
      }
    }
    before = &heard;
  }
  return {};
}

}  // namespace baton::audio
