// What media threads do, without threads: relays in virtual time behind a router, on the caller's thread. A
// move can take a while, in which the rest of the world goes on.
#pragma once

#include <sys/epoll.h>

#include <deque>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "media/relay/relay.h"
#include "media/threads/router.h"

namespace baton::media::test {

class RoutedRelays {
 public:
  RoutedRelays(const Relay::Options& whole, unsigned count, Duration move_takes = {})
      : router_({divide_ports(whole, count), whole.endpoints_max}),
        epoll_(::epoll_create1(EPOLL_CLOEXEC)),
        move_takes_(move_takes) {
    for (const threads::PortRange& range : divide_ports(whole, count)) {
      Relay::Options part = whole;
      part.port_min = range.first;
      part.port_max = range.last;
      part.seed = whole.seed + relays_.size();
      relays_.push_back(std::make_unique<Relay>(part));
      epoll_event event{};
      event.events = EPOLLIN;
      static_cast<void>(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, relays_.back()->poll_fd(), &event));
    }
  }

  // As Relay has them.
  void perform(Time now, const Operation& operation, std::vector<Result>& results) {
    const std::size_t before = results.size();
    router_.perform(operation, results);
    work(now, results);
    const auto* open = std::get_if<Open>(&operation);
    while (open != nullptr && !answered(results, before, open->id) && !under_way_.empty())
      arrive(now, results);
  }
  [[nodiscard]] int poll_fd() const { return epoll_.get(); }
  void poll(Time now, std::vector<Result>& results) {
    for (unsigned i = 0; i < relays_.size(); ++i) {
      std::vector<Result> told;
      relays_[i]->poll(now, told);
      hear(i, told, results);
    }
    work(now, results);
  }
  [[nodiscard]] std::optional<Time> next_deadline() const {
    std::optional<Time> next;
    if (!under_way_.empty()) next = under_way_.front().at;
    for (const auto& relay : relays_) {
      if (const auto due = relay->next_deadline(); due && (!next || *due < *next)) next = due;
    }
    return next;
  }
  void advance(Time now, std::vector<Result>& results) {
    while (!under_way_.empty() && under_way_.front().at <= now) arrive(now, results);
    for (unsigned i = 0; i < relays_.size(); ++i) {
      std::vector<Result> told;
      if (const auto due = relays_[i]->next_deadline(); due && *due <= now) relays_[i]->advance(now, told);
      hear(i, told, results);
    }
    work(now, results);
  }
  [[nodiscard]] std::size_t endpoints() const {
    std::size_t sum = 0;
    for (const auto& relay : relays_) sum += relay->endpoints();
    return sum;
  }

  [[nodiscard]] std::uint64_t transcoded() const {
    std::uint64_t sum = 0;
    for (const auto& relay : relays_) sum += relay->counters().transcoded;
    return sum;
  }

  // The move that began first is over.
  void arrive(Time now, std::vector<Result>& results) {
    auto [at, worker, taken] = std::move(under_way_.front());
    under_way_.pop_front();
    router_.hear(worker, std::move(taken), results);
    work(now, results);
  }
  [[nodiscard]] std::size_t under_way() const { return under_way_.size(); }
  // The next moves take nothing with them, as without memory.
  void fail_next_moves(unsigned count) { fails_ = count; }

  [[nodiscard]] const threads::Router& router() const { return router_; }
  [[nodiscard]] Relay& relay(unsigned i) { return *relays_[i]; }

 private:
  struct UnderWay {
    Time at;
    unsigned worker;
    threads::Taken taken;
  };

  static std::vector<threads::PortRange> divide_ports(const Relay::Options& whole, unsigned count) {
    return threads::divide_ports(whole.port_min, whole.port_max, count);
  }
  static bool answered(const std::vector<Result>& results, std::size_t from, EndpointId id) {
    for (std::size_t i = from; i < results.size(); ++i) {
      if (const auto* opened = std::get_if<Opened>(&results[i]); opened && opened->id == id) return true;
      if (const auto* failed = std::get_if<OpenFailed>(&results[i]); failed && failed->id == id) return true;
    }
    return false;
  }
  void hear(unsigned worker, std::vector<Result>& told, std::vector<Result>& results) {
    for (Result& result : told) router_.hear(worker, std::move(result), results);
  }
  void work(Time now, std::vector<Result>& results) {
    while (!router_.orders().empty()) {
      auto orders = std::exchange(router_.orders(), {});
      for (auto& [worker, order] : orders) perform(now, worker, order, results);
    }
  }
  void perform(Time now, unsigned worker, threads::Order& order, std::vector<Result>& results) {
    Relay& relay = *relays_[worker];
    std::vector<Result> told;
    if (const auto* operation = std::get_if<Operation>(&order)) {
      relay.perform(now, *operation, told);
    } else if (const auto* take = std::get_if<threads::TakeOut>(&order)) {
      threads::Taken taken{take->move, {}};
      if (fails_ == 0) {
        taken.parcel = relay.take_out(take->endpoints, take->recordings);
      } else {
        --fails_;
      }
      under_way_.push_back({now + move_takes_, worker, std::move(taken)});
      if (move_takes_ == Duration{}) arrive(now, results);
    } else if (auto* put = std::get_if<threads::PutIn>(&order)) {
      relay.put_in(put->parcel, told);
    } else {
      relay.take_back(now, std::move(std::get<threads::TakeBack>(order).pair));
    }
    hear(worker, told, results);
    std::vector<PortPair> strays;
    relay.take_stray_pairs(strays);
    for (PortPair& pair : strays) router_.hear(worker, threads::Stray{std::move(pair)}, results);
  }

  threads::Router router_;
  Descriptor epoll_;
  std::vector<std::unique_ptr<Relay>> relays_;
  Duration move_takes_;
  std::deque<UnderWay> under_way_;
  unsigned fails_ = 0;
};

}  // namespace baton::media::test
