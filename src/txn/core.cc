#include "txn/core.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/assert.h"
#include "txn/matching.h"

namespace baton::txn {
namespace {

constexpr std::size_t stale_timers_tolerated = 256;
constexpr std::size_t refused_tcp_max = 256;
constexpr Duration refused_tcp_memory = 10min;
constexpr std::size_t spare_peers_max = 64;

}  // namespace

Core::Core(Sink& sink, Rng& rng, sip::Spares& spares, Timers timers, std::size_t transactions_max)
    : sink_(sink),
      rng_(rng),
      spares_(spares),
      timers_(timers),
      transactions_max_(transactions_max),
      hash_(KeyedHash::drawn(rng)),
      transactions_(limits::kept_transactions_max) {
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
  transaction.sequence = ++sequence_;
  name_client(transaction, branch);
  link(transaction);
  ++probe.client_created;
  return transaction;
}

Transaction& Core::create_server(sip::Method method, const Key& key, const Destination& to) {
  const TxnId id = transactions_.emplace();
  Transaction& transaction = transactions_.at(id);
  const bool invite = method == sip::Method::invite;
  transaction.id = id;
  transaction.role = invite ? Role::invite_server : Role::non_invite_server;
  transaction.state = invite ? State::proceeding : State::trying;
  transaction.method = method;
  transaction.peer = to;
  transaction.key = key;
  BATON_ASSERT(find_server(key) == nullptr);
  servers_.insert(key.low, id);
  ++probe.server_created;
  return transaction;
}

void Core::index_merge(Transaction& transaction, const Key& key) {
  BATON_ASSERT(find_merge(key) == nullptr);
  transaction.merge = key;
  transaction.merges = true;
  merges_.insert(key.low, transaction.id);
}

void Core::redirect(Transaction& transaction, const Destination& to, std::string_view branch) {
  BATON_ASSERT(transaction.is_client());
  clients_.erase(transaction.key.low, transaction.id);
  unlink(transaction);
  transaction.peer = to;
  name_client(transaction, branch);
  link(transaction);
}

void Core::name_client(Transaction& transaction, std::string_view branch) {
  std::string& room = key_room();
  append_client_key(room, branch, sip::to_string(transaction.method));
  const Key name = key(room);
  BATON_ASSERT(find_client(name) == nullptr);
  transaction.key = name;
  clients_.insert(name.low, transaction.id);
}

Core::Ends& Core::ends_of(const Peer& peer) {
  const auto place = peers_.lower_bound(peer);
  if (place != peers_.end() && place->first == peer) return place->second;
  if (spare_peers_.empty()) return peers_.emplace_hint(place, peer, Ends{})->second;
  auto node = std::move(spare_peers_.back());
  spare_peers_.pop_back();
  node.key() = peer;
  node.mapped() = {};
  return peers_.insert(place, std::move(node))->second;
}

void Core::link(Transaction& transaction) {
  Ends& ends = ends_of({transaction.peer.transport, transaction.peer.remote});
  // Behind all that were made before it: a new one last, one that was redirected somewhere among them.
  Transaction* before = find(ends.last);
  while (before != nullptr && before->sequence > transaction.sequence) before = find(before->before);
  Transaction* const after = find(before != nullptr ? before->after : ends.first);
  transaction.before = before != nullptr ? before->id : TxnId{};
  transaction.after = after != nullptr ? after->id : TxnId{};
  (before != nullptr ? before->after : ends.first) = transaction.id;
  (after != nullptr ? after->before : ends.last) = transaction.id;
}

void Core::unlink(Transaction& transaction) {
  const auto peer = peers_.find({transaction.peer.transport, transaction.peer.remote});
  BATON_ASSERT(peer != peers_.end());
  Transaction* const before = find(transaction.before);
  Transaction* const after = find(transaction.after);
  (before != nullptr ? before->after : peer->second.first) = transaction.after;
  (after != nullptr ? after->before : peer->second.last) = transaction.before;
  if (peer->second.first) return;
  auto node = peers_.extract(peer);
  if (spare_peers_.size() < spare_peers_max) spare_peers_.push_back(std::move(node));
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
    clients_.erase(transaction.key.low, transaction.id);
    unlink(transaction);
  } else {
    servers_.erase(transaction.key.low, transaction.id);
    if (transaction.merges) merges_.erase(transaction.merge.low, transaction.id);
  }
  keep_nothing(transaction);
  transactions_.erase(transaction.id);
}

Transaction* Core::find_in(const KeyTable& table, const Key& key, Key Transaction::*name) {
  const TxnId found = table.find(key.low, [&](TxnId id) {
    const Transaction* transaction = transactions_.find(id);
    return transaction != nullptr && transaction->*name == key;
  });
  return transactions_.find(found);
}

std::vector<TxnId> Core::clients_of(Transport transport, const SocketAddress& remote) const {
  std::vector<TxnId> found;
  const auto peer = peers_.find({transport, remote});
  if (peer == peers_.end()) return found;
  for (TxnId id = peer->second.first; id; id = transactions_.find(id)->after) found.push_back(id);
  return found;
}

// ---- Timers ----

void Core::arm(Transaction& transaction, Timer timer, Time at) {
  if (!transaction.deadlines.set(timer, at)) ++armed_count_;
  queue_.arm(at, transaction.id.pack(), static_cast<std::uint8_t>(timer));
  if (queue_.size() > 2 * armed_count_ + stale_timers_tolerated) sweep_timers();
}

void Core::disarm(Transaction& transaction, Timer timer) {
  if (transaction.deadlines.set(timer, never)) --armed_count_;
}

void Core::disarm_all(Transaction& transaction) {
  armed_count_ -= transaction.deadlines.count();
  transaction.deadlines.clear();
}

bool Core::is_live(const TimerQueue::Entry& entry) const {
  const Transaction* transaction = transactions_.find(TxnId::unpack(entry.owner));
  return transaction != nullptr && transaction->deadlines.of(static_cast<Timer>(entry.kind)) == entry.at;
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

void Core::send_response(Transaction& transaction, std::string bytes) {
  keep(transaction, buffers().copy(bytes));
  transaction.vias_at = static_cast<std::uint32_t>(bytes.find("\r\n") + 2);
  transaction.answered = true;
  send(transaction.peer, std::move(bytes), transaction.owner);
}

std::optional<Event> Core::take_event() {
  if (events_.empty()) return std::nullopt;
  return events_.take();
}

std::string Core::tag_for(const Key& key) const {
  static constexpr char digits[] = "0123456789abcdef";
  std::array<char, sizeof key.low> bytes{};
  std::memcpy(bytes.data(), &key.low, bytes.size());
  std::string tag;
  // Hashed once more: who knew the hash itself could choose keys that share a place in the tables.
  for (std::uint64_t rest = hash_.hash({bytes.data(), bytes.size()}), i = 0; i < 16; ++i, rest >>= 4)
    tag += digits[rest & 15];
  return tag;
}

}  // namespace baton::txn
