#include "call/blocklist.h"

#include <algorithm>

namespace baton::call {

Blocklist::Entry& Blocklist::entry_of(Time now, const Target& target) {
  const auto found = entries_.find(target);
  if (found != entries_.end()) return found->second;
  if (entries_.size() >= size_max_) {
    std::erase_if(entries_, [now](const auto& one) {
      return one.second.until <= now && one.second.failed_at + memory <= now;
    });
  }
  while (!entries_.empty() && entries_.size() >= size_max_) {
    entries_.erase(std::min_element(entries_.begin(), entries_.end(), [](const auto& a, const auto& b) {
      return a.second.until < b.second.until;
    }));
  }
  return entries_[target];
}

Duration Blocklist::unreachable(Time now, const Target& target) {
  Entry& entry = entry_of(now, target);
  const bool in_a_row = entry.last > Duration{0} && now < entry.failed_at + memory;
  // Attempts that were under way together fail together: that is one failure.
  if (in_a_row && now < entry.until) return entry.until - now;
  entry.last = in_a_row ? std::min<Duration>(entry.last * 2, longest) : Duration{first};
  entry.failed_at = now;
  entry.until = std::max(entry.until, now + entry.last);
  return entry.until - now;
}

Duration Blocklist::asked_to_wait(Time now, const Target& target, Duration wait) {
  Entry& entry = entry_of(now, target);
  const Duration granted = std::clamp<Duration>(wait, Duration{0}, longest);
  entry.until = std::max(entry.until, now + granted);
  return granted;
}

bool Blocklist::answered(const Target& target) {
  return entries_.erase(target) != 0;
}

bool Blocklist::blocks(Time now, const Target& target) const {
  const auto found = entries_.find(target);
  return found != entries_.end() && now < found->second.until;
}

}  // namespace baton::call
