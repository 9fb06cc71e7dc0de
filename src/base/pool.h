// Pool<T>: things that are needed over and over, given out as counted references. What the last reference
// lets go of is kept with the room it has, up to a bound, and given out again: after warm-up nothing is
// allocated. Not thread-safe: a pool and what it has given out belong to one thread, and it outlives them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "base/assert.h"

namespace baton {

// T::recycle() empties it, keeping room for the next use. False: it has too much to be kept.
template <typename T>
class Pool {
  struct Node {
    T value;
    std::uint32_t users = 1;
    Pool* home = nullptr;
  };

 public:
  class Ref {
   public:
    Ref() = default;
    Ref(const Ref& other) : node_(other.node_) {
      if (node_ != nullptr) ++node_->users;
    }
    Ref(Ref&& other) noexcept : node_(std::exchange(other.node_, nullptr)) {}
    Ref& operator=(Ref other) noexcept {
      std::swap(node_, other.node_);
      return *this;
    }
    ~Ref() {
      if (node_ != nullptr && --node_->users == 0) let_go();
    }

    [[nodiscard]] explicit operator bool() const { return node_ != nullptr; }
    T& operator*() const { return node_->value; }
    T* operator->() const { return &node_->value; }

    // Another one from where this came from.
    [[nodiscard]] Ref sibling() const { return node_->home != nullptr ? node_->home->take() : make(); }

   private:
    friend class Pool;
    explicit Ref(Node* node) : node_(node) {}
    void let_go() {
      if (node_->home != nullptr) {
        node_->home->keep(node_);
      } else {
        delete node_;
      }
    }

    Node* node_ = nullptr;
  };

  explicit Pool(std::size_t kept_max) : kept_max_(kept_max) {
    kept_.reserve(kept_max);  // what is let go of must not need memory for that
  }
  ~Pool() { BATON_ASSERT(out_ == 0); }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  [[nodiscard]] Ref take() {
    if (kept_.empty()) {
      auto made = std::make_unique<Node>();
      made->home = this;
      ++out_;
      return Ref(made.release());
    }
    ++out_;
    Node* const node = kept_.back().release();
    kept_.pop_back();
    node->users = 1;
    return Ref(node);
  }
  // One of no pool.
  [[nodiscard]] static Ref make() { return Ref(std::make_unique<Node>().release()); }

  [[nodiscard]] std::size_t kept() const { return kept_.size(); }

 private:
  void keep(Node* node) {
    --out_;
    std::unique_ptr<Node> owned(node);
    if (!node->value.recycle() || kept_.size() >= kept_max_) return;
    kept_.push_back(std::move(owned));
  }

  std::vector<std::unique_ptr<Node>> kept_;
  std::size_t kept_max_;
  std::size_t out_ = 0;
};

}  // namespace baton
