#include "txn/core.h"

#include <algorithm>

#include "base/assert.h"
#include "txn/matching.h"

namespace baton::txn {
namespace {

constexpr std::size_t stale_timers_tolerated = 256;
constexpr std::size_t refused_tcp_max = 256;
constexpr Duration refused_tcp_memory = 10min;

}  // namespace

Core::Core(Sink& sink, Rng& rng, Timers timers, std::size_t transactions_max)
    : sink_(sink),
      rng_(rng),
      timers_(timers),
      transactions_max_(transactions_max),
      hash_(KeyedHash::drawn(rng)),  // before the tables, which copy it
      clients_(0, hash_),
      servers_(0, hash_),
      merges_(0, hash_) {
  BATON_ASSERT(timers.t1 > Duration::zero() && timers.t2 >= timers.t1 && timers.t4 >= Duration::zero());
}

// ---- Transactions ----

Transaction& Core::create_client(sip::Method method, std::string_view branch, const Destination& to) {
  const TxnId id = transactions_.emplace();
  Transaction& transaction = transactions_.at(id);
  const bool invite = method == sip::Method::invite;
  transaction.id = id;
  transaction.role = invite ? Role::invite_client : Role::non_invite_client;
  transaction.state = invite ? State::calling : State::trying;
  transaction.method = method;
  transaction.peer = to;
  transaction.key = client_key(branch, sip::to_string(method));
  transaction.sequence = ++sequence_;
  const bool fresh = clients_.emplace(transaction.key, id).second;
  BATON_ASSERT(fresh);
  peers_.insert({to.transport, to.remote, transaction.sequence, id});
  ++probe.client_created;
  return transaction;
}

Transaction& Core::create_server(sip::Method method, std::string key, const Destination& to) {
  const TxnId id = transactions_.emplace();
  Transaction& transaction = transactions_.at(id);
  const bool invite = method == sip::Method::invite;
  transaction.id = id;
  transaction.role = invite ? Role::invite_server : Role::non_invite_server;
  transaction.state = invite ? State::proceeding : State::trying;
  transaction.method = method;
  transaction.peer = to;
  transaction.key = std::move(key);
  const bool fresh = servers_.emplace(transaction.key, id).second;
  BATON_ASSERT(fresh);
  ++probe.server_created;
  return transaction;
}

void Core::index_merge(Transaction& transaction, std::string key) {
  if (merges_.emplace(key, transaction.id).second) transaction.merge_key = std::move(key);
}

void Core::redirect(Transaction& transaction, const Destination& to, std::string_view branch) {
  BATON_ASSERT(transaction.is_client());
  forget(clients_, transaction.key, transaction.id);
  transaction.key = client_key(branch, sip::to_string(transaction.method));
  const bool fresh = clients_.emplace(transaction.key, transaction.id).second;
  BATON_ASSERT(fresh);
  peers_.erase({transaction.peer.transport, transaction.peer.remote, transaction.sequence, transaction.id});
  transaction.peer = to;
  peers_.insert({to.transport, to.remote, transaction.sequence, transaction.id});
}

void Core::note_refused_tcp(Time now, const SocketAddress& remote) {
  if (refuses_tcp(now, remote)) return;
  if (refused_tcp_.size() >= refused_tcp_max) refused_tcp_.pop_front();
  refused_tcp_.push_back({remote, now + refused_tcp_memory});
}

bool Core::refuses_tcp(Time now, const SocketAddress& remote) const {
  return std::any_of(refused_tcp_.begin(), refused_tcp_.end(),
                     [&](const Refusal& refusal) { return refusal.remote == remote && now < refusal.until; });
}

void Core::reap(Transaction& transaction) {
  if (transaction.state != State::terminated) return;
  disarm_all(transaction);
  if (transaction.is_client()) {
    forget(clients_, transaction.key, transaction.id);
    peers_.erase({transaction.peer.transport, transaction.peer.remote, transaction.sequence, transaction.id});
  } else {
    forget(servers_, transaction.key, transaction.id);
    if (!transaction.merge_key.empty()) forget(merges_, transaction.merge_key, transaction.id);
  }
  transactions_.erase(transaction.id);
}

Transaction* Core::find_in(const Table& table, const std::string& key) {
  const auto found = table.find(key);
  return found == table.end() ? nullptr : transactions_.find(found->second);
}

void Core::forget(Table& table, const std::string& key, TxnId id) {
  const auto found = table.find(key);
  BATON_ASSERT(found != table.end() && found->second == id);
  table.erase(found);
}

std::vector<TxnId> Core::clients_of(Transport transport, const SocketAddress& remote) const {
  std::vector<TxnId> found;
  for (auto entry = peers_.lower_bound({transport, remote, 0, {}});
       entry != peers_.end() && entry->transport == transport && entry->remote == remote; ++entry) {
    found.push_back(entry->id);
  }
  return found;
}

// ---- Timers ----

void Core::arm(Transaction& transaction, Timer timer, Time at) {
  Time& deadline = transaction.deadline(timer);
  if (deadline == never) ++armed_count_;
  deadline = at;
  queue_.arm(at, transaction.id.pack(), static_cast<std::uint8_t>(timer));
  if (queue_.size() > 2 * armed_count_ + stale_timers_tolerated) sweep_timers();
}

void Core::disarm(Transaction& transaction, Timer timer) {
  Time& deadline = transaction.deadline(timer);
  if (deadline == never) return;
  deadline = never;
  --armed_count_;
}

void Core::disarm_all(Transaction& transaction) {
  for (std::size_t i = 0; i < timers_count; ++i) disarm(transaction, static_cast<Timer>(i));
}

bool Core::is_live(const TimerQueue::Entry& entry) const {
  const Transaction* transaction = transactions_.find(TxnId::unpack(entry.owner));
  return transaction != nullptr && transaction->deadlines[entry.kind] == entry.at;
}

void Core::sweep_timers() {
  queue_.sweep([this](const TimerQueue::Entry& entry) { return is_live(entry); });
}

std::optional<Core::Due> Core::take_due(Time now) {
  while (const auto entry = queue_.pop_due(now)) {
    if (!is_live(*entry)) continue;
    Transaction& transaction = transactions_.at(TxnId::unpack(entry->owner));
    const auto timer = static_cast<Timer>(entry->kind);
    disarm(transaction, timer);
    return Due{&transaction, timer};
  }
  return std::nullopt;
}

std::optional<Time> Core::next_deadline() {
  // So that nobody is woken for what has been cancelled, and nothing at rest looks busy.
  for (const TimerQueue::Entry* top = queue_.top(); top != nullptr; top = queue_.top()) {
    if (is_live(*top)) return top->at;
    (void)queue_.pop_due(top->at);
  }
  return std::nullopt;
}

Duration Core::back_off(Duration interval) const {
  return std::min(2 * interval, timers_.t2);
}

Duration Core::until_t2() const {
  Duration sum{};
  for (Duration interval = timers_.t1; interval < timers_.t2; interval = back_off(interval)) sum += interval;
  return sum;
}

// ---- Out ----

std::optional<Event> Core::take_event() {
  if (events_.empty()) return std::nullopt;
  return events_.take();
}

std::string Core::tag_for(std::string_view key) const {
  static constexpr char digits[] = "0123456789abcdef";
  std::string tag;
  for (std::uint64_t rest = hash_.hash(key), i = 0; i < 16; ++i, rest >>= 4) tag += digits[rest & 15];
  return tag;
}

}  // namespace baton::txn
