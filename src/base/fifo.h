// A queue that keeps its memory: what goes through it after it has once been this long allocates nothing.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "base/assert.h"

namespace baton {

template <typename T>
class Fifo {
 public:
  void push(T value) { items_.push_back(std::move(value)); }
  [[nodiscard]] bool empty() const { return next_ == items_.size(); }
  [[nodiscard]] std::size_t size() const { return items_.size() - next_; }

  // The oldest; there must be one.
  [[nodiscard]] T take() {
    BATON_ASSERT(!empty());
    T value = std::move(items_[next_++]);
    if (empty()) {
      items_.clear();
      next_ = 0;
    } else if (next_ >= taken_max && next_ * 2 >= items_.size()) {
      // Never empty for long: what was taken must not pile up in front.
      items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(next_));
      next_ = 0;
    }
    return value;
  }

 private:
  static constexpr std::size_t taken_max = 64;
  std::vector<T> items_;
  std::size_t next_ = 0;
};

}  // namespace baton
