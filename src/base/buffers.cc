#include "base/buffers.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/limits.h"
#include "base/poison.h"

namespace baton {

Buffers::Buffers() {
  // What is given back must not need memory for that.
  for (auto& list : kept_) list.reserve(limits::kept_buffers_max);
}

Buffers::~Buffers() {
  for (auto& list : kept_) {
    for (std::string& buffer : list) unpoison(buffer.data(), buffer.capacity());
  }
}

std::string Buffers::take(std::size_t room) {
  const auto size = std::lower_bound(sizes.begin(), sizes.end(), room);
  std::string buffer;
  if (size == sizes.end()) {
    buffer.reserve(room);
    return buffer;
  }
  auto& list = kept_[static_cast<std::size_t>(size - sizes.begin())];
  if (list.empty()) {
    buffer.reserve(*size);
    return buffer;
  }
  unpoison(list.back().data(), list.back().capacity());
  buffer = std::move(list.back());
  list.pop_back();
  return buffer;
}

void Buffers::give(std::string buffer) {
  // One between two sizes serves the smaller; one far beyond the largest is given back to the heap.
  const auto above = std::upper_bound(sizes.begin(), sizes.end(), buffer.capacity());
  if (above == sizes.begin() || buffer.capacity() > 2 * sizes.back()) return;
  auto& list = kept_[static_cast<std::size_t>(above - sizes.begin()) - 1];
  if (list.size() >= limits::kept_buffers_max) return;
  buffer.clear();
  list.push_back(std::move(buffer));
  poison(list.back().data(), list.back().capacity());
}

std::size_t Buffers::kept() const {
  return std::accumulate(kept_.begin(), kept_.end(), std::size_t{0},
                         [](std::size_t sum, const auto& list) { return sum + list.size(); });
}

}  // namespace baton
