#include "engine/engine.h"

#include <algorithm>
#include <unordered_set>

#include "base/assert.h"
#include "base/limits.h"
#include "call/calls.h"
#include "call/legs.h"
#include "engine/gatekeeper.h"
#include "engine/overload.h"

namespace baton::engine {

// Owns the layers and turns what they do into actions, in order.
class Engine::Impl final : public txn::Sink, public call::World {
 public:
  Impl(Options options, trunk::Snapshot model)
      : trace_(options.trace),
        gate_(options.gate, *model),
        overload_(options.overload_delay),
        rng_(options.seed),
        digest_(options.digest_secret),
        spares_(std::move(options.buffers)),
        txns_(*this, rng_, spares_, options.timers, options.transactions_max),
        cx_{.now = {},
            .rng = rng_,
            .txns = txns_,
            .spares = spares_,
            .world = *this,
            .digest = digest_,
            .model = std::move(model),
            .listeners = std::move(options.listeners),
            .user_agent = std::move(options.user_agent),
            .secret = std::move(options.digest_secret),
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
    // Also when something throws, as for want of memory: the next step is another one all the same.
    struct End {
      Impl& engine;
      ~End() {
        engine.stranger_.reset();
        engine.actions_ = nullptr;
      }
    } const end{*this};
    cx_.now = now;
    std::visit([this](auto&& value) { take(std::forward<decltype(value)>(value)); }, std::move(input));
    drain();
    advance_timers();
    legs_.collect();
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
            .live_legs = legs_.live(),
            .recordings = calls_.recordings()};
  }
  [[nodiscard]] const Counters& counters() const { return cx_.counters; }
  [[nodiscard]] std::string check_invariants() { return calls_.check_invariants(); }

  // ---- txn::Sink and call::World: one action each ----
  void send(const Destination& to, std::string bytes, txn::Owner owner) override {
    if (trace_ && owner != 0) {
      trace(call::LegHandle::unpack(owner), true, to.transport, to.local, to.remote, std::string(bytes),
            ++sequence_);
    }
    emit(to, std::move(bytes));
  }
  void media(media::Operation operation) override { actions_->push_back(MediaDo{std::move(operation)}); }
  void resolve(std::uint64_t query, Lookup lookup) override {
    actions_->push_back(Resolve{query, std::move(lookup)});
  }
  void write(store::Record record) override { actions_->emplace_back(Write{std::move(record)}); }
  void log(call::LogEvent event) override { actions_->push_back(std::move(event)); }
  bool may_log_in(const SocketAddress& source, const std::string& trunk_id) override {
    const bool may = gate_.may_log_in(cx_.now, source.ip, trunk_id);
    if (!may) ++cx_.counters.logins_throttled;
    return may;
  }
  void logged_in(const SocketAddress& source) override {
    gate_.welcome(cx_.now, source.ip);
    if (stranger_ && stranger_->source.ip == source.ip) stranger_.reset();
  }
  void login_failed(const SocketAddress& source, const std::string& trunk_id) override {
    ++cx_.counters.logins_failed;
    if (gate_.login_failed(cx_.now, source.ip, trunk_id)) silenced(source, "failed logins");
  }

 private:
  // A request of somebody unknown is being handled.
  struct Stranger {
    SocketAddress source;
    std::size_t asked_bytes = 0;
    bool proven = false;  // shows a nonce that was sent to its address
  };

  void take(MessageIn in) {
    ++cx_.counters.messages_in;
    note_delay(in);
    if (gate_.is_stranger(cx_.now, in.source.remote.ip)) {
      if (is_charged(in.bytes) && !gate_.admit(cx_.now, in.source.remote.ip)) {
        ++cx_.counters.strangers_limited;
        return;
      }
      stranger_ = Stranger{in.source.remote, in.bytes.size()};
    }
    // Only the trace needs the bytes a second time.
    std::string copy = trace_ ? in.bytes : std::string{};
    const std::uint64_t sequence = ++sequence_;
    auto message = sip::Message::parse(std::move(in.bytes), &spares_);
    if (!message) return refuse(in.source, copy, message.error());
    if (stranger_) stranger_->proven = shows_our_nonce(*message, in.source.remote.ip);
    if (!may_enter(*message, in.source)) return;
    const std::optional<sip::Message> traced = trace_ ? std::optional(*message) : std::nullopt;
    txns_.receive(cx_.now, std::move(*message), in.source);
    drain();
    if (!stranger_) keep(in.source.flow);
    if (!traced) return;
    // Which may have been made by it.
    const call::LegHandle leg = legs_.find_by_name(*traced);
    if (leg) {
      trace(leg, false, in.source.transport, in.source.local, in.source.remote, std::move(copy), sequence);
    }
  }

