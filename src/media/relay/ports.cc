#include "media/relay/ports.h"

#include <algorithm>
#include <utility>

namespace baton::media {

PortPool::PortPool(std::uint16_t port_min, std::uint16_t port_max, Duration rest, Rng& rng)
    : late_until_(32'768, Time::min()), port_min_(port_min), port_max_(port_max), rest_(rest) {
  for (unsigned port = std::max(2U, (port_min + 1U) & ~1U); port + 1 <= port_max; port += 2) {
    fresh_.push_back(static_cast<std::uint16_t>(port));
  }
  fresh_.shrink_to_fit();
  size_ = fresh_.size();
  for (std::size_t i = size_; i > 1; --i) std::swap(fresh_[i - 1], fresh_[rng.below(i)]);
}

std::optional<PortPair> PortPool::take(Time now, bool v6) {
  Queue& fitting = open_[v6 ? 1 : 0];
  Queue& others = open_[v6 ? 0 : 1];
  const auto has_free = [now](const Queue& queue) { return !queue.empty() && queue.front().free_at <= now; };
  if (has_free(fitting)) return take_front(fitting).pair;
  if (fresh_.empty() && !has_free(closed_)) {
    if (!has_free(others)) return std::nullopt;
    rest_closed(take_front(others));
  }
  return take_closed();
}

// One that came back unused, else one that never was in use, else that which has rested longest.
PortPair PortPool::take_closed() {
  const bool unused = !closed_.empty() && closed_.front().free_at == Time::min();
  if (fresh_.empty() || unused) return take_front(closed_).pair;
  PortPair pair{.port = fresh_.back()};
  fresh_.pop_back();
  return pair;
}

void PortPool::give_back(Time now, PortPair pair, bool used) {
  if (!used) {
    pair.sockets = {};
    closed_.push_front({std::move(pair), Time::min()});
    return;
  }
  late_until_[pair.port / 2] = now + rest_ / 2;
  AtRest at_rest{std::move(pair), now + rest_};
  if (!at_rest.pair.is_open() || open() >= open_max) return rest_closed(std::move(at_rest));
  open_[at_rest.pair.v6 ? 1 : 0].push_back(std::move(at_rest));
}

void PortPool::heard_at_rest(Time now, std::uint16_t port) {
  if (now < late_until_[port / 2]) return;
  for (Queue& queue : open_) {
    const auto found = std::find_if(queue.begin(), queue.end(),
                                    [port](const AtRest& at_rest) { return at_rest.pair.port == port; });
    if (found == queue.end()) continue;
    rest_closed({std::move(found->pair), now + rest_});
    queue.erase(found);
    return;
  }
}

std::size_t PortPool::oldest_open() const {
  if (open_[1].empty()) return 0;
  return open_[0].empty() || open_[1].front().free_at < open_[0].front().free_at ? 1 : 0;
}

std::optional<Time> PortPool::next_deadline() const {
  const Queue& oldest = open_[oldest_open()];
  if (oldest.empty()) return std::nullopt;
  return oldest.front().free_at + kept_open;
}

void PortPool::close_unneeded(Time now) {
  for (auto due = next_deadline(); due && *due <= now; due = next_deadline()) {
    rest_closed(take_front(open_[oldest_open()]));
  }
}

bool PortPool::close_one() {
  if (open() == 0) return false;
  Queue& queue = open_[0].empty() ? open_[1] : open_[0];
  rest_closed(std::move(queue.back()));
  queue.pop_back();
  return true;
}

PortPool::AtRest PortPool::take_front(Queue& queue) {
  AtRest at_rest = std::move(queue.front());
  queue.pop_front();
  return at_rest;
}

// What it still has to rest it rests closed, among those that have as long.
void PortPool::rest_closed(AtRest at_rest) {
  at_rest.pair.sockets = {};
  const auto place =
      std::upper_bound(closed_.begin(), closed_.end(), at_rest.free_at,
                       [](Time free_at, const AtRest& other) { return free_at < other.free_at; });
  closed_.insert(place, std::move(at_rest));
}

std::string PortPool::shortage() const {
  const std::string range = std::to_string(port_min_) + "-" + std::to_string(port_max_);
  if (size_ == 0) return "the RTP port range " + range + " has no even port with its odd neighbour";
  const std::size_t at_rest = fresh_.size() + closed_.size() + open();
  return "no RTP port pair is free in " + range + ": " + std::to_string(size_ - at_rest) + " in use, " +
         std::to_string(at_rest) + " at rest after use";
}

}  // namespace baton::media
