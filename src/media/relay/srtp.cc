#include "media/relay/srtp.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace baton::media {
namespace {

// A party that was told of a new key may take as long as its 2xx or ACK is repeated to use it.
constexpr Duration old_key_life = 4s;
constexpr std::size_t senders_max = 8;
constexpr std::size_t copied_bytes_max = 2'048;

}  // namespace

SrtpEndpoint::SrtpEndpoint(const Srtp& agreed, std::uint32_t ssrc)
    : agreed_(agreed), in_(SrtpContext::receiver(agreed.suite, agreed.theirs)) {
  send_with(agreed, ssrc);
}

void SrtpEndpoint::send_with(const Srtp& agreed, std::uint32_t ssrc) {
  const auto known = std::find_if(senders_.begin(), senders_.end(),
                                  [&](const Sender& sender) { return sender.key == agreed.ours; });
  if (known != senders_.end()) {
    std::rotate(known, known + 1, senders_.end());
    return;
  }
  if (senders_.size() == senders_max) senders_.erase(senders_.begin());
  senders_.push_back({agreed.ours, SrtpContext::sender(agreed.suite, agreed.ours, ssrc)});
}

void SrtpEndpoint::agree(Time now, const Srtp& agreed, std::uint32_t ssrc) {
  if (agreed.ours != agreed_.ours) send_with(agreed, ssrc);
  if (agreed.suite != agreed_.suite || agreed.theirs != agreed_.theirs) {
    // Back to the key before: it goes on where it was, or what was recorded under it could be played again.
    const bool back =
        before_ && agreed.suite == before_agreed_.suite && agreed.theirs == before_agreed_.theirs;
    SrtpContext next = back ? std::move(*before_) : SrtpContext::receiver(agreed.suite, agreed.theirs);
    before_ = std::exchange(in_, std::move(next));
    before_agreed_ = agreed_;
    before_until_ = now + old_key_life;
  }
  agreed_ = agreed;
}

SrtpContext::Verdict SrtpEndpoint::unprotect(Time now, std::span<std::uint8_t>& bytes, bool rtcp) {
  std::size_t size = bytes.size();
  if (before_ && now > before_until_) before_.reset();
  // What fails under one key may be ruined for the other.
  std::array<std::uint8_t, copied_bytes_max> copy;
  if (before_ && size <= copy.size()) std::memcpy(copy.data(), bytes.data(), size);
  SrtpContext::Verdict verdict = in_.unprotect(bytes.data(), size, rtcp);
  if (verdict == SrtpContext::Verdict::forged && before_ && bytes.size() <= copy.size()) {
    size = bytes.size();
    std::memcpy(bytes.data(), copy.data(), size);
    verdict = before_->unprotect(bytes.data(), size, rtcp);
  }
  if (verdict == SrtpContext::Verdict::good) bytes = bytes.first(size);
  return verdict;
}

}  // namespace baton::media
