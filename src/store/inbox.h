// What the shards put in and the writer takes out: many producers, one consumer, no lock. A producer is never
// made to wait, not even by a writer thread that was preempted in the middle of taking.
#pragma once

#include <atomic>
#include <deque>
#include <utility>

#include "store/port.h"

namespace baton::store {

class Inbox {
 public:
  Inbox() = default;
  Inbox(const Inbox&) = delete;
  Inbox& operator=(const Inbox&) = delete;
  ~Inbox() {
    std::deque<Record> rest;
    take(rest);
  }

  // True when the inbox was empty: the consumer may be asleep.
  bool put(Record&& record) {
    Node* older = newest_.load(std::memory_order_relaxed);
    Node* node = new Node{std::move(record), older};
    while (!newest_.compare_exchange_weak(older, node, std::memory_order_acq_rel)) node->older = older;
    return older == nullptr;  // the node itself may be gone by now
  }

  // Appends everything, oldest first. The whole list is taken at once, so that a node can not come back under
  // a producer's hands (no ABA).
  void take(std::deque<Record>& out) {
    Node* node = newest_.exchange(nullptr, std::memory_order_acq_rel);
    Node* oldest_first = nullptr;
    while (node != nullptr) {
      Node* older = node->older;
      node->older = oldest_first;
      oldest_first = node;
      node = older;
    }
    while (oldest_first != nullptr) {
      out.push_back(std::move(oldest_first->record));
      delete std::exchange(oldest_first, oldest_first->older);
    }
  }

 private:
  struct Node {
    Record record;
    Node* older = nullptr;
  };
  std::atomic<Node*> newest_{nullptr};
};

}  // namespace baton::store
