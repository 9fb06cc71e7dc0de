// Finds where a request goes (RFC 3263), by c-ares inside the loop: no thread, no waiting. Every question is
// answered once, within a bound; what leads nowhere, and name servers without answers, give an empty list.
// Records are kept for their time to live, and longer when the name servers are out of order: a trunk must
// not go down with them. Belongs to one Net and its thread.
#pragma once

#include <compare>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "base/rng.h"
#include "base/target.h"
#include "base/timer_queue.h"
#include "net/inputs.h"
#include "net/locate.h"
#include "net/poller.h"
#include "net/probe.h"

struct ares_channeldata;
struct ares_addrinfo;

namespace baton::net {

struct ResolverOptions {
  std::vector<SocketAddress> servers;  // empty: those of the system
  Duration timeout = 5s;               // of a question, whatever the name servers do
  Duration try_timeout = 700ms;  // of the first query to one server; each further one waits twice as long
  unsigned tries = 3;
  // NAPTR and SRV that have not come by then count as not there: a firewall that knows only addresses must
  // not make every call late.
  Duration record_patience = 1600ms;
  std::size_t questions_max = 4'096;      // under way; more are answered empty at once
  std::size_t queries_max = 16'384;       // to name servers, under way
  std::size_t addresses_max = 16;         // of one name
  std::size_t records_max = 32;           // NAPTR or SRV of one name that are kept
  std::size_t known_max = 8'192;          // names and types that are remembered
  Duration ttl_min = 5s, ttl_max = 5min;  // what the name server says is kept between these
  Duration none_ttl = 5s;                 // that there is none
  Duration stale_max = 1h;                // after which an old answer is no better than none
  Duration failure_pause = 1s;            // before a name that got no answer is asked for again
  std::uint64_t seed = 1;                 // of the draw among SRV records of one priority
};

class Resolver final : public Poller::Handler {
 public:
  // The error is one line for a person.
  [[nodiscard]] static Result<std::unique_ptr<Resolver>, std::string> open(Poller& poller, Inputs& inputs,
                                                                           Probe& probe,
                                                                           const ResolverOptions& options);
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // Answered by a Resolved input with that number.
  void resolve(Time now, std::uint64_t query, const Lookup& lookup);
  void advance(Time now);
  [[nodiscard]] std::optional<Time> next_deadline(Time now) const;
  [[nodiscard]] std::size_t under_way() const { return questions_.size(); }

  // The sockets that are open; what they can not reach is left out of the answers.
  void set_reach(const Reach& reach);

  void ready(Time now, std::uint64_t tag, std::uint32_t events) override;

 private:
  struct Question {
    std::uint64_t id = 0;
    std::uint64_t query = 0;
    Lookup lookup;
  };
  struct Name {
    RecordType type = RecordType::address;
    std::string name;  // lower case
    auto operator<=>(const Name&) const = default;
  };
  // What is known of a name.
  struct Fact {
    Records records;
    Time good_until{}, stale_until{};  // epoch: never known
    Time retry_at{};                   // after a failure
    std::optional<Time> asked_at;      // a query is under way
    std::vector<std::uint64_t> waiters;
  };
  struct Query {
    Resolver* resolver = nullptr;
    std::uint64_t id = 0;
    Name name;
  };
  class View;

  Resolver(Poller& poller, Inputs& inputs, Probe& probe, const ResolverOptions& options);
  [[nodiscard]] int init();
  static void on_socket(void* self, int fd, int readable, int writable);
  static void on_addresses(void* query, int status, int timeouts, ares_addrinfo* info);
  static void on_records(void* query, int status, int timeouts, unsigned char* bytes, int length);
  void watch(int fd, bool readable, bool writable);
  void ask(const Name& name, Fact& fact);
  // A query has ended; nothing: without an answer.
  void take(Query& query, std::optional<Records> records, Duration ttl);
  [[nodiscard]] Records read_addresses(const ares_addrinfo* info) const;
  void walk(Question& question, bool last_word);
  void walk_waiting();
  void answer(std::uint64_t query, std::vector<Target> targets);
  void forget_some();

  Poller& poller_;
  Inputs& inputs_;
  Probe& probe_;
  ResolverOptions options_;
  Rng rng_;
  Reach reach_;
  ares_channeldata* channel_ = nullptr;
  std::unordered_map<int, Poller::Token> sockets_;
  std::unordered_map<std::uint64_t, Question> questions_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Query>> queries_;
  std::map<Name, Fact> facts_;
  std::deque<std::uint64_t> waiting_;  // questions that something new is known for
  Time now_{};                         // of the last call from outside
  std::uint64_t next_id_ = 0;
  TimerQueue timers_;
};

}  // namespace baton::net