  // Configured, logged in or in a call: its connection stays when strangers take all places.
  void keep(FlowId flow) {
    if (flow != 0 && kept_.insert(flow).second) actions_->push_back(KeepFlow{flow});
  }

  // Of strangers. A response is one to us or is dropped, and nothing answers an ACK: both may end a
  // transaction.
  static bool is_charged(std::string_view bytes) {
    return !bytes.starts_with("SIP/2.0 ") && !bytes.starts_with("ACK ");
  }

  [[nodiscard]] bool shows_our_nonce(const sip::Message& message, const IpAddress& source) const {
    if (!message.is_request() || message.method() == sip::Method::ack) return false;
    const auto& entries = message.entries();
    return std::any_of(entries.begin(), entries.end(), [&](const auto& entry) {
      if (entry.id != sip::HeaderId::authorization) return false;
      const auto credentials = sip::DigestCredentials::parse(message.value_of(entry));
      return credentials && digest_.issued(cx_.now, credentials->nonce, source.to_string());
    });
  }

  // A malformed request is told so where that can be done; anything else is dropped. Both are counted.
  void refuse(const Source& source, const std::string& bytes, const sip::ParseError& error) {
    const bool ignored = stranger_ && gate_.is_silenced(cx_.now, source.remote.ip);
    if (ignored) ++cx_.counters.silenced_ignored;
    const auto answer = ignored ? std::nullopt : sip::answer_to_malformed(bytes, error);
    if (!answer) {
      ++cx_.counters.malformed_dropped;
      return;
    }
    ++cx_.counters.malformed_answered;
    Destination back{source.transport, source.remote, source.local, source.flow};
    emit(back, *answer);
  }

  // ---- The hostile side ----

  void note_delay(const MessageIn& in) {
    const Duration waited = in.arrived == Time{} ? Duration{0} : cx_.now - in.arrived;
    const bool before = overload_.refuses();
    const bool after = overload_.heard(cx_.now, waited);
    if (before == after) return;
    if (after) ++cx_.counters.overloads;
    log({call::Severity::warning,
         after ? "overload.begins" : "overload.ends",
         {{"delay_ms", std::to_string(waited / 1ms)}}});
  }

  // False: the message has been dealt with here.
  bool may_enter(const sip::Message& message, const Source& source) {
    if (!message.is_request() || message.method() == sip::Method::ack) return true;
    const bool outside = !legs_.find_by_name(message);
    // It knows the tags of a call: whoever is in one belongs here, wherever it roams.
    if (stranger_ && !outside && !message.to_tag().empty()) {
      gate_.welcome(cx_.now, source.remote.ip);
      stranger_.reset();
    }
    if (stranger_ && outside && gate_.is_silenced(cx_.now, source.remote.ip, stranger_->proven) &&
        !(may_be_forged(message, source) && gate_.hears_anyway(cx_.now, source.remote.ip))) {
      ++cx_.counters.silenced_ignored;
      return false;
    }
    // A To tag of nobody's is no way to the transactions that are kept for calls.
    const bool invented = outside && !message.to_tag().empty() && message.method() != sip::Method::cancel;
    if (invented && txns_.is_crowded() && txns_.refuse(message, source, 481, 0)) return false;
    const bool new_call = outside && message.method() == sip::Method::invite && message.to_tag().empty();
    if (!new_call || !overload_.refuses()) return true;
    constexpr unsigned retry_after_s = 5;
    // Nobody needs to be told who does not belong here anyway.
    if (!stranger_ && !txns_.refuse(message, source, 503, retry_after_s)) return true;
    ++cx_.counters.overload_refused;
    return false;
  }

