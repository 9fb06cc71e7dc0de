// What the four machines share: the transactions with their tables, the timer queue, the way to the wire
// and the queue of events. Owned by the Layer.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fifo.h"
#include "base/keyed_hash.h"
#include "base/rng.h"
#include "base/slab.h"
#include "base/timer_queue.h"
#include "sip/spares.h"
#include "txn/key_table.h"
#include "txn/layer.h"
#include "txn/transaction.h"

namespace baton::txn {

class Core {
 public:
  Core(Sink& sink, Rng& rng, sip::Spares& spares, Timers timers, std::size_t transactions_max);

  // ---- Transactions ----
  // Those a machine has put in State::terminated are erased by reap(), which whoever called the machine
  // calls after it; until then references stay good.
  Transaction& create_client(sip::Method method, std::string_view branch, const Destination& to);
  Transaction& create_server(sip::Method method, const Key& key, const Destination& to);
  // For the check of 8.2.2.2; no transaction may have that key yet.
  void index_merge(Transaction& transaction, const Key& key);
  // A client's request goes another way from now on, by another name.
  void redirect(Transaction& transaction, const Destination& to, std::string_view branch);
  // Peers that took no connection lately. Bounded; what was noted first is forgotten first.
  void note_refused_tcp(Time now, const SocketAddress& remote);
  [[nodiscard]] bool refuses_tcp(Time now, const SocketAddress& remote) const;
  void reap(Transaction& transaction);

  [[nodiscard]] Transaction* find(TxnId id) { return transactions_.find(id); }
  // Empty, to write what a key is made from into, so that no look-up allocates. Whoever asks next gets the
  // same.
  [[nodiscard]] std::string& key_room() {
    key_room_.clear();
    return key_room_;
  }
  [[nodiscard]] Key key(std::string_view text) const { return hash_.wide(text); }
  [[nodiscard]] Transaction* find_client(const Key& key) { return find_in(clients_, key, &Transaction::key); }
  [[nodiscard]] Transaction* find_server(const Key& key) { return find_in(servers_, key, &Transaction::key); }
  [[nodiscard]] Transaction* find_merge(const Key& key) { return find_in(merges_, key, &Transaction::merge); }
  // Clients whose requests go to that peer, in the order they were made.
  [[nodiscard]] std::vector<TxnId> clients_of(Transport transport, const SocketAddress& remote) const;
  [[nodiscard]] std::size_t size() const { return transactions_.size(); }
  [[nodiscard]] bool full() const { return transactions_.size() >= transactions_max_; }
  // The last eighth is for what is within a dialog, so that calls which are up can still be ended.
  [[nodiscard]] bool is_crowded() const { return size() + transactions_max_ / 8 >= transactions_max_; }

  // ---- Timers ----
  void arm(Transaction& transaction, Timer timer, Time at);
  void disarm(Transaction& transaction, Timer timer);
  void disarm_all(Transaction& transaction);
  struct Due {
    Transaction* transaction;
    Timer timer;
  };
  // The next timer due at `now`, already disarmed.
  [[nodiscard]] std::optional<Due> take_due(Time now);
  [[nodiscard]] std::optional<Time> next_deadline();
  // Entries in the queue, the stale among them.
  [[nodiscard]] std::size_t timers_size() const { return queue_.size(); }

  // ---- Out ----
  void send(const Destination& to, std::string bytes, Owner owner) {
    sink_.send(to, std::move(bytes), owner);
  }
  void send_repeat(const Transaction& transaction) {
    sink_.send(transaction.peer, buffers().copy(transaction.text), transaction.owner);
  }
  // A server's response goes out, and is what is repeated from now on.
  void send_response(Transaction& transaction, std::string bytes);
  // What a transaction keeps from now on.
  void keep(Transaction& transaction, std::string text) {
    buffers().give(std::exchange(transaction.text, std::move(text)));
  }
  void keep_nothing(Transaction& transaction) { keep(transaction, {}); }
  [[nodiscard]] sip::Spares& spares() { return spares_; }
  [[nodiscard]] Buffers& buffers() { return spares_.buffers(); }
  void emit(Event event) { events_.push(std::move(event)); }
  [[nodiscard]] std::optional<Event> take_event();

  // A To tag for an answer of the layer itself: the same for every copy of a request (8.2.7).
  [[nodiscard]] std::string tag_for(const Key& key) const;

  [[nodiscard]] Rng& rng() { return rng_; }
  [[nodiscard]] Duration t1() const { return timers_.t1; }
  [[nodiscard]] Duration t2() const { return timers_.t2; }
  [[nodiscard]] Duration t4() const { return timers_.t4; }
  // Timers B, F, H, J, L and M.
  [[nodiscard]] Duration give_up() const { return 64 * timers_.t1; }
  // RFC 4320 4.1: how long a peer's Timer E takes to be reset to T2.
  [[nodiscard]] Duration until_t2() const;
  // The next interval of a repeating timer (Timers E and G).
  [[nodiscard]] Duration back_off(Duration interval) const;

  Probe probe;

 private:
  // Clients of one peer, linked in the order they were made.
  struct Peer {
    Transport transport;
    SocketAddress remote;
    auto operator<=>(const Peer&) const = default;
  };
  struct Ends {
    TxnId first, last;
  };

  Transaction* find_in(const KeyTable& table, const Key& key, Key Transaction::*name);
  void name_client(Transaction& transaction, std::string_view branch);
  Ends& ends_of(const Peer& peer);
  void link(Transaction& transaction);
  void unlink(Transaction& transaction);
  [[nodiscard]] bool is_live(const TimerQueue::Entry& entry) const;
  void sweep_timers();

  Sink& sink_;
  Rng& rng_;
  sip::Spares& spares_;
  Timers timers_;
  std::size_t transactions_max_;
  KeyedHash hash_;
  Slab<Transaction> transactions_;
  KeyTable clients_, servers_, merges_;
  std::string key_room_;
  std::map<Peer, Ends> peers_;
  std::vector<std::map<Peer, Ends>::node_type> spare_peers_;
  struct Refusal {
    SocketAddress remote;
    Time until{};
  };
  std::deque<Refusal> refused_tcp_;
  std::uint64_t sequence_ = 0;
  TimerQueue queue_;
  std::size_t armed_count_ = 0;
  Fifo<Event> events_;
};

}  // namespace baton::txn
