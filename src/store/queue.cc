#include "store/queue.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <utility>
#include <variant>

#include "base/assert.h"

namespace baton::store {
namespace {

std::size_t trace_bytes(const Record& record) {
  const auto* message = std::get_if<call::TraceMessage>(&record);
  return message == nullptr ? 0 : message->bytes.size();
}

}  // namespace

bool is_trace(const Record& record) {
  return std::holds_alternative<call::TraceMessage>(record);
}

Queue::Queue(Limits limits) : limits_(limits), fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  BATON_ASSERT(fd_ >= 0);
}

Queue::~Queue() {
  ::close(fd_);
}

void Queue::put(Record&& record) {
  const std::size_t bytes = trace_bytes(record);
  if (is_trace(record)) {
    const bool full =
        count() >= limits_.count_max || bytes_.load(std::memory_order_relaxed) + bytes > limits_.bytes_max;
    if (full) {
      dropped_.fetch_add(1, std::memory_order_relaxed);
      return;
    }
  } else {
    kept_.fetch_add(1, std::memory_order_relaxed);
  }
  count_.fetch_add(1, std::memory_order_relaxed);
  bytes_.fetch_add(bytes, std::memory_order_relaxed);
  accepted_.fetch_add(1, std::memory_order_release);
  if (inbox_.put(std::move(record))) wake();
}

void Queue::wake() {
  const std::uint64_t one = 1;
  // It can only fail when the counter is full, and then the writer has been told already.
  [[maybe_unused]] const ssize_t n = ::write(fd_, &one, sizeof one);
}

void Queue::wait(Duration at_most) {
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(at_most).count();
  pollfd entry{fd_, POLLIN, 0};
  ::poll(&entry, 1, static_cast<int>(std::clamp<std::int64_t>(ms, 0, 60'000)));
}

void Queue::wait() {
  pollfd entry{fd_, POLLIN, 0};
  ::poll(&entry, 1, -1);
}

void Queue::clear_wake() {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t n = ::read(fd_, &count, sizeof count);
}

void Queue::forget(const Record& record) {
  count_.fetch_sub(1, std::memory_order_relaxed);
  bytes_.fetch_sub(trace_bytes(record), std::memory_order_relaxed);
  if (!is_trace(record)) kept_.fetch_sub(1, std::memory_order_relaxed);
}

void Queue::forget_dropped(const Record& record) {
  forget(record);
  dropped_.fetch_add(1, std::memory_order_relaxed);
}

bool Queue::half_empty() const {
  return count() <= limits_.count_max / 2 && bytes_.load(std::memory_order_relaxed) <= limits_.bytes_max / 2;
}

}  // namespace baton::store
