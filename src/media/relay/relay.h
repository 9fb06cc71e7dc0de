// The built-in media plane: RTP between the parties of calls, on UDP sockets of its own. One relay belongs to
// one shard and lives on its thread; it is not thread-safe and never blocks. It has no clock: whoever drives
// it says what time it is, so that cadences and time-outs can be tested without waiting.
//
//   relay.perform(now, operation, results)   operations of the machine, in order; the answer comes at once
//   relay.poll_fd()                          an epoll descriptor to nest in the shard's loop (readable: poll)
//   relay.poll(now, results)                 reads and forwards what has arrived
//   relay.next_deadline(), relay.advance()   ring-back tone, RTCP reports, silence
//
// With a party that has agreed on SRTP every packet of either kind is encrypted; what its key does not fit is
// dropped before anything is read in it.
//
// What a party hears is one RTP stream of ours for the life of its endpoint: one SSRC, sequence numbers
// without a step, a time line that never runs back, whatever is switched behind it (RFC 3550 5.1). Audio of
// the listener's own codec is passed on packet by packet as it comes: nothing is buffered, re-timed or split,
// whatever packet time was asked for, which is a wish (RFC 8866 6.4); G.711 is converted between its two
// laws. Where codecs differ otherwise, a transcoder of the listener's decodes, and sends packets of the
// listener's packet time on a grid of its own. RTCP ends here: each party gets our own reports about our
// stream and about what we receive from it (RFC 3550 6.4), as a relay that renumbers streams must (RFC
// 3550 7.2). A party that hears silence is sent no RTP at all, as on hold; reports go on. Telephone-events
// are passed on like audio to a party that agreed on them at the same clock rate; otherwise they are made
// anew for it, as telephone-events or tones, and the tones of a party without telephone-events are found and
// converted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/address.h"
#include "base/time.h"
#include "media/port.h"
#include "media/prompts/prompts.h"
#include "media/recording/recorder.h"
#include "media/relay/ports.h"

namespace baton::media {

class Relay {
 public:
  // Where sockets are bound and what peers are told about it (behind a one-to-one NAT they differ).
  struct Interface {
    IpAddress bind;
    IpAddress advertised;
  };

  struct Options {
    std::optional<Interface> v4;
    std::optional<Interface> v6;
    std::uint16_t port_min = 10'000;  // the first even port at or above it is the first RTP port
    std::uint16_t port_max = 30'000;  // the last port, RTCP included
    Duration silence_timeout = 0s;    // 0: never
    Duration port_rest = 10s;         // a closed pair is not given to another call for so long
    std::size_t endpoints_max = 60'000;
    // Of pairs, those of endpoints and those that rest with open sockets: two descriptors each. Endpoints
    // come first, and have what they need beyond it.
    std::size_t open_pairs_max = 1'024;
    std::uint8_t dscp = 46;                    // EF (RFC 4594 4.1)
    std::shared_ptr<PromptLibrary> prompts{};  // none: prompts are silence
    std::shared_ptr<Recorder> recorder{};      // none: nothing can be recorded
    bool tells_recorded = true;                // false: another asks the recorder what it has finished
    std::uint64_t seed = 0;  // of SSRCs, first numbers and port order; 0: from the operating system
  };

  // Packets over all endpoints since the start; why some went no further.
  struct Counters {
    std::uint64_t received = 0, sent = 0;
    std::uint64_t dropped_malformed = 0;     // too short, wrong version, lengths that do not add up
    std::uint64_t dropped_source = 0;        // not from the party
    std::uint64_t dropped_payload_type = 0;  // nothing we agreed on
    std::uint64_t dropped_stale = 0;         // from before a switch, or a stray SSRC
    std::uint64_t dropped_held = 0;          // the party is not to send now
    std::uint64_t dropped_rate = 0;          // faster than any audio
    std::uint64_t dropped_at_rest = 0;       // for a pair of ports that no call has now
    std::uint64_t dropped_forged = 0;        // SRTP that the party's key does not fit
    std::uint64_t dropped_replayed = 0;      // SRTP that has been here before
    std::uint64_t dropped_late = 0;          // too late, twice or broken, for a listener of another codec
    std::uint64_t send_failed = 0;
    std::uint64_t rtcp_received = 0, rtcp_sent = 0;
    std::uint64_t tone_packets = 0, transcoded = 0, latched = 0;  // packets sent so; parties
    std::uint64_t comfort_packets = 0;   // noise in the place of a party that sent nothing
    std::uint64_t digits_converted = 0;  // telephone-event to tone, tone to telephone-event …
  };

  explicit Relay(Options options);
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  // An operation on an endpoint that is not open is ignored, except Close, which is answered with zero
  // totals.
  void perform(Time now, const Operation& operation, std::vector<Result>& results);

  // Readable while a packet waits. Level-triggered; owned by the relay.
  [[nodiscard]] int poll_fd() const;

  // Bounded work: what is left after one round leaves poll_fd() readable.
  void poll(Time now, std::vector<Result>& results);

  // When to call advance() at the latest; may be in the past.
  [[nodiscard]] std::optional<Time> next_deadline() const;
  void advance(Time now, std::vector<Result>& results);

  // Endpoints can move to another relay, with everything that belongs to them: what their parties send and
  // hear goes on there, waiting packets and timers included. Those who hear each other, and recordings of
  // theirs, move together; links to one that stays are cut. Unknown ids are ignored.
  class Parcel {
   public:
    Parcel();
    Parcel(Parcel&&) noexcept;
    Parcel& operator=(Parcel&&) noexcept;
    ~Parcel();
    [[nodiscard]] std::vector<EndpointId> endpoints() const;

   private:
    friend class Relay;
    struct Contents;
    std::unique_ptr<Contents> contents_;
  };
  [[nodiscard]] Parcel take_out(const std::vector<EndpointId>& endpoints,
                                const std::vector<RecordingId>& recordings);
  // Both on interfaces of the same addresses. No id in it is open here. Leaves nothing in the parcel but ids.
  void put_in(Parcel& parcel, std::vector<Result>& results);
  // The port pairs of endpoints that came from another relay and have been closed here: for take_back() of
  // that one. Appended.
  void take_stray_pairs(std::vector<PortPair>& pairs);
  // One of its own range; it rests as if its endpoint had been closed here.
  void take_back(Time now, PortPair pair);

  [[nodiscard]] std::size_t endpoints() const;
  [[nodiscard]] const Counters& counters() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace baton::media
