// The audio of one simulated party: a socket, the stream it sends, and all it hears.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "media/relay/rtp.h"
#include "mouth.h"
#include "secrecy.h"
#include "sound.h"
#include "unit/media/party.h"

namespace baton::audio {

class Phone {
 public:
  struct Heard {
    Time at{};
    media::RtpHeader header;
    std::optional<sdp::Codec> codec;  // nothing: no audio of ours (telephone-event)
    std::vector<std::uint8_t> payload;
    Clip clip;
  };

  explicit Phone(std::uint32_t ssrc) : ssrc_(ssrc) {}

  [[nodiscard]] const SocketAddress& rtp() const { return plug_.address(); }

  // ---- What a test may set ----
  Sound sound = silence();
  unsigned ptime_ms = 20;
  bool muted = false;  // sends nothing at all
  Secrecy secrecy;

  // ---- Driven by the studio ----
  // The next `ptime_ms` of the sound.
  void speak(const sdp::Format& format, const SocketAddress& to);
  // Time passes without a word.
  void pause() { spoken_ms_ += ptime_ms; }
  // Any packet of its stream: telephone-events, nonsense. `timestamp_step` is what its clock moves on.
  void send(const SocketAddress& to, std::uint8_t payload_type, bool marker,
            std::span<const std::uint8_t> payload, std::uint32_t timestamp, bool count = true);
  // Takes what has arrived. `codec_of`: what a payload number means to the party.
  void listen(Time now, const std::function<std::optional<sdp::Codec>(std::uint8_t)>& codec_of);

  // ---- What was heard ----
  [[nodiscard]] const std::vector<Heard>& heard() const { return heard_; }
  // The audio that arrived in [from, to).
  [[nodiscard]] Clip clip(Time from, Time to) const;
  // The longest time between packets of audio in [from, to), the ends included.
  [[nodiscard]] Duration longest_gap(Time from, Time to) const;
  [[nodiscard]] std::optional<sdp::Codec> last_codec() const;
  // What is wrong with the stream as a whole (one SSRC, numbers without a step, a clock that keeps time);
  // empty: nothing.
  [[nodiscard]] std::string flaws() const;
  // Datagrams that its keys do not fit, or that are no RTP.
  [[nodiscard]] unsigned unreadable() const { return unreadable_; }
  [[nodiscard]] double spoken_seconds() const { return static_cast<double>(spoken_ms_) / 1'000.0; }
  [[nodiscard]] std::uint32_t timestamp(std::uint32_t clock) const {
    return first_timestamp_ + static_cast<std::uint32_t>(spoken_ms_ * clock / 1'000);
  }

 private:
  media::test::Plug plug_;
  std::uint32_t ssrc_;
  std::uint16_t sequence_ = 100;
  std::uint32_t first_timestamp_ = 5'000;
  std::uint64_t spoken_ms_ = 0;
  unsigned unreadable_ = 0;
  std::map<sdp::Codec, Mouth> mouths_;
  std::map<sdp::Codec, Ear> ears_;
  std::vector<Heard> heard_;
};

}  // namespace baton::audio
