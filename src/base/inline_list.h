// A list with a bound that lies where its owner does: of small values that are copied with every description
// or setting they belong to, such as codecs. It allocates nothing.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <limits>
#include <type_traits>

#include "base/assert.h"

namespace baton {

template <typename T, std::size_t bound>
class InlineList {
  static_assert(std::is_trivially_copyable_v<T>);
  static_assert(bound <= std::numeric_limits<std::uint8_t>::max());

 public:
  using value_type = T;
  using iterator = T*;
  using const_iterator = const T*;

  InlineList() = default;
  InlineList(std::initializer_list<T> items) : InlineList(items.begin(), items.end()) {}
  template <std::forward_iterator Iterator>
  InlineList(Iterator first, Iterator last) {
    for (; first != last; ++first) push_back(*first);
  }

  // For whoever knows that there is room: that it is, is asserted.
  void push_back(const T& item) {
    BATON_ASSERT(size_ < bound);
    items_[size_++] = item;
  }
  // Unless it is there already. A list with room for every value of its type never runs out of it.
  void add(const T& item) {
    if (!contains(item)) push_back(item);
  }
  void truncate(std::size_t size) {
    if (size < size_) size_ = static_cast<std::uint8_t>(size);
  }
  template <typename Predicate>
  void erase_if(Predicate&& leaves) {
    truncate(static_cast<std::size_t>(std::remove_if(begin(), end(), leaves) - begin()));
  }
  void clear() { size_ = 0; }

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] bool full() const { return size_ == bound; }
  [[nodiscard]] bool contains(const T& item) const { return std::find(begin(), end(), item) != end(); }
  [[nodiscard]] const T& operator[](std::size_t at) const {
    BATON_ASSERT(at < size_);
    return items_[at];
  }
  [[nodiscard]] const T& front() const { return (*this)[0]; }
  [[nodiscard]] T& back() {
    BATON_ASSERT(size_ > 0);
    return items_[size_ - 1U];
  }
  [[nodiscard]] T* begin() { return items_.data(); }
  [[nodiscard]] T* end() { return items_.data() + size_; }
  [[nodiscard]] const T* begin() const { return items_.data(); }
  [[nodiscard]] const T* end() const { return items_.data() + size_; }

  friend bool operator==(const InlineList& a, const InlineList& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  }

 private:
  std::array<T, bound> items_{};
  std::uint8_t size_ = 0;
};

}  // namespace baton
