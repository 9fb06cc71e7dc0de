// Whether this engine is too late to take on more: it goes by how long messages waited before they were
// handled. New calls are turned away before the ones that are up suffer. A short burst is no overload, and
// one quiet message is no end of it. A value of one engine; time is an argument.
#pragma once

#include <optional>

#include "base/time.h"

namespace baton::engine {

class Overload {
 public:
  // `limit`: what messages may wait; 0: never overloaded.
  explicit Overload(Duration limit) : limit_(limit) {}

  // A message that waited so long is about to be handled. Returns whether new calls are to be refused.
  bool heard(Time now, Duration waited);
  [[nodiscard]] bool refuses() const { return refuses_; }

  static constexpr Duration begins_after = 100ms;  // of nothing but late messages
  static constexpr Duration ends_after = 1s;  // of nothing but messages that waited half the limit at most

 private:
  Duration limit_;
  bool refuses_ = false;
  std::optional<Time> since_;  // of the messages that speak for a change
  Time last_{};
};

}  // namespace baton::engine
