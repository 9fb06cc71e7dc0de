// What the leg and call layers are given to work with during one engine step. One per engine, on its thread.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/address.h"
#include "base/rng.h"
#include "base/target.h"
#include "base/time.h"
#include "media/port.h"
#include "sip/digest.h"
#include "sip/spares.h"
#include "store/port.h"
#include "trunk/model.h"
#include "txn/layer.h"

namespace baton::call {

enum class Severity : std::uint8_t { debug, info, warning, error };

// A log event with its fields, formatted at the edge.
struct LogEvent {
  Severity severity = Severity::info;
  std::string event;  // "call.answered", "transfer.refused" …
  std::vector<std::pair<std::string, std::string>> fields;
};

// A socket the driver listens on, as peers see it.
struct Listener {
  Transport transport = Transport::udp;
  SocketAddress advertised;
};

// What calls ask of the outside world. Each call becomes one action, in this order.
class World {
 public:
  virtual ~World() = default;
  virtual void media(media::Operation operation) = 0;
  virtual void resolve(std::uint64_t query, Lookup lookup) = 0;
  virtual void write(store::Record record) = 0;
  virtual void log(LogEvent event) = 0;
  // Whether a password of that trunk may be tried from there now; what came of it.
  virtual bool may_log_in(const SocketAddress& source, const std::string& trunk_id) = 0;
  virtual void logged_in(const SocketAddress& source) = 0;
  virtual void login_failed(const SocketAddress& source, const std::string& trunk_id) = 0;
};

struct Counters {
  std::uint64_t messages_in = 0, malformed_answered = 0, malformed_dropped = 0;
  std::uint64_t calls_started = 0, calls_queued = 0, calls_answered = 0, transfers_started = 0,
                transfers_bridged = 0, transfers_failed = 0, transfers_refused = 0;
  std::uint64_t targets_blocked = 0;
  // Of strangers: messages beyond their rate; sources silenced and messages ignored since; failed logins and
  // those not even tried; answers over UDP cut to the size of the request, and those that could not be.
  std::uint64_t strangers_limited = 0, sources_silenced = 0, silenced_ignored = 0, logins_failed = 0,
                logins_throttled = 0, answers_cut = 0, answers_withheld = 0;
  // RTP of all legs that have ended; legs whose audio could be rated, and those below mos_poor.
  std::uint64_t rtp_received = 0, rtp_sent = 0, rtp_dropped = 0, rtp_lost = 0;
  std::uint64_t legs_rated = 0, legs_poor = 0, rtp_timeouts = 0;
  std::uint64_t recordings = 0, recordings_failed = 0;  // those that are complete, and others
  std::uint64_t digits_told = 0;                        // keys that were passed on by INFO, or came by it
  std::uint64_t overloads = 0, overload_refused = 0;    // times it began; calls turned away
};

struct Context {
  Time now{};
  Rng& rng;
  txn::Layer& txns;
  sip::Spares& spares;
  World& world;
  sip::DigestServer& digest;
  trunk::Snapshot model;
  std::vector<Listener> listeners;
  std::string user_agent;
  std::string secret;  // unguessable; keys follow from it
  txn::Timers timers;
  Counters counters;
  std::uint64_t queries = 0;  // numbers the look-ups
  bool draining = false;
};

}  // namespace baton::call
