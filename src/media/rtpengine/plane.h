// The media plane that has rtpengine carry the audio. It follows media/port.h like the relay does, but knows
// only what rtpengine answers: it has no socket and no clock, takes the datagrams that came and says which
// are to be sent.
//
// Each endpoint is an rtpengine call of its own between the party and "the void". Who hears whom is where the
// voids send to: to hear a party, the void of that party's call is told the port that faces the listener's
// void. So ports, and rtpengine's keys, stay what they are towards every party whatever is switched behind
// them, endpoints of two calls can be joined, and nothing is left of one pairing in the next.
//
// An operation changes what is wanted of an endpoint; what rtpengine was told last is kept beside it, and the
// difference is asked for, one request of an endpoint at a time, until there is none. So operations never
// wait in a queue, and what was wanted in between is not done. A daemon that stays silent counts as down: new
// endpoints fail at once, those that are there wait, a ping finds out when it is back. It remembers nothing
// over a restart; an endpoint that it does not know any more is lost.
//
// A request that nobody answered may still be obeyed, late: what was opened or changed by one is deleted, and
// a delete that nobody answered is asked for again when somebody answers.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/time.h"
#include "engine/action.h"
#include "media/port.h"
#include "media/relay/ring_back.h"
#include "media/rtpengine/client.h"
#include "media/rtpengine/requests.h"
#include "media/rtpengine/statistics.h"

namespace baton::media {

class Rtpengine {
 public:
  struct Options {
    SocketAddress address;          // of its ng port
    std::string outside, inside;    // names of its interfaces, or empty
    Duration silence_timeout = 0s;  // 0: never
    std::string prompts;            // the directory of prompts, as rtpengine sees it
    std::string token;              // unguessable; begins every cookie and call-id
    bool hears_keys = false;        // what it logs of them is given to `logged`
    std::function<void(const engine::Log&)> log{};
  };

  // Appended to, never cleared.
  struct Out {
    std::vector<Result>& results;
    std::vector<std::string>& datagrams;
  };

  explicit Rtpengine(Options options);

  // As of a relay: what is asked of an endpoint that is not open is ignored, but for Close.
  void perform(Time now, const Operation& operation, Out out);
  void received(Time now, std::string_view datagram, Out out);
  // A datagram of its log of keys (key_log.h).
  void logged(Time now, std::string_view datagram, Out out);
  // Repeats requests, asks how endpoints are. Begins with a ping: call it at once.
  void advance(Time now, Out out);
  [[nodiscard]] std::optional<Time> next_deadline() const;

  [[nodiscard]] std::size_t endpoints() const { return endpoints_.size(); }
  [[nodiscard]] bool is_down() const { return down_; }

  // An endpoint is asked about so often, or four times in the silence time-out.
  static constexpr Duration poll_interval_max = 15s;
  // What an endpoint has waiting while rtpengine is asked for something else; more are dropped.
  static constexpr std::size_t digits_max = 32;
  // So long after a key was told of by INFO, rtpengine has said whether it passed as a telephone-event too.
  static constexpr Duration logged_within = 1s;
  // Calls that are still to be deleted; of more, the oldest are left to rtpengine's own time-out.
  static constexpr std::size_t owed_max = 1'024;

 private:
  enum class State : std::uint8_t { opening, open, lost, closing };
  // How a party that has telephone-events tells of its keys. Known from the first one on.
  enum class KeysBy : std::uint8_t { unknown, events, info };
  enum class Step : std::uint8_t {
    ping,
    open,
    offer,
    answer,
    block,
    play,
    stop,
    digit,
    query,
    remove,
    forget
  };

  struct Endpoint {
    EndpointId id = 0;
    State state = State::opening;
    bool srtp = false;
    bool asking = false;  // of the requests that may not overtake each other, one is out
    bool querying = false;
    rtpengine::CallName name;
    SocketAddress outer, inner;  // rtpengine's ports towards the party and the void; port 0: not known yet
    std::vector<sdp::Crypto> keys;
    // what is wanted
    std::optional<Configure> party;
    SocketAddress remote;               // where the party was last, if it has said so
    EndpointId heard = 0;               // 0: nobody
    std::string played;                 // "ring US", "file wait.wav"; empty: nothing
    std::vector<EndpointId> listeners;  // the last one hears it
    std::vector<SendDigit> digits;      // to be sent when it may be
    KeysBy keys_by = KeysBy::unknown;
    std::vector<SendDigit> held;  // keys of its that came by INFO, until that is known
    Time held_until{};
    // what rtpengine was told
    std::string told_party, told_void, playing;
    bool blocks_keys = false;
    std::string lost_why;
    // how the party is
    rtpengine::Totals totals;
    rtpengine::ReportTally reports;
    Time heard_at{}, poll_at{};
    bool silence_told = false;
  };
  struct Asked {
    EndpointId id = 0;
    Step step = Step::ping;
    std::string what{};  // that will have been told
    Time at{};
  };

