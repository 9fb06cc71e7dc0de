// Places that did not serve lately. They are tried after all others for a while, never left out (RFC 3263
// 4.3, RFC 3261 21.5.4). Each failure in a row doubles the while; an answer, or long enough without a
// failure, forgets them. Bounded; a value of one engine, time is an argument.
#pragma once

#include <cstddef>
#include <map>
#include <optional>

#include "base/limits.h"
#include "base/target.h"
#include "base/time.h"

namespace baton::call {

class Blocklist {
 public:
  static constexpr Duration first = 30s;  // after the first time-out or refusal
  static constexpr Duration longest = 5min;
  // A failure this long after the last one is a first one again.
  static constexpr Duration memory = 10min;

  explicit Blocklist(std::size_t size_max = limits::blocked_targets_max) : size_max_(size_max) {}

  // It did not answer, or refused. Returns how long it is blocked from now.
  Duration unreachable(Time now, const Target& target);
  // It asked for a rest: 503 with Retry-After. Returns how long it gets, at most `longest`.
  Duration asked_to_wait(Time now, const Target& target, Duration wait);
  // It answered. True when it had been on the list.
  bool answered(const Target& target);

  [[nodiscard]] bool blocks(Time now, const Target& target) const;
  [[nodiscard]] std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    Time until{};
    Time failed_at{};
    Duration last{};  // what the last failure cost; 0: none but a request to wait
  };
  Entry& entry_of(Time now, const Target& target);

  std::size_t size_max_;
  std::map<Target, Entry> entries_;
};

}  // namespace baton::call
