// Transactions by their keys. The key itself stays with its transaction; here are its hash and the handle, in
// one flat array, so that a look-up touches little memory. No iteration: its order would depend on the hash.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "txn/layer.h"

namespace baton::txn {

class KeyTable {
 public:
  // The one with that hash whose key `is_key` recognises; nothing when there is none.
  template <typename F>
  [[nodiscard]] TxnId find(std::uint64_t hash, F&& is_key) const {
    if (entries_.empty()) return {};
    for (std::size_t at = home(hash); entries_[at].id; at = after(at)) {
      if (entries_[at].hash == hash && is_key(entries_[at].id)) return entries_[at].id;
    }
    return {};
  }
  // It must not be there yet.
  void insert(std::uint64_t hash, TxnId id);
  // False: it was not there.
  bool erase(std::uint64_t hash, TxnId id);

 private:
  struct Entry {
    std::uint64_t hash = 0;
    TxnId id;  // none: a free place
  };

  [[nodiscard]] std::size_t home(std::uint64_t hash) const { return hash & (entries_.size() - 1); }
  [[nodiscard]] std::size_t after(std::size_t at) const { return (at + 1) & (entries_.size() - 1); }
  void resize(std::size_t places);

  std::vector<Entry> entries_;  // a power of two, or none
  std::size_t used_ = 0;
};

}  // namespace baton::txn
