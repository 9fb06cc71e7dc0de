#include "media/relay/srtp.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace baton::media {
namespace {

// A party that was told of a new key may take as long as its 2xx or ACK is repeated to use it.
constexpr Duration old_key_life = 4s;
constexpr std::size_t copied_bytes_max = 2'048;

// The key that is to be used, at the end. False: it was not among them.
template <typename Keyed>
bool bring_back(std::vector<Keyed>& all, sdp::Suite suite, const sdp::MasterKey& key) {
  const auto known = std::find_if(all.begin(), all.end(),
                                  [&](const Keyed& one) { return one.suite == suite && one.key == key; });
  if (known == all.end()) return false;
  std::rotate(known, known + 1, all.end());
  return true;
}

std::uint64_t first_octets(const sdp::MasterKey& key) {
  std::uint64_t octets = 0;
  std::memcpy(&octets, key.bytes.data(), sizeof octets);
  return octets;
}

}  // namespace

SrtpEndpoint::SrtpEndpoint(const Srtp& agreed, std::uint32_t ssrc) : agreed_(agreed) {
  send_with(agreed, ssrc);
  receive_with(agreed);
}

// A context is made for a key once and never again: the second one would number its packets as the first did,
// and two packets under one number give away what is in both (RFC 3711 9.1). So a key whose context had to go
// is of no more use.
void SrtpEndpoint::send_with(const Srtp& agreed, std::uint32_t ssrc) {
  may_send_ = true;
  if (bring_back(senders_, agreed.suite, agreed.ours)) return;
  const std::uint64_t octets = first_octets(agreed.ours);
  const bool used = std::any_of(senders_.begin(), senders_.end(),
                                [&](const Keyed& one) { return one.key == agreed.ours; }) ||
                    std::find(spent_.begin(), spent_.end(), octets) != spent_.end();
  if (used || senders_.size() + spent_.size() == srtp_keys_max) {
    may_send_ = false;
    return;
  }
  if (senders_.size() == srtp_keys_kept) {
    spent_.push_back(first_octets(senders_.front().key));
    senders_.erase(senders_.begin());
  }
  senders_.push_back({agreed.suite, agreed.ours, SrtpContext::sender(agreed.suite, agreed.ours, ssrc)});
}

void SrtpEndpoint::receive_with(const Srtp& agreed) {
  if (bring_back(receivers_, agreed.suite, agreed.theirs)) return;
  if (receivers_.size() == srtp_keys_kept) receivers_.erase(receivers_.begin());
  receivers_.push_back({agreed.suite, agreed.theirs, SrtpContext::receiver(agreed.suite, agreed.theirs)});
}

void SrtpEndpoint::agree(Time now, const Srtp& agreed, std::uint32_t ssrc) {
  if (agreed.suite != agreed_.suite || agreed.ours != agreed_.ours) send_with(agreed, ssrc);
  if (agreed.suite != agreed_.suite || agreed.theirs != agreed_.theirs) {
    receive_with(agreed);
    before_until_ = now + old_key_life;
  }
  agreed_ = agreed;
}

SrtpContext::Verdict SrtpEndpoint::unprotect(Time now, std::span<std::uint8_t>& bytes, bool rtcp) {
  std::size_t size = bytes.size();
  SrtpContext& current = receivers_.back().context;
  SrtpContext* const before =
      receivers_.size() > 1 && now <= before_until_ ? &receivers_.rbegin()[1].context : nullptr;
  // What fails under one key may be ruined for the other.
  std::array<std::uint8_t, copied_bytes_max> copy;
  if (before != nullptr && size <= copy.size()) std::memcpy(copy.data(), bytes.data(), size);
  SrtpContext::Verdict verdict = current.unprotect(bytes.data(), size, rtcp);
  if (verdict == SrtpContext::Verdict::forged && before != nullptr && bytes.size() <= copy.size()) {
    size = bytes.size();
    std::memcpy(bytes.data(), copy.data(), size);
    verdict = before->unprotect(bytes.data(), size, rtcp);
  }
  if (verdict == SrtpContext::Verdict::good) bytes = bytes.first(size);
  return verdict;
}

}  // namespace baton::media
