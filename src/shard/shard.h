// One thread with everything its calls need: machine, network, media. Others talk to it by message only:
// post() is safe from any thread, status() is a copy. The thread that made it starts and stops it.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "engine/engine.h"
#include "net/net.h"
#include "shard/loop.h"
#include "shard/parts.h"

namespace baton::shard {

struct Options {
  engine::Options engine;  // its listeners are filled in from those below, as they were bound
  trunk::Snapshot model;
  std::vector<net::Listener> listeners;
  net::Options net;
  media::Relay::Options relay;
  unsigned media_threads = 0;                            // 0: the shard's own carries the audio
  std::optional<media::Rtpengine::Options> rtpengine{};  // in the relay's place
  std::optional<SocketAddress> rtpengine_key_log{};      // where it logs keys, if it does
  LoopLimits limits;
};

// Why a shard can not open. Nothing is left open behind it.
struct OpenError {
  std::optional<net::OpenError> socket;  // when it was one of the listeners
  std::string what;                      // one line for a person
};

struct Status {
  engine::Census census;
  engine::Counters counters;
  Probe probe;
  net::Probe net;
  std::size_t connections = 0;
  std::vector<std::size_t> media_loads{};  // endpoints of each media thread
  Time at{};                               // when this was so
  std::uint64_t commands_heard = 0;        // of those posted
};

// Microseconds since 1970 that follow the steady clock from where the wall clock stood now: a wall clock that
// is set while we run moves no timer.
[[nodiscard]] Clock make_clock();

class Shard {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Shard>, OpenError> open(Options options, Outlets outlets);
  // With parts of one's own, sockets bound already.
  [[nodiscard]] static Result<std::unique_ptr<Shard>, OpenError> assemble(std::unique_ptr<Loop> loop,
                                                                          Clock clock);
  ~Shard();  // stop()
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  void start();
  // Sends what waits, closes the sockets, ends the thread. Calls are not ended: HangUpAll does that.
  void stop();

  // Heard in the order they were posted; the result is this one's number, to compare with commands_heard.
  std::uint64_t post(engine::Input command);
  // New certificates for TLS listeners, by the addresses they are bound to; connections that are up stay as
  // they are. No context is null.
  void replace_tls(std::vector<std::pair<SocketAddress, net::TlsContextPtr>> contexts);
  [[nodiscard]] Status status() const;
  // The sockets as they were bound.
  [[nodiscard]] const std::vector<net::Listener>& listeners() const { return listeners_; }

 private:
  class Doorbell;
  Shard(std::unique_ptr<Loop> loop, Clock clock);
  void run();
  void take_commands();
  void publish(bool at_once);
  [[nodiscard]] Status take_status() const;

  Clock clock_;
  std::vector<net::Listener> listeners_;
  std::unique_ptr<Loop> loop_;  // the thread's own while it runs
  std::unique_ptr<Doorbell> doorbell_;
  std::thread thread_;
  std::atomic<bool> stopping_ = false;

  mutable std::mutex mutex_;  // of the four below; held for moments
  std::vector<engine::Input> commands_;
  std::vector<std::pair<SocketAddress, net::TlsContextPtr>> tls_;
  std::uint64_t posted_ = 0;
  Status status_;

  Time published_at_{};  // the thread's own
  bool unpublished_ = true;
};

}  // namespace baton::shard
