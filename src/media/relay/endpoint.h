// One party's side of the relay: its sockets, the stream it hears, the stream it sends. Owned by the relay.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/rare_list.h"
#include "base/slab.h"
#include "base/time.h"
#include "base/told_twice.h"
#include "media/codec/playout.h"
#include "media/digits/player.h"
#include "media/digits/telephone_event.h"
#include "media/digits/tones.h"
#include "media/port.h"
#include "media/prompts/prompts.h"
#include "media/relay/gate.h"
#include "media/relay/payload_meanings.h"
#include "media/relay/ring_back.h"
#include "media/relay/sockets.h"
#include "media/relay/srtp.h"
#include "media/relay/streams.h"

namespace baton::media {

enum class RelayTimer : std::uint8_t { tone, report, silence, frame, digit, event, comfort };
inline constexpr std::size_t relay_timers = 7;

// How fast a party may send. G.711 in 10 ms packets with telephone-events between takes a third of it; a
// stream that is led round in a circle by a forged SDP can not take more than this.
class PacketBudget {
 public:
  [[nodiscard]] bool take(Time now) {
    if (paid_until_ > now + burst) return false;
    paid_until_ = std::max(paid_until_, now) + interval;
    return true;
  }

 private:
  static constexpr Duration interval = 2'500us;
  static constexpr Duration burst = 500ms;
  Time paid_until_ = Time::min();
};

// How much audio a party may have looked into, for tones or a recording, whatever its packets claim to hold.
class ListeningBudget {
 public:
  [[nodiscard]] bool take(Time now, Duration played) {
    if (paid_until_ > now + burst) return false;
    paid_until_ = std::max(paid_until_, now) + played / times_real;
    return true;
  }

 private:
  static constexpr int times_real = 2;
  static constexpr Duration burst = 1s;
  Time paid_until_ = Time::min();
};

// Packets that are made lie on a grid, so that lateness never adds up. What fell behind by more than `most`
// packets is left out: moves `due` on by it, and returns how many packets that were; fewer are made up for.
inline constexpr std::int64_t frame_backlog_max = 5;  // of audio that is encoded
[[nodiscard]] inline std::int64_t leave_out_backlog(Time now, Duration packet_time, std::int64_t most,
                                                    Time& due) {
  const std::int64_t behind = (now - due) / packet_time;
  if (behind <= most) return 0;
  due += behind * packet_time;
  return behind;
}

// When a timer falls due, if it runs.
class Deadline {
 public:
  Deadline& operator=(Time at) {
    at_ = at;
    return *this;
  }
  void reset() { at_ = never; }
  [[nodiscard]] explicit operator bool() const { return at_ != never; }
  [[nodiscard]] Time operator*() const { return at_; }
  [[nodiscard]] Time value_or(Time other) const { return at_ != never ? at_ : other; }
  [[nodiscard]] bool operator==(Time at) const { return at_ == at; }

 private:
  static constexpr Time never = Time::max();
  Time at_ = never;
};

struct Endpoint {
  enum class Source : std::uint8_t { silence, party, ring_back, prompt };

  // The keys that the party presses, by telephone-events or tones. Most parties never press one.
  struct Keys {
    EventReader events;
    std::uint32_t events_ssrc = 0;       // whose they are
    std::uint32_t events_clock = 8'000;  // their clock, Hz
    Time event_heard{};                  // when the last packet of the present one came
    bool event_left_out = false;         // the digit among them has been told by other means, or to others
    EventsLeftOut events_left_out;
    ToldTwice told;
    std::unique_ptr<ToneDetector> tones;  // of a party without telephone-events whose listener has them
    std::unique_ptr<Decoder> tone_decoder;
    std::uint8_t tone = 0;       // the digit they found last
    bool tone_left_out = false;  // which was pressed for others than those who hear the party now
  };

  Endpoint(EndpointId id_, bool v6_, std::uint16_t port_, SocketPair sockets_, OutputStream out_,
           std::string cname_)
      : id(id_), v6(v6_), port(port_), sockets(std::move(sockets_)), cname(std::move(cname_)), out(out_) {}

