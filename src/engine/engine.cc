#include "engine/engine.h"

#include <algorithm>

#include "base/assert.h"
#include "base/limits.h"
#include "call/calls.h"
#include "call/legs.h"

namespace baton::engine {

// Owns the layers and turns what they do into actions, in order.
class Engine::Impl final : public txn::Sink, public call::World {
 public:
  Impl(Options options, trunk::Snapshot model)
      : trace_(options.trace),
        rng_(options.seed),
        digest_(std::move(options.digest_secret)),
        txns_(*this, rng_, options.timers),
        cx_{.now = {},
            .rng = rng_,
            .txns = txns_,
            .world = *this,
            .digest = digest_,
            .model = std::move(model),
            .listeners = std::move(options.listeners),
            .user_agent = std::move(options.user_agent),
            .timers = options.timers,
            .counters = {},
            .draining = false},
        legs_(cx_),
        calls_(cx_, legs_) {
    BATON_ASSERT(cx_.model != nullptr);
    BATON_ASSERT(!cx_.listeners.empty());
  }

  void step(Time now, Input input, Actions& actions) {
    BATON_ASSERT(actions_ == nullptr);  // not re-entrant
    BATON_ASSERT(now >= cx_.now);
    actions_ = &actions;
    cx_.now = now;
    std::visit([this](auto&& value) { take(std::forward<decltype(value)>(value)); }, std::move(input));
    drain();
    advance_timers();
    legs_.collect();
    actions_ = nullptr;
  }

  [[nodiscard]] std::optional<Time> next_deadline() const {
    std::optional<Time> first = txns_.next_deadline();
    for (const auto other : {legs_.next_deadline(), calls_.next_deadline()}) {
      if (other && (!first || *other < *first)) first = other;
    }
    return first;
  }

  [[nodiscard]] Census census() const {
    return {.calls = calls_.size(),
            .legs = legs_.size(),
            .transfers = calls_.transfers(),
            .transactions = txns_.size(),
            .media_endpoints = legs_.media_count(),
            .tickets = calls_.tickets(),
            .live_legs = legs_.live()};
  }
  [[nodiscard]] const Counters& counters() const { return cx_.counters; }
  [[nodiscard]] std::string check_invariants() { return calls_.check_invariants(); }

  // ---- txn::Sink and call::World: one action each ----
  void send(const Destination& to, std::string bytes, txn::Owner owner) override {
    if (trace_ && owner != 0) {
      trace(call::LegHandle::unpack(owner), true, to.transport, to.local, to.remote, bytes, ++sequence_);
    }
    actions_->push_back(Send{to, std::move(bytes)});
  }
  void media(media::Operation operation) override { actions_->push_back(MediaDo{std::move(operation)}); }
  void resolve(std::uint64_t query, Lookup lookup) override {
    actions_->push_back(Resolve{query, std::move(lookup)});
  }
  void write(store::Record record) override { actions_->push_back(Write{std::move(record)}); }
  void log(call::LogEvent event) override { actions_->push_back(std::move(event)); }

 private:
  void take(MessageIn in) {
    ++cx_.counters.messages_in;
    // Only the trace needs the bytes a second time.
    const std::string copy = trace_ ? in.bytes : std::string{};
    const std::uint64_t sequence = ++sequence_;
    auto message = sip::Message::parse(std::move(in.bytes));
    if (!message) return refuse(in.source, copy, message.error());
    const auto name = trace_ ? call::Legs::name_of(*message) : call::Legs::DialogName{};
    txns_.receive(cx_.now, std::move(*message), in.source);
    drain();
    if (!trace_) return;
    const call::LegHandle leg = legs_.find_by_name(name);
    if (leg) trace(leg, false, in.source.transport, in.source.local, in.source.remote, copy, sequence);
  }

  // A malformed request is told so where that can be done; anything else is dropped. Both are counted.
  void refuse(const Source& source, const std::string& bytes, const sip::ParseError& error) {
    const auto answer = sip::answer_to_malformed(bytes, error);
    if (!answer) {
      ++cx_.counters.malformed_dropped;
      return;
    }
    ++cx_.counters.malformed_answered;
    Destination back{source.transport, source.remote, source.local, source.flow};
    actions_->push_back(Send{back, *answer});
  }

  void take(const TransportFailed& failed) {
    txns_.transport_failed(cx_.now, failed.transport, failed.remote);
  }
  void take(const FlowClosed& closed) { legs_.flow_closed(closed.flow); }
  void take(const Resolved& resolved) { calls_.resolved(resolved.query, resolved.targets); }
  void take(const MediaDone& done) { legs_.media_done(done.result); }
  void take(const Tick&) {}
  void take(ModelChanged changed) {
    BATON_ASSERT(changed.model != nullptr);
    cx_.model = std::move(changed.model);
  }
  void take(const Drain&) { cx_.draining = true; }
  void take(const HangUpAll&) { calls_.hang_up_all(); }
  void take(const CancelTransfer& cancel) { calls_.cancel_transfer(cancel.transfer_id); }

  void drain() {
    for (;;) {
      if (auto event = legs_.take_event()) {
        calls_.handle(std::move(*event));
      } else if (auto txn_event = txns_.take_event()) {
        legs_.handle(std::move(*txn_event));
      } else {
        return;
      }
    }
  }

  void advance_timers() {
    txns_.advance(cx_.now);
    drain();
    legs_.advance();
    drain();
    calls_.advance();
    drain();
  }

  void trace(call::LegHandle handle, bool sent, Transport transport, const SocketAddress& local,
             const SocketAddress& remote, const std::string& bytes, std::uint64_t sequence) {
    const call::Leg* leg = legs_.find(handle);
    if (leg == nullptr || leg->root_call_uuid.empty()) return;
    actions_->push_back(Write{call::TraceMessage{.root_call_uuid = leg->root_call_uuid,
                                                 .party = leg->party,
                                                 .sequence = sequence,
                                                 .at = cx_.now,
                                                 .sent = sent,
                                                 .transport = transport,
                                                 .local = local,
                                                 .remote = remote,
                                                 .bytes = bytes}});
  }

  bool trace_;
  Rng rng_;
  sip::DigestServer digest_;
  txn::Layer txns_;
  call::Context cx_;
  call::Legs legs_;
  call::Calls calls_;
  Actions* actions_ = nullptr;
  std::uint64_t sequence_ = 0;
};

Engine::Engine(Options options, trunk::Snapshot model)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(model))) {}
Engine::~Engine() = default;

void Engine::step(Time now, Input input, Actions& actions) {
  impl_->step(now, std::move(input), actions);
}
std::optional<Time> Engine::next_deadline() const {
  return impl_->next_deadline();
}
Census Engine::census() const {
  return impl_->census();
}
const Counters& Engine::counters() const {
  return impl_->counters();
}
std::string Engine::check_invariants() const {
  return impl_->check_invariants();
}

}  // namespace baton::engine