  void perform(Time now, const Open& open, Out out);
  void perform(Time now, const Configure& configure, Out out);
  void perform(Time now, const Hear& hear, Out out);
  void perform(Time now, const Close& close, Out out);
  void perform(Time now, const SendDigit& digit, Out out);
  void perform(Time now, const Record& record, Out out);
  void perform(Time now, const StopRecording& stop, Out out);

  [[nodiscard]] std::string call_id(EndpointId id) const;
  [[nodiscard]] Endpoint* find(EndpointId id);
  [[nodiscard]] Endpoint* usable(EndpointId id);  // opening or open
  [[nodiscard]] std::vector<EndpointId> joined_with(EndpointId id);
  [[nodiscard]] sdp::Format bridge_of(EndpointId id);
  [[nodiscard]] SocketAddress target_of(const Endpoint& endpoint);
  [[nodiscard]] std::string party_sdp(const Endpoint& endpoint) const;
  [[nodiscard]] std::string void_sdp(const Endpoint& endpoint);
  [[nodiscard]] bool wants_keys_blocked(const Endpoint& endpoint);
  [[nodiscard]] std::string wanted_play(const Endpoint& endpoint) const;
  void unhear(Endpoint& listener);
  void send_digit(Time now, const SendDigit& digit, Out out);
  void hold(Time now, Endpoint& from, const SendDigit& digit);
  void release(Time now, Endpoint& from, Out out);
  void drop_held(Endpoint& from);

  void ask(Time now, Endpoint& endpoint, Step step, const rtpengine::Dictionary& request, std::string what,
           Out out);
  void ping(Time now, Out out);
  void pump(Time now, const std::vector<EndpointId>& ids, Out out);
  void pump(Time now, Endpoint& endpoint, Out out);
  void play(Time now, Endpoint& endpoint, std::string wanted, Out out);
  void remove(Time now, Endpoint& endpoint, Out out);
  // Deletes the call of an endpoint that is gone, or soon will be. Nobody waits for it.
  void forget(Time now, EndpointId id, Out out);
  void owe(Time now, EndpointId id, Out out);
  void settle(Time now, Out out);

  void take(Time now, std::vector<rtpengine::Client::Answer>& answers, Out out);
  void take(Time now, const Asked& asked, const rtpengine::Client::Answer& answer, Out out);
  void on_opened(Time now, Endpoint& endpoint, const rtpengine::Client::Answer& answer, Out out);
  void on_offered(Time now, Endpoint& endpoint, const Asked& asked, const rtpengine::Client::Answer& answer,
                  Out out);
  void on_answered(Time now, Endpoint& endpoint, const Asked& asked, const rtpengine::Client::Answer& answer,
                   Out out);
  void on_played(Time now, Endpoint& endpoint, const Asked& asked, const rtpengine::Client::Answer& answer,
                 Out out);
  void on_blocked(Time now, Endpoint& endpoint, const Asked& asked, const rtpengine::Client::Answer& answer,
                  Out out);
  void on_queried(Time now, Endpoint& endpoint, const rtpengine::Client::Answer& answer, Out out);
  void on_removed(Time now, Endpoint& endpoint, const rtpengine::Client::Answer& answer, Out out);
  void on_forgotten(Time now, EndpointId id, const rtpengine::Client::Answer& answer, Out out);
  void lose(Endpoint& endpoint, std::string why, Out out);
  void went_down(Time now, const std::string& why, Out out);
  void came_up(Time now, Out out);

  void count(Time now, Endpoint& endpoint, const rtpengine::Totals& totals);
  void check_silence(Time now, Endpoint& endpoint, Out out) const;
  void poll(Time now, Endpoint& endpoint, Out out);
  void poll_at(Endpoint& endpoint, Time at);
  [[nodiscard]] Duration poll_interval() const;
  void log(engine::Severity severity, const char* event,
           std::vector<std::pair<std::string, std::string>> fields) const;

  Options options_;
  rtpengine::Client client_;
  std::unordered_map<EndpointId, Endpoint> endpoints_;
  std::unordered_map<std::uint64_t, Asked> asked_;
  std::set<std::pair<Time, EndpointId>> polls_;
  std::uint64_t plays_ = 0;  // of what is heard once
  std::set<std::pair<Time, EndpointId>> holding_;
  std::set<EndpointId> owed_;      // whose calls are to be deleted again
  EndpointId settling_ = 0;        // of those, which is being
  std::uint64_t left_behind_ = 0;  // of those, how many were too many
  RingBackLibrary ring_backs_;
  Time answered_at_{};  // anything
  bool begun_ = false;
  bool down_ = false;
  bool pinging_ = false;
  bool logs_keys_ = false;  // some key has been logged
  bool suspects_log_ = false;
};

}  // namespace baton::media