  [[nodiscard]] bool sending() const { return configured && send && rtp_target.length != 0; }
  // What it hears is made here, packet after packet.
  [[nodiscard]] bool is_played_to() const { return source == Source::ring_back || source == Source::prompt; }
  [[nodiscard]] bool plays_once() const { return source == Source::prompt && play_once; }
  // Digits are being sent to it, and nothing else is.
  [[nodiscard]] bool hears_digits() const { return digits && digits->busy(); }
  [[nodiscard]] Duration packet_time() const { return std::chrono::milliseconds(ptime_ms); }
  [[nodiscard]] std::uint32_t packet_ticks() const { return out.clock() / 1'000 * ptime_ms; }
  // From one packet to the next one, when so many between them were left out.
  [[nodiscard]] std::uint32_t ticks_over(std::int64_t left_out) const {
    return packet_ticks() * static_cast<std::uint32_t>(left_out + 1);
  }
  [[nodiscard]] Keys& keys_pressed() {
    if (keys == nullptr) keys = std::make_unique<Keys>();
    return *keys;
  }
  // Of the telephone-events it sends, Hz.
  [[nodiscard]] std::uint32_t events_clock() const { return keys ? keys->events_clock : 8'000; }
  [[nodiscard]] Deadline& deadline(RelayTimer timer) { return deadlines[static_cast<std::size_t>(timer)]; }

  EndpointId id;
  bool v6;
  std::uint16_t port;
  SocketPair sockets;
  std::string cname;

  // From the last Configure.
  bool configured = false, send = false, receive = false;
  sdp::Format format;
  std::optional<std::uint8_t> dtmf_payload_type;  // it is sent telephone-events under that number
  std::uint32_t dtmf_clock_rate = 8'000;          // at that clock
  DigitsBy digits_by = DigitsBy::events;
  unsigned ptime_ms = 20;
  SrtpEndpoint* srtp = nullptr;  // in use; nothing: RTP
  // Stays when RTP is agreed on for a while: a key that comes back must not begin anew.
  std::unique_ptr<SrtpEndpoint> srtp_agreed;
  PayloadMeanings meanings;
  Gate rtp_gate, rtcp_gate;
  KernelAddress rtp_target, rtcp_target;

  // What the party hears.
  Source source = Source::silence;
  Handle<Endpoint> heard_party;
  const RingBackPlan* ring_back = nullptr;
  std::shared_ptr<const Prompt> prompt;
  bool play_once = false;
  std::size_t played = 0;  // samples into the cadence or the prompt, at 8 kHz
  OutputStream out;
  Duration comfort_after{};  // that the party it hears sends nothing; 0: never
  Time fed_at{};             // when there was audio for it last
  bool comforted = false;    // noise is being sent to it
  // Audio made for the listener: the party it hears speaks another codec, or the tone is to be in one that
  // takes more than a table. There only as long as that is so.
  std::unique_ptr<Playout> playout;
  std::unique_ptr<Encoder> encoder;
  std::unique_ptr<DigitPlayer> digits;  // on their way to it; made when first needed
  std::uint32_t digit_started = 0;      // RTP time of the one that is being sent

  // What the party sends, and who hears it.
  ReceivedStream in;
  PacketBudget budget;
  ListeningBudget listening;
  std::unique_ptr<Keys> keys;  // nothing: it has told of none, and nobody listens for them
  std::vector<Handle<Endpoint>> listeners;
  struct Track {
    RecordingId recording = 0;
    unsigned channel = 0;
  };
  RareList<Track> tracks;  // where it is recorded

  std::array<Deadline, relay_timers> deadlines;
  Time last_heard{};
  bool silence_reported = false;
  std::uint32_t packets_at_report = 0;
  bool rtcp_due = false;  // some RTP has passed in either direction
  std::uint64_t packets_received = 0, packets_sent = 0, packets_dropped = 0;
  std::optional<std::int32_t> peer_lost;  // of what it was sent, by its last report
  Average peer_jitter_us, round_trip_us;
};

}  // namespace baton::media
