// The driver of one machine: waits for the world, feeds the machine one input at a time, performs its actions
// in order before the next one, and comes round again whatever goes wrong in between. Lives on one thread;
// the poller, net, machine and media plane it is given are its own.
//
// A round: wait → hear sockets, media and commands → timers of net and media → inputs, media results first
// (they answer what was just asked for) → the machine's timers → everything sent goes out in batches.
// Messages come before timers, so that an answer that has already arrived stops its retransmission.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/time.h"
#include "engine/action.h"
#include "engine/input.h"
#include "net/net.h"
#include "net/poller.h"
#include "shard/parts.h"
#include "shard/probe.h"

namespace baton::shard {

using Clock = std::function<Time()>;  // never runs backwards

struct LoopLimits {
  unsigned inputs_per_round = 4'096;
  unsigned ticks_per_round = 64;
  Duration stuck_pause = 10ms;    // before the next try, when the machine's timers do not move on
  Duration slow_step = 50ms;      // longer, one input has held up all calls: counted and logged
  Duration failure_pause = 10ms;  // after a round that threw
};

class Loop final : private net::Poller::Handler {
 public:
  Loop(std::unique_ptr<net::Poller> poller, std::unique_ptr<net::Net> net, std::unique_ptr<Machine> machine,
       std::unique_ptr<MediaPlane> media, Outlets outlets, Clock clock, LoopLimits limits = {});
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // False when the kernel refuses to watch the media plane; call once, first.
  [[nodiscard]] bool begin();

  // One round, sleeping no longer than `longest`.
  void round(Duration longest);
  // To be heard in the next round, in order.
  void put(engine::Input input) { commands_.push_back(std::move(input)); }
  void replace_tls(const SocketAddress& bound, net::TlsContextPtr context) {
    net_->replace_tls(bound, std::move(context));
  }
  // Ends the media plane, sends what waits and closes the network.
  void end();

  [[nodiscard]] net::Poller& poller() { return *poller_; }
  [[nodiscard]] const net::Net& net() const { return *net_; }
  [[nodiscard]] const Machine& machine() const { return *machine_; }
  [[nodiscard]] const MediaPlane& media() const { return *media_; }
  [[nodiscard]] const Probe& probe() const { return probe_; }

 private:
  void ready(Time now, std::uint64_t tag, std::uint32_t events) override;
  void round_guarded(Duration longest);
  [[nodiscard]] Duration sleep_time(Time now, Duration longest) const;
  void advance_parts(Time now);
  void feed();
  [[nodiscard]] bool next_input(engine::Input& input);
  void tick();
  void step(engine::Input input);
  void note_duration(std::size_t kind, Duration took);
  void perform(Time now);
  void perform(Time now, engine::Send& send);
  void perform(Time now, engine::Resolve& resolve);
  void perform(Time now, engine::MediaDo& media);
  void perform(Time now, engine::KeepFlow& keep);
  void perform(Time now, engine::Write& write);
  void perform(Time now, engine::Log& log);
  void take_results();
  void report(engine::Severity severity, const char* event,
              std::vector<std::pair<std::string, std::string>> fields);

  std::unique_ptr<net::Poller> poller_;
  std::unique_ptr<net::Net> net_;
  std::unique_ptr<Machine> machine_;
  std::unique_ptr<MediaPlane> media_;
  Outlets outlets_;
  Clock clock_;
  LoopLimits limits_;
  Probe probe_;
  net::Poller::Token media_token_;
  std::deque<engine::Input> commands_;
  std::deque<media::Result> answers_;   // of the media plane, not yet told to the machine
  std::vector<media::Result> results_;  // scratch
  engine::Actions actions_;             // scratch
  bool inputs_left_ = false;
  std::optional<Time> tick_not_before_;
  std::optional<Time> reported_at_;
};

}  // namespace baton::shard
