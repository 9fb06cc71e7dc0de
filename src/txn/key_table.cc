#include "txn/key_table.h"

#include <algorithm>
#include <utility>

namespace baton::txn {
namespace {

constexpr std::size_t places_min = 64;

}  // namespace

void KeyTable::insert(std::uint64_t hash, TxnId id) {
  if (entries_.empty() || used_ * 4 >= entries_.size() * 3) {
    resize(entries_.empty() ? places_min : entries_.size() * 2);
  }
  std::size_t at = home(hash);
  while (entries_[at].id) at = after(at);
  entries_[at] = {hash, id};
  ++used_;
}

bool KeyTable::erase(std::uint64_t hash, TxnId id) {
  if (entries_.empty()) return false;
  std::size_t gap = home(hash);
  while (entries_[gap].id && entries_[gap].id != id) gap = after(gap);
  if (!entries_[gap].id) return false;
  // What stands behind it, and may stand in the gap, moves up: a look-up ends at the first free place.
  for (std::size_t at = after(gap); entries_[at].id; at = after(at)) {
    const std::size_t mask = entries_.size() - 1;
    const std::size_t from_home = (at - home(entries_[at].hash)) & mask;
    if (from_home < ((at - gap) & mask)) continue;
    entries_[gap] = entries_[at];
    gap = at;
  }
  entries_[gap] = {};
  --used_;
  // Many calls that have ended are no reason to keep their places.
  if (entries_.size() > places_min && used_ * 16 < entries_.size())
    resize(std::max(places_min, entries_.size() / 4));
  return true;
}

void KeyTable::resize(std::size_t places) {
  std::vector<Entry> old = std::exchange(entries_, std::vector<Entry>(places));
  used_ = 0;
  for (const Entry& entry : old) {
    if (entry.id) insert(entry.hash, entry.id);
  }
}

}  // namespace baton::txn
