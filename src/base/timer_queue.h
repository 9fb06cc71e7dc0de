// Deadlines in the order they fall due. An owner keeps its own array of deadlines, one per timer kind; the
// queue only says "look at this owner now". An entry whose owner has moved its deadline on is stale and
// the owner ignores it, so cancelling is an assignment and can not be forgotten.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "base/time.h"

namespace baton {

class TimerQueue {
 public:
  struct Entry {
    Time at;
    std::uint64_t sequence = 0;  // ties fall due in the order they were armed
    std::uint64_t owner = 0;     // a packed handle
    std::uint8_t kind = 0;

    // Never 0, and no other entry's for the next 2^32.
    [[nodiscard]] std::uint32_t name() const { return name_of(sequence); }
  };

  // Names the entry, for owners that keep this rather than the deadline.
  std::uint32_t arm(Time at, std::uint64_t owner, std::uint8_t kind) {
    heap_.push_back({at, ++sequence_, owner, kind});
    std::push_heap(heap_.begin(), heap_.end(), Later{});
    return name_of(sequence_);
  }

  [[nodiscard]] std::optional<Time> next_deadline() const {
    if (heap_.empty()) return std::nullopt;
    return heap_.front().at;
  }

  // The entry that falls due first, stale or not; null when there is none.
  [[nodiscard]] const Entry* top() const { return heap_.empty() ? nullptr : &heap_.front(); }

  // The next entry due at `now`, or nothing. Stale entries come out too: check against the owner's deadline.
  [[nodiscard]] std::optional<Entry> pop_due(Time now) {
    if (heap_.empty() || heap_.front().at > now) return std::nullopt;
    std::pop_heap(heap_.begin(), heap_.end(), Later{});
    const Entry entry = heap_.back();
    heap_.pop_back();
    shed();
    return entry;
  }

  // Drops every entry that `is_live` denies. The order of the others stays as it was. An owner that arms
  // many long timers and ends early calls it when most entries are stale.
  template <typename F>
  void sweep(F&& is_live) {
    std::erase_if(heap_, [&](const Entry& entry) { return !is_live(entry); });
    std::make_heap(heap_.begin(), heap_.end(), Later{});
    shed();
  }

  [[nodiscard]] std::size_t size() const { return heap_.size(); }

 private:
  [[nodiscard]] static std::uint32_t name_of(std::uint64_t sequence) {
    return static_cast<std::uint32_t>(sequence % std::numeric_limits<std::uint32_t>::max()) + 1;
  }

  // After a busy hour its memory is not kept for the next one.
  void shed() {
    constexpr std::size_t kept_always = 4'096;
    if (heap_.capacity() <= kept_always || heap_.size() >= heap_.capacity() / 8) return;
    std::vector<Entry> smaller;
    smaller.reserve(std::max(kept_always, heap_.capacity() / 4));
    smaller.assign(heap_.begin(), heap_.end());
    heap_ = std::move(smaller);
  }

  struct Later {
    bool operator()(const Entry& a, const Entry& b) const {
      return a.at != b.at ? a.at > b.at : a.sequence > b.sequence;
    }
  };
  std::vector<Entry> heap_;
  std::uint64_t sequence_ = 0;
};

}  // namespace baton
