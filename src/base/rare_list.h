// A list that is empty in nearly every one of the many objects that have one: until there is something in it,
// and again after, it takes no more than a pointer.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "base/assert.h"

namespace baton {

template <typename T>
class RareList {
 public:
  using iterator = T*;
  using const_iterator = const T*;

  [[nodiscard]] bool empty() const { return items_ == nullptr; }
  [[nodiscard]] std::size_t size() const { return items_ ? items_->size() : 0; }
  [[nodiscard]] T* begin() { return items_ ? items_->data() : nullptr; }
  [[nodiscard]] T* end() { return begin() + size(); }
  [[nodiscard]] const T* begin() const { return items_ ? items_->data() : nullptr; }
  [[nodiscard]] const T* end() const { return begin() + size(); }
  // There must be one.
  [[nodiscard]] T& front() {
    BATON_ASSERT(items_);
    return items_->front();
  }
  [[nodiscard]] T& back() {
    BATON_ASSERT(items_);
    return items_->back();
  }

  void push_back(T item) {
    if (!items_) items_ = std::make_unique<std::vector<T>>();
    items_->push_back(std::move(item));
  }
  template <typename Iterator>
  void assign(Iterator first, Iterator last) {
    items_ = first == last ? nullptr : std::make_unique<std::vector<T>>(first, last);
  }
  void erase(const T* item) {
    items_->erase(items_->begin() + (item - items_->data()));
    let_go();
  }
  template <typename Predicate>
  void erase_if(Predicate&& leaves) {
    if (!items_) return;
    std::erase_if(*items_, leaves);
    let_go();
  }
  void clear() { items_.reset(); }

 private:
  void let_go() {
    if (items_->empty()) items_.reset();
  }

  std::unique_ptr<std::vector<T>> items_;  // with something in it
};

}  // namespace baton
