// One shard's machine: every call it has, without I/O. The world hands it an Input and the time; it appends
// Actions; the caller performs them in order before the next input. Same seed, same inputs: same bytes.
// Not thread-safe and not re-entrant (asserted); one thread owns it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/buffers.h"
#include "base/limits.h"
#include "base/time.h"
#include "call/context.h"
#include "engine/action.h"
#include "engine/gatekeeper.h"
#include "engine/input.h"
#include "trunk/model.h"
#include "txn/layer.h"

namespace baton::engine {

using Listener = call::Listener;
using Counters = call::Counters;

struct Options {
  std::uint64_t seed = 1;
  std::string digest_secret;        // 32 unguessable bytes or more; nonces and SRTP keys follow from it
  std::vector<Listener> listeners;  // at least one
  std::string user_agent = "Baton";
  txn::Timers timers;
  std::size_t transactions_max = limits::transactions_max;
  bool trace = true;  // write a TraceMessage for every message of a call
  GateLimits gate;
  // Messages come in such buffers and leave in them. Shared with whoever brings and takes them, nothing is
  // allocated for them after warm-up.
  std::shared_ptr<Buffers> buffers = std::make_shared<Buffers>();
  // What messages may wait before they are handled; when they wait longer, new calls are refused. 0: any
  // time.
  Duration overload_delay = 200ms;
};

// What is alive, for the invariant "at rest nothing remains" and for metrics.
struct Census {
  std::size_t calls = 0, legs = 0, transfers = 0, transactions = 0, media_endpoints = 0, tickets = 0;
  std::size_t live_legs = 0;   // of `legs`, those whose party is still there
  std::size_t recordings = 0;  // of which it is not known yet what came of them
  [[nodiscard]] bool empty() const {
    return calls + legs + transfers + transactions + media_endpoints + tickets + recordings == 0;
  }
};

class Engine {
 public:
  Engine(Options options, trunk::Snapshot model);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // `now` never runs backwards.
  void step(Time now, Input input, Actions& actions);

  // When to step(Tick) at the latest; nothing: only when something arrives.
  [[nodiscard]] std::optional<Time> next_deadline() const;

  [[nodiscard]] Census census() const;
  [[nodiscard]] const Counters& counters() const;
  // Checks what must hold between steps; the text names the first thing that does not. Empty: all well.
  [[nodiscard]] std::string check_invariants() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace baton::engine
