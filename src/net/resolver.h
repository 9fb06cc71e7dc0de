// Host names to addresses, A and AAAA, by c-ares inside the loop: no thread, no waiting. Every question is
// answered once, within a bound; a name without addresses and a name server without answers give an empty
// list. Answers are kept for their time to live, and longer when the name servers are out of order: a trunk
// must not go down with them. Belongs to one Net and its thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "base/timer_queue.h"
#include "net/inputs.h"
#include "net/poller.h"
#include "net/probe.h"

struct ares_channeldata;
struct ares_addrinfo;

namespace baton::net {

struct ResolverOptions {
  std::vector<SocketAddress> servers;  // empty: those of the system
  Duration timeout = 5s;               // of a question, whatever the name servers do
  Duration try_timeout = 1500ms;       // of one query to one server
  unsigned tries = 3;
  std::size_t questions_max = 4'096;      // under way; more are answered empty at once
  std::size_t addresses_max = 16;         // of one answer
  std::size_t known_max = 4'096;          // names that are remembered
  Duration ttl_min = 5s, ttl_max = 5min;  // what the name server says is kept between these
  Duration stale_max = 1h;                // after which an old answer is no better than none
  bool v4 = true, v6 = true;              // families that can be sent to; others are left out
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
  void resolve(Time now, std::uint64_t query, const std::string& host);
  void advance(Time now);
  [[nodiscard]] std::optional<Time> next_deadline(Time now) const;
  [[nodiscard]] std::size_t under_way() const { return questions_.size(); }

  // Families of the sockets that are open.
  void set_families(bool v4, bool v6);

  void ready(Time now, std::uint64_t tag, std::uint32_t events) override;

 private:
  struct Question {
    Resolver* resolver = nullptr;
    std::uint64_t id = 0;
    std::uint64_t query = 0;
    std::string host;
    bool answered = false;  // out of patience; c-ares has not let go of it yet
  };
  struct Known {
    std::vector<IpAddress> addresses;
    Time good_until{}, stale_until{};
  };

  Resolver(Poller& poller, Inputs& inputs, Probe& probe, const ResolverOptions& options);
  [[nodiscard]] int init();
  static void on_socket(void* self, int fd, int readable, int writable);
  static void on_answer(void* question, int status, int timeouts, ares_addrinfo* info);
  void watch(int fd, bool readable, bool writable);
  [[nodiscard]] std::vector<IpAddress> addresses_of(const ares_addrinfo* info) const;
  void answer(std::uint64_t query, std::vector<IpAddress> addresses);
  void remember(const std::string& host, const std::vector<IpAddress>& addresses, const ares_addrinfo* info);
  void make_room();
  // Of a question that the name servers did not answer.
  [[nodiscard]] std::vector<IpAddress> stale(const std::string& host);
  void take_answer(const Question& question, int status, const ares_addrinfo* info);

  Poller& poller_;
  Inputs& inputs_;
  Probe& probe_;
  ResolverOptions options_;
  ares_channeldata* channel_ = nullptr;
  std::unordered_map<int, Poller::Token> sockets_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Question>> questions_;
  std::map<std::string, Known, std::less<>> known_;  // lower case
  Time now_{};                                       // of the last call from outside
  std::uint64_t next_id_ = 0;
  TimerQueue timers_;
};

}  // namespace baton::net