  // Over UDP anybody can write that address; what its owner needs is a challenge from a trunk it knows.
  [[nodiscard]] bool may_be_forged(const sip::Message& message, const Source& source) const {
    const bool asks = message.method() == sip::Method::invite || message.method() == sip::Method::refer;
    if (source.transport != Transport::udp || stranger_->proven || !asks) return false;
    const auto uri = sip::Uri::parse(message.request_uri());
    const trunk::Trunk* trunk = uri ? cx_.model->trunk_by_domain(uri->host) : nullptr;
    return trunk != nullptr && !trunk->credentials.empty();
  }

  void silenced(const SocketAddress& source, const char* why) {
    ++cx_.counters.sources_silenced;
    log({call::Severity::warning, "source.silenced", {{"source", source.ip.to_string()}, {"why", why}}});
  }

  // Who has not been challenged yet, or not of late, is asked by a challenge to go on (RFC 3261 22.1).
  static bool is_refusal(std::string_view status, bool proven) {
    if (status == "401" || status == "407") return proven;
    return status.front() != '1' && status.front() != '2';
  }

  // The way out of every message. Whoever we send a request to is no stranger; a stranger's answers are
  // counted, and over UDP, where its address may be forged, never longer than what it sent.
  void emit(const Destination& to, std::string bytes) {
    if (!bytes.starts_with("SIP/2.0 ")) {
      gate_.welcome(cx_.now, to.remote.ip);
    } else if (stranger_ && stranger_->source.ip == to.remote.ip) {
      const std::string status = bytes.substr(std::string_view("SIP/2.0 ").size(), 3);
      if (to.transport == Transport::udp && bytes.size() > stranger_->asked_bytes) {
        bytes = fit_response(bytes, stranger_->asked_bytes);
        ++(bytes.empty() ? cx_.counters.answers_withheld : cx_.counters.answers_cut);
      }
      const bool proven = stranger_->proven || to.transport != Transport::udp;
      if (is_refusal(status, stranger_->proven) && gate_.refused(cx_.now, to.remote.ip, proven))
        silenced(to.remote, "refusals");
      if (bytes.empty()) return;
    }
    actions_->push_back(Send{to, std::move(bytes)});
  }

  void take(const TransportFailed& failed) {
    txns_.transport_failed(cx_.now, failed.transport, failed.remote);
  }
  void take(const FlowClosed& closed) {
    kept_.erase(closed.flow);
    legs_.flow_closed(closed.flow);
    txns_.connection_closed(cx_.now, closed.transport, closed.remote);
  }
  void take(const Resolved& resolved) {
    if (!legs_.resolved(resolved.query, resolved.targets)) calls_.resolved(resolved.query, resolved.targets);
  }
  void take(const MediaDone& done) {
    if (const auto* recorded = std::get_if<media::Recorded>(&done.result)) return calls_.recorded(*recorded);
    legs_.media_done(done.result);
  }
  void take(const Tick&) {}
  void take(ModelChanged changed) {
    BATON_ASSERT(changed.model != nullptr);
    cx_.model = std::move(changed.model);
    gate_.configure(*cx_.model);
  }
  void take(const Drain&) { cx_.draining = true; }
  void take(const HangUpAll&) { calls_.hang_up_all(); }
  void take(const CancelTransfer& cancel) { calls_.cancel_transfer(cancel.transfer_id); }
  void take(const RecordCall& record) { calls_.record_call(record.call_uuid, record.on); }

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
             const SocketAddress& remote, std::string text, std::uint64_t sequence) {
    const call::LegRemains* leg = legs_.find_remains(handle);
    if (leg == nullptr || leg->root_call_uuid.empty()) return;
    sdp::mask_keys(text);
    actions_->push_back(Write{call::TraceMessage{.root_call_uuid = leg->root_call_uuid,
                                                 .party = leg->party,
                                                 .sequence = sequence,
                                                 .at = cx_.now,
                                                 .sent = sent,
                                                 .transport = transport,
                                                 .local = local,
                                                 .remote = remote,
                                                 .bytes = std::move(text)}});
  }

  bool trace_;
  Gatekeeper gate_;
  Overload overload_;
  std::optional<Stranger> stranger_;
  std::unordered_set<FlowId> kept_;  // open connections that the driver has been told to keep
  Rng rng_;
  sip::DigestServer digest_;
  sip::Spares spares_;
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
