#include "world.h"

#include <algorithm>

#include "oracles.h"
#include "peer.h"
#include "sip/draft.h"

namespace baton::sim {

namespace {

template <typename... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <typename... F>
Overloaded(F...) -> Overloaded<F...>;

// 2026-01-01 00:00:00 UTC: a fixed start, so that a run never depends on the day it is run.
constexpr std::int64_t start_micros = 1'767'225'600'000'000;
constexpr unsigned ticks_without_progress_max = 2'000;
constexpr Duration silence_noticed = 60s;

std::string describe(const media::Operation& operation) {
  return std::visit(
      Overloaded{
          [](const media::Open& open) { return "open " + std::to_string(open.id); },
          [](const media::Close& close) { return "close " + std::to_string(close.id); },
          [](const media::Configure& c) {
            return "configure " + std::to_string(c.id) + " remote " + c.remote_rtp.to_string() +
                   (c.send ? " send" : "") + (c.receive ? " receive" : "") + " pt " +
                   std::to_string(c.format.payload_type);
          },
          [](const media::Hear& hear) {
            const std::string source =
                std::visit(Overloaded{[](const media::Hear::Silence&) { return std::string("silence"); },
                                      [](const media::Hear::Party& p) { return std::to_string(p.id); },
                                      [](const media::Hear::RingBack& r) { return "ring-back " + r.country; },
                                      [](const media::Hear::Play& p) { return "prompt " + p.prompt; }},
                           hear.source);
            return std::to_string(hear.listener) + " hears " + source;
          },
          [](const media::SendDigit& d) {
            return "digit " + std::to_string(d.event) + " to " + std::to_string(d.id);
          },
          [](const media::Record& r) {
            return "record " + std::to_string(r.left) + " and " + std::to_string(r.right) + " as " + r.name;
          },
          [](const media::StopRecording& s) { return "stop recording " + std::to_string(s.id); },
      },
      operation);
}

}  // namespace

SocketAddress server_address() {
  return {IpAddress::v4(198, 51, 100, 1), 5060};
}

World::World(WorldOptions options)
    : options_(std::move(options)),
      now_(from_micros(start_micros)),
      netem_(options_.seed ^ 0x6e65'7465'6dULL, options_.link, options_.faults),
      oracles_(std::make_unique<Oracles>(*this)) {
  engine::Options engine_options;
  engine_options.seed = options_.seed;
  engine_options.digest_secret = "a secret that only this simulation ever uses";
  engine_options.listeners = {{Transport::udp, server_address()},
                              {Transport::tcp, server_address()},
                              {Transport::tls, server_address()}};
  engine_options.trace = options_.trace;
  engine_options.buffers = buffers_;
  engine_ = std::make_unique<engine::Engine>(engine_options, options_.model);
}

World::~World() = default;

Peer& World::add_peer(std::string name, SocketAddress address, Transport transport) {
  peers_.push_back(std::make_unique<Peer>(*this, std::move(name), address, transport,
                                          options_.seed * 1'000 + peers_.size()));
  return *peers_.back();
}

// ---- Time ----

void World::schedule(Time at, std::function<void()> what) {
  events_.push({at, ++next_sequence_, std::move(what)});
}

void World::after(Duration delay, std::function<void()> what) {
  schedule(now_ + delay, std::move(what));
}

void World::fire_timers() {
  feed(engine::Tick{});
  const auto deadline = engine_->next_deadline();
  ticks_without_progress_ = deadline && *deadline <= now_ ? ticks_without_progress_ + 1 : 0;
  if (ticks_without_progress_ == ticks_without_progress_max) {
    violation("the engine's deadline does not move on when its timers fire");
  }
}

bool World::step() {
  const auto deadline = engine_->next_deadline();
  if (events_.empty() && !deadline) return false;
  if (ticks_without_progress_ >= ticks_without_progress_max) return false;
  const bool timer =
      deadline && (events_.empty() ||
                   (options_.timers_win_ties ? *deadline <= events_.top().at : *deadline < events_.top().at));
  if (timer) {
    now_ = std::max(now_, *deadline);
    fire_timers();
    return true;
  }
  Event event = events_.top();
  events_.pop();
  now_ = std::max(now_, event.at);
  event.what();
  return true;
}

void World::run_for(Duration span) {
  bool over = false;
  after(span, [&over] { over = true; });
  while (!over && step()) {
  }
}

bool World::run_until(const std::function<bool()>& done, Duration limit) {
  const Time end = now_ + limit;
  while (!done() && now_ < end) {
    if (!step()) break;
  }
  return done();
}

void World::run_to_rest(Duration limit) {
  const Time end = now_ + limit;
  // Only a session timer may be pending, and far away: the media plane is sooner to notice.
  const auto quiet = [this] {
    const Time soon = now_ + silence_noticed;
    const auto deadline = engine_->next_deadline();
    return (events_.empty() || events_.top().at > soon) && (!deadline || *deadline > soon);
  };
  while (now_ < end) {
    if (quiet() && report_silence()) continue;
    if (!step()) break;
  }
  if (engine_->next_deadline() || !events_.empty()) {
    violation("not at rest after " + std::to_string(limit.count() / 1'000'000) +
              " s: " + (engine_->next_deadline() ? "the engine still has a timer" : "peers are still busy"));
  }
  oracles_->at_rest();
}

// Where a party is gone and the server was never told, the media plane is what notices.
bool World::report_silence() {
  const std::vector<media::EndpointId> silent = oracles_->endpoints_without_party();
  if (silent.empty()) return false;
  after(silence_noticed, [this, silent] {
    for (const media::EndpointId endpoint : silent) {
      oracles_->silent(endpoint);
      feed(engine::MediaDone{media::Silent{endpoint}});
    }
  });
  return true;
}

void World::calm() {
  LinkOptions quiet;
  quiet.delay = options_.link.delay;
  netem_.set_link(quiet);
}

void World::wind_down() {
  calm();
  for (const auto& peer : peers_) peer->wind_down();
  run_to_rest();
}

// ---- The engine ----

void World::feed(engine::Input input) {
  // An action never feeds the engine directly: it is not re-entrant.
  waiting_.push_back(std::move(input));
  if (feeding_) return;
  feeding_ = true;
  for (std::size_t i = 0; i < waiting_.size(); ++i) {
    const engine::Input next = std::move(waiting_[i]);
    oracles_->before_step();
    engine::Actions actions;
    engine_->step(now_, next, actions);
    for (const engine::Action& action : actions) perform(action);
    if (const std::string broken = engine_->check_invariants(); !broken.empty()) {
      violation("engine invariant: " + broken);
    }
    oracles_->after_step();
  }
  waiting_.clear();
  feeding_ = false;
}

void World::perform(const engine::Action& action) {
  std::visit(
      Overloaded{
          [&](const engine::Send& send) { send_from_engine(send); },
          [&](const engine::Resolve& resolve) {
            const Lookup& lookup = resolve.lookup;
            note("resolve " + lookup.host);
            engine::Resolved answer{resolve.query, {}};
            if (const auto found = options_.dns_targets.find(lookup.host);
                found != options_.dns_targets.end()) {
              answer.targets = found->second;
            } else if (const auto plain = options_.dns.find(lookup.host); plain != options_.dns.end()) {
              for (const IpAddress& ip : plain->second) {
                Lookup literal = lookup;
                literal.host = ip.to_string();
                answer.targets.push_back(*literal_target(literal));
              }
            }
            after(options_.dns_delay, [this, answer] { feed(answer); });
          },
          [&](const engine::MediaDo& media) {
            note("media " + describe(media.operation));
            std::string misuse;
            std::optional<media::Result> real;
            if (options_.media != nullptr) real = options_.media->perform(*this, media.operation);
            const auto result = media_.perform(now_, media.operation, misuse, real);
            if (!misuse.empty()) violation("media: " + misuse);
            if (result) {
              after(options_.media_delay, [this, result = *result] { feed(engine::MediaDone{result}); });
            }
          },
          [&](const engine::Write& write) { write_record(write.record); },
          [](const engine::KeepFlow&) {},  // nobody takes a place here
          [&](const engine::Log& log) {
            std::string line = "log " + log.event;
            for (const auto& [name, value] : log.fields) line += " " + name + "=" + value;
            note(line);
            logs_.push_back(log);
          },
      },
      action);
}

void World::write_record(const store::Record& record) {
  std::visit(Overloaded{
                 [&](const call::Cdr& cdr) {
                   note("cdr " + cdr.leg_role + " " + cdr.direction + " to " + cdr.to_number + " status " +
                        std::to_string(cdr.sip_status) + " " + cdr.hangup_cause + " (" +
                        std::to_string(cdr.hangup_code) + ") by " + call::to_string(cdr.hangup_source) +
                        (cdr.answered_at ? " answered" : " unanswered"));
                   cdrs_.push_back(cdr);
                 },
                 [&](const call::TransferRecord& transfer) {
                   note("transfer " + transfer.outcome + " refer " + std::to_string(transfer.refer_status) +
                        " final " + std::to_string(transfer.final_status) + " refused by " +
                        transfer.refused_by + ": " + transfer.reason);
                   transfers_.push_back(transfer);
                 },
                 [&](const call::TraceMessage& trace) { traces_.push_back(trace); },
                 [&](const call::LegQuality& leg) { qualities_.push_back(leg); },
                 [&](const call::RecordingRecord& recording) {
                   note("recording " + recording.file + " " + recording.status);
                   recordings_.push_back(recording);
                 },
             },
             record);
}

// ---- The network ----

World::Flow* World::live_flow(FlowId id) {
  for (const auto& flow : flows_) {
    if (flow->id == id && flow->alive) return flow.get();
  }
  return nullptr;
}

World::Flow& World::open_flow(Peer& peer, bool by_peer) {
  auto flow = std::make_unique<Flow>();
  flow->id = flows_.size() + 1;
  flow->peer = &peer;
  flow->opened_by_peer = by_peer;
  flow->remote = peer.address();
  // A connection that the peer opened comes from a port it does not listen on.
  if (by_peer) flow->remote.port = static_cast<std::uint16_t>(40'000 + flow->id);
  flows_.push_back(std::move(flow));
  return *flows_.back();
}

void World::break_flow(Flow& flow) {
  if (!flow.alive) return;
  flow.alive = false;
  Peer* peer = flow.peer;
  const FlowId id = flow.id;
  const engine::FlowClosed closed{id, peer->transport(), flow.remote};
  note("connection " + std::to_string(id) + " of " + peer->name() + " is gone");
  after(1ms, [this, closed] { feed(closed); });
  after(20ms, [peer] { peer->connection_lost(); });
}

void World::break_connections_of(const Peer& peer) {
  for (const auto& flow : flows_) {
    if (flow->peer == &peer) break_flow(*flow);
  }
}

Peer* World::peer_at(const SocketAddress& address, Transport transport) const {
  for (const auto& peer : peers_) {
    if (peer->address() == address && peer->transport() == transport) return peer.get();
  }
  return nullptr;
}

void World::send_from_engine(const engine::Send& send) {
  const bool stream = send.to.transport != Transport::udp;
  Flow* flow = stream && send.to.flow != 0 ? live_flow(send.to.flow) : nullptr;
  Peer* peer = flow != nullptr ? flow->peer : peer_at(send.to.remote, send.to.transport);
  const bool reachable = peer != nullptr && peer->reachable();
  if (send.to.transport == Transport::tls) {
    tls_names_.insert(send.to.tls_name);
    // RFC 5922 7.3: without a name that was asked for there is nothing to verify.
    const bool answer = send.bytes.rfind("SIP/2.0 ", 0) == 0;
    if (send.to.tls_name.empty() && !answer) violation("a TLS message to nobody in particular");
  }
  if (stream && flow == nullptr && reachable) {
    // As the real driver does: one connection of ours to an address is used for everything that goes there.
    for (const auto& candidate : flows_) {
      if (candidate->alive && candidate->remote == send.to.remote) flow = candidate.get();
    }
    if (flow == nullptr) flow = &open_flow(*peer, false);
  }
  // Where nobody listens there is no connection, and nothing has been said.
  if (!stream || peer != nullptr) oracles_->sent(send, peer);
  if (!reachable) {
    note("nobody at " + send.to.remote.to_string() + " for\n" + send.bytes);
    const engine::TransportFailed failed{send.to.transport, send.to.remote};
    after(2ms, [this, failed] { feed(failed); });
    return;
  }
  carry({peer, false, send.to.transport, flow == nullptr ? 0 : flow->id, send.bytes});
}

void World::send_from(Peer& peer, const SocketAddress& to, FlowId flow_id, std::string bytes) {
  if (to != server_address()) {
    violation(peer.name() + " is sent to " + to.to_string() + ", which is not the server");
    return;
  }
  Flow* flow = nullptr;
  if (peer.transport() != Transport::udp) {
    if (flow_id != 0) flow = live_flow(flow_id);
    if (flow == nullptr) {
      for (const auto& candidate : flows_) {
        if (candidate->alive && candidate->peer == &peer) flow = candidate.get();
      }
    }
    if (flow == nullptr) flow = &open_flow(peer, true);
  }
  carry({&peer, true, peer.transport(), flow == nullptr ? 0 : flow->id, std::move(bytes)});
}

void World::carry(Packet packet) {
  const Fate fate = netem_.judge(packet.transport != Transport::udp);
  note("#" + std::to_string(netem_.judged()) + " " + packet.peer->name() +
       (packet.to_engine ? " --> server" : " <-- server") +
       (fate.note.empty() ? "" : " [" + fate.note + "]") + "\n" + packet.bytes);
  if (fate.break_connection) {
    if (Flow* flow = live_flow(packet.flow)) break_flow(*flow);
    return;
  }
  if (fate.after_next) {
    const std::uint64_t id = ++next_sequence_;
    overtaken_.push_back({id, packet});
    // Nothing may ever follow it: then it is merely slow.
    after(5s, [this, id] {
      const auto found = std::find_if(overtaken_.begin(), overtaken_.end(),
                                      [id](const Overtaken& held) { return held.id == id; });
      if (found == overtaken_.end()) return;
      const Packet late = std::move(found->packet);
      overtaken_.erase(found);
      hand_over(late);
    });
    return;
  }
  for (const Duration copy : fate.copies) {
    Time at = now_ + copy;
    if (fate.after_timer) {
      if (const auto deadline = engine_->next_deadline()) at = std::max(at, *deadline + 1us);
    }
    schedule(at, [this, packet] { deliver(packet); });
  }
}

void World::deliver(const Packet& packet) {
  hand_over(packet);
  release_overtaken(packet);
}

void World::release_overtaken(const Packet& by) {
  for (std::size_t i = 0; i < overtaken_.size();) {
    if (overtaken_[i].packet.peer != by.peer || overtaken_[i].packet.to_engine != by.to_engine) {
      ++i;
      continue;
    }
    const Packet late = std::move(overtaken_[i].packet);
    overtaken_.erase(overtaken_.begin() + static_cast<std::ptrdiff_t>(i));
    schedule(now_ + 1us, [this, late] { hand_over(late); });
  }
}

void World::hand_over(const Packet& packet) {
  Flow* flow = packet.flow == 0 ? nullptr : live_flow(packet.flow);
  if (packet.flow != 0 && flow == nullptr) return;  // it went down with its connection
  if (!packet.to_engine) {
    if (packet.peer->reachable()) packet.peer->receive(packet.bytes, packet.flow);
    return;
  }
  Source source;
  source.transport = packet.transport;
  source.local = server_address();
  source.remote = flow != nullptr ? flow->remote : packet.peer->address();
  source.flow = packet.flow;
  oracles_->received(source, *packet.peer, packet.bytes);
  feed(engine::MessageIn{source, packet.bytes});
}

// ---- What happened ----

std::string World::stamp() const {
  const std::int64_t us = to_micros(now_) - start_micros;
  std::string micros = std::to_string(us % 1'000'000);
  micros.insert(0, 6 - micros.size(), '0');
  return std::to_string(us / 1'000'000) + "." + micros;
}

void World::note(const std::string& text) {
  journal_ += stamp() + " " + text + "\n";
}

void World::violation(const std::string& what) {
  note("VIOLATION " + what);
  violations_.push_back(stamp() + " " + what);
}

std::string World::report() const {
  std::string text;
  for (const std::string& what : violations_) text += what + "\n";
  return text;
}

}  // namespace baton::sim
