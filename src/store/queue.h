// The way from the shards to the writer's thread: bounded for trace messages, unbounded for CDRs and transfer
// records. put() and wake() belong to any thread, the rest to the writer's.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>

#include "base/time.h"
#include "store/inbox.h"
#include "store/port.h"

namespace baton::store {

class Queue {
 public:
  struct Limits {
    std::size_t count_max = 0;  // records waiting, of all kinds, beyond which trace messages are dropped
    std::size_t bytes_max = 0;  // bytes of trace messages waiting
  };

  explicit Queue(Limits limits);
  ~Queue();
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;

  // Never blocks and takes no lock. Drops and counts a trace message when the queue is full.
  void put(Record&& record);
  void wake();

  // Sleeps until put() or wake() was called since the last take(), at most so long.
  void wait(Duration at_most);
  void wait();
  void clear_wake();
  void take(std::deque<Record>& out) { inbox_.take(out); }
  // A record that was taken needs no more work.
  void forget(const Record& record);
  void forget_dropped(const Record& record);

  [[nodiscard]] std::size_t count() const { return count_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::size_t kept_count() const { return kept_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t accepted() const { return accepted_.load(std::memory_order_acquire); }
  [[nodiscard]] std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }
  [[nodiscard]] bool half_empty() const;

 private:
  const Limits limits_;
  const int fd_;  // an eventfd: readable when the writer should look
  Inbox inbox_;
  std::atomic<std::size_t> count_{0};
  std::atomic<std::size_t> kept_{0};   // CDRs and transfer records
  std::atomic<std::size_t> bytes_{0};  // of trace messages
  std::atomic<std::uint64_t> accepted_{0};
  std::atomic<std::uint64_t> dropped_{0};
};

[[nodiscard]] bool is_trace(const Record& record);

}  // namespace baton::store
