// One engine in a made-up world: virtual time, a seeded scheduler, a network, resolver, media plane and
// store. Everything that happens follows from WorldOptions; the same options give the same bytes.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "engine/engine.h"
#include "media_plane.h"
#include "netem.h"

namespace baton::sim {

class Oracles;
class Peer;
class World;

// Stands beside the media plane that moves no packet, where a test carries audio; owned by the test, and
// alive as long as the world.
class RealMedia {
 public:
  virtual ~RealMedia() = default;
  // The machine's operation; the answer takes the place of the other plane's.
  virtual std::optional<media::Result> perform(World& world, const media::Operation& operation) = 0;
  // Where the next party of that peer has its RTP.
  virtual SocketAddress next_rtp(World& world, Peer& peer) = 0;
};

struct WorldOptions {
  std::uint64_t seed = 1;
  LinkOptions link;
  std::vector<Fault> faults;
  trunk::Snapshot model;
  std::map<std::string, std::vector<IpAddress>> dns;       // A and AAAA alone
  std::map<std::string, std::vector<Target>> dns_targets;  // what RFC 3263 makes of NAPTR and SRV
  Duration dns_delay = 20ms;
  Duration media_delay{};
  bool timers_win_ties = false;  // a message and a timer due at the same instant
  bool trace = true;
  RealMedia* media = nullptr;
};

// The server's addresses.
[[nodiscard]] SocketAddress server_address();

class World {
 public:
  explicit World(WorldOptions options);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  Peer& add_peer(std::string name, SocketAddress address, Transport transport);
  [[nodiscard]] const std::vector<std::unique_ptr<Peer>>& peers() const { return peers_; }

  // ---- Time ----
  [[nodiscard]] Time now() const { return now_; }
  void after(Duration delay, std::function<void()> what);
  // Does the next thing that is due; false when nothing ever will be.
  bool step();
  void run_for(Duration span);
  // Steps until `done`, at most `limit` of virtual time; whether it came.
  bool run_until(const std::function<bool()>& done, Duration limit = 120s);
  // Steps until nothing is pending and then asks the oracles whether everything is at rest. Not coming to
  // rest within `limit` is a violation.
  void run_to_rest(Duration limit = 600s);
  // No faults any more from now on.
  void calm();
  // The same; every party leaves its call; then run_to_rest().
  void wind_down();

  // ---- The engine ----
  void feed(engine::Input input);
  [[nodiscard]] engine::Engine& engine() { return *engine_; }
  [[nodiscard]] Buffers& buffers() { return *buffers_; }
  // Nothing but what was written may be asked of the world afterwards.
  void end_engine() { engine_.reset(); }
  [[nodiscard]] MediaPlane& media() { return media_; }
  [[nodiscard]] RealMedia* real_media() { return options_.media; }
  [[nodiscard]] Oracles& oracles() { return *oracles_; }

  // ---- The network, for peers ----
  // A message from a peer; on `flow` when that connection lives, else on a new one (streams).
  void send_from(Peer& peer, const SocketAddress& to, FlowId flow, std::string bytes);
  void break_connections_of(const Peer& peer);
  void set_link(LinkOptions link) { netem_.set_link(link); }
  [[nodiscard]] unsigned messages() const { return netem_.judged(); }

  // ---- What was written ----
  [[nodiscard]] const std::vector<call::Cdr>& cdrs() const { return cdrs_; }
  [[nodiscard]] const std::vector<call::TransferRecord>& transfers() const { return transfers_; }
  [[nodiscard]] const std::vector<call::TraceMessage>& traces() const { return traces_; }
  [[nodiscard]] const std::vector<call::LegQuality>& qualities() const { return qualities_; }
  [[nodiscard]] const std::vector<call::RecordingRecord>& recordings() const { return recordings_; }
  [[nodiscard]] const std::vector<engine::Log>& logs() const { return logs_; }
  // Everything that happened, as text: messages in full, media operations, records, faults.
  [[nodiscard]] const std::string& journal() const { return journal_; }
  // The hosts that certificates would have had to name.
  [[nodiscard]] const std::set<std::string>& tls_names() const { return tls_names_; }
  void note(const std::string& text);

  // ---- What went wrong ----
  void violation(const std::string& what);
  [[nodiscard]] const std::vector<std::string>& violations() const { return violations_; }
  [[nodiscard]] std::string report() const;  // the violations, one a line

 private:
  struct Packet {
    Peer* peer = nullptr;
    bool to_engine = false;
    Transport transport = Transport::udp;
    FlowId flow = 0;
    std::string bytes;
  };
  struct Flow {
    FlowId id = 0;
    Peer* peer = nullptr;
    SocketAddress remote;  // the peer's end
    bool opened_by_peer = false;
    bool alive = true;
  };
  struct Event {
    Time at;
    std::uint64_t sequence = 0;
    std::function<void()> what;
  };
  struct Later {
    bool operator()(const Event& a, const Event& b) const {
      return a.at != b.at ? a.at > b.at : a.sequence > b.sequence;
    }
  };

  void perform(const engine::Action& action);
  void send_from_engine(const engine::Send& send);
  void write_record(const store::Record& record);
  void carry(Packet packet);
  void deliver(const Packet& packet);
  void hand_over(const Packet& packet);
  void release_overtaken(const Packet& by);
  Flow* live_flow(FlowId id);
  Flow& open_flow(Peer& peer, bool by_peer);
  void break_flow(Flow& flow);
  [[nodiscard]] Peer* peer_at(const SocketAddress& address, Transport transport) const;
  void schedule(Time at, std::function<void()> what);
  [[nodiscard]] std::string stamp() const;
  void fire_timers();
  bool report_silence();

  WorldOptions options_;
  Time now_;
  Netem netem_;
  MediaPlane media_;
  std::priority_queue<Event, std::vector<Event>, Later> events_;
  std::uint64_t next_sequence_ = 0;
  std::vector<std::unique_ptr<Peer>> peers_;
  std::vector<std::unique_ptr<Flow>> flows_;
  struct Overtaken {
    std::uint64_t id = 0;
    Packet packet;
  };
  std::vector<Overtaken> overtaken_;
  unsigned ticks_without_progress_ = 0;
  bool feeding_ = false;
  std::vector<engine::Input> waiting_;

  std::vector<call::Cdr> cdrs_;
  std::vector<call::TransferRecord> transfers_;
  std::vector<call::TraceMessage> traces_;
  std::vector<call::LegQuality> qualities_;
  std::vector<call::RecordingRecord> recordings_;
  std::vector<engine::Log> logs_;
  std::string journal_;
  std::set<std::string> tls_names_;
  std::vector<std::string> violations_;

  std::unique_ptr<Oracles> oracles_;
  std::shared_ptr<Buffers> buffers_ = std::make_shared<Buffers>();
  std::unique_ptr<engine::Engine> engine_;
};

}  // namespace baton::sim
