// Slab<T>: objects addressed by handles that know when they are stale. A handle that outlives its object
// finds nothing, so a late timer or message can never reach the wrong call. Iteration is in slot order:
// the same inputs give the same order, whatever the addresses were. Of what is erased some objects may be
// kept for the next ones: those are assigned to, not made.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/assert.h"

namespace baton {

template <typename T>
struct Handle {
  std::uint32_t index = 0;
  std::uint32_t generation = 0;  // 0: no object

  [[nodiscard]] explicit operator bool() const { return generation != 0; }
  auto operator<=>(const Handle&) const = default;

  // One integer for places that carry a handle without knowing T (timers, transactions). 0: none.
  [[nodiscard]] std::uint64_t pack() const { return (std::uint64_t{generation} << 32) | index; }
  [[nodiscard]] static Handle unpack(std::uint64_t value) {
    return {static_cast<std::uint32_t>(value), static_cast<std::uint32_t>(value >> 32)};
  }
};

template <typename T>
class Slab {
 public:
  // `kept_max`: so many erased objects wait to be used again, as T{}.
  explicit Slab(std::size_t kept_max = 0) : kept_max_(kept_max) {
    kept_.reserve(kept_max);  // what is erased must not need memory for that
  }

  template <typename... Args>
  Handle<T> emplace(Args&&... args) {
    std::uint32_t index = 0;
    if (free_.empty()) {
      index = static_cast<std::uint32_t>(slots_.size());
      slots_.emplace_back();
    } else {
      index = free_.back();
      free_.pop_back();
    }
    Slot& slot = slots_[index];
    // Even generations mark a free slot, odd ones a live one; 0 never marks a live one.
    ++slot.generation;
    if (kept_.empty()) {
      slot.value = std::make_unique<T>(std::forward<Args>(args)...);
    } else {
      slot.value = std::move(kept_.back());
      kept_.pop_back();
      if constexpr (sizeof...(Args) != 0) *slot.value = T(std::forward<Args>(args)...);
    }
    ++size_;
    return {index, slot.generation};
  }

  // Null when the handle is stale. The pointer is good until erase() of that handle.
  [[nodiscard]] T* find(Handle<T> handle) {
    if (!handle || handle.index >= slots_.size()) return nullptr;
    Slot& slot = slots_[handle.index];
    return slot.generation == handle.generation ? slot.value.get() : nullptr;
  }
  [[nodiscard]] const T* find(Handle<T> handle) const { return const_cast<Slab*>(this)->find(handle); }

  T& at(Handle<T> handle) {
    T* value = find(handle);
    BATON_ASSERT(value != nullptr);
    return *value;
  }

  void erase(Handle<T> handle) {
    if (find(handle) == nullptr) return;
    Slot& slot = slots_[handle.index];
    if (kept_.size() < kept_max_) {
      if constexpr (std::is_default_constructible_v<T> && std::is_move_assignable_v<T>) {
        *slot.value = T{};
        kept_.push_back(std::move(slot.value));
      }
    }
    slot.value.reset();
    ++slot.generation;
    free_.push_back(handle.index);
    --size_;
  }

  [[nodiscard]] std::size_t size() const { return size_; }

  template <typename F>
  void for_each(F&& visit) {
    for (std::uint32_t i = 0; i < slots_.size(); ++i) {
      if (slots_[i].value) visit(Handle<T>{i, slots_[i].generation}, *slots_[i].value);
    }
  }

 private:
  struct Slot {
    std::uint32_t generation = 0;
    std::unique_ptr<T> value;
  };
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
  std::vector<std::unique_ptr<T>> kept_;
  std::size_t kept_max_;
  std::size_t size_ = 0;
};

}  // namespace baton
