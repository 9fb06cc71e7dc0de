#include "net/sent_recently.h"

#include <algorithm>

namespace baton::net {

void SentRecently::note(const SocketAddress& remote, std::string_view bytes) {
  Entry& entry = ring_[next_];
  next_ = (next_ + 1) % entries;
  const std::string_view kept = bytes.substr(0, prefix_bytes);
  entry.remote = remote;
  entry.length = static_cast<std::uint16_t>(kept.size());
  std::copy(kept.begin(), kept.end(), entry.bytes.begin());
}

bool SentRecently::has(const SocketAddress& remote, std::string_view cited) const {
  return std::any_of(ring_.begin(), ring_.end(), [&](const Entry& entry) {
    const std::string_view sent(entry.bytes.data(), entry.length);
    return entry.length > 0 && entry.remote == remote && cited.substr(0, entry.length) == sent;
  });
}

}  // namespace baton::net
