#include "media/relay/gate.h"

namespace baton::media {
namespace {

bool usable(const SocketAddress& address) {
  return !address.ip.is_unspecified() && address.port != 0;
}

bool is_loopback(const IpAddress& ip) {
  if (!ip.v6) return ip.bytes[0] == 127;
  static const std::optional<IpAddress> loopback = IpAddress::parse("::1");
  return ip == *loopback;
}

}  // namespace

bool Gate::expect(const SocketAddress& advertised, const std::optional<IpAddress>& latch_from) {
  latch_from_ = latch_from;
  if (advertised_ && (*advertised_ == advertised || !usable(advertised))) return false;
  advertised_ = advertised;
  latched_.reset();
  confirmed_ = false;
  return true;
}

// A public address is taken at its word, and one of this machine has no NAT before it.
bool Gate::open_to_latch(const IpAddress& from) const {
  if (confirmed_ || !advertised_ || advertised_->ip.is_public() || is_loopback(advertised_->ip)) return false;
  return !latch_from_ || *latch_from_ == from;
}

bool Gate::admits(const SocketAddress& from, bool may_latch) const {
  if (!advertised_) return false;
  if (from == *advertised_) return true;
  return latched_ ? from == *latched_ : may_latch && open_to_latch(from.ip);
}

Gate::Verdict Gate::judge(const SocketAddress& from, bool may_latch) {
  if (!advertised_) return Verdict::refused;
  if (from == *advertised_) {
    // The advertised address itself wins over a latch taken before: that one was not the party.
    const bool moves = latched_.has_value();
    latched_.reset();
    confirmed_ = true;
    return moves ? Verdict::latched : Verdict::known;
  }
  if (latched_) return from == *latched_ ? Verdict::known : Verdict::refused;
  if (!may_latch || !open_to_latch(from.ip)) return Verdict::refused;
  latched_ = from;
  return Verdict::latched;
}

std::optional<SocketAddress> Gate::target() const {
  if (latched_) return latched_;
  if (advertised_ && usable(*advertised_)) return advertised_;
  return std::nullopt;
}

}  // namespace baton::media
