// Who may send to an endpoint. The address in the party's SDP decides; a party behind a NAT, whose SDP names
// an address that can not be reached from outside, is latched onto once.
#pragma once

#include <cstdint>
#include <optional>

#include "base/address.h"

namespace baton::media {

class Gate {
 public:
  enum class Verdict : std::uint8_t { refused, known, latched };

  // What the party's SDP says. The same address again changes nothing; an unspecified one (hold the RFC 2543
  // way) keeps what was known before. `latch_from`: the only address a latch may be taken from; nothing: any.
  // True when the party is now expected elsewhere than before.
  [[nodiscard]] bool expect(const SocketAddress& advertised, const std::optional<IpAddress>& latch_from);

  // What judge() would say, without doing anything: whether it is worth the while to look into a packet.
  [[nodiscard]] bool admits(const SocketAddress& from, bool may_latch) const;

  // `may_latch`: the packet is one the party could have sent.
  [[nodiscard]] Verdict judge(const SocketAddress& from, bool may_latch);

  // Where to send; nothing while that is not known.
  [[nodiscard]] std::optional<SocketAddress> target() const;
  [[nodiscard]] const std::optional<SocketAddress>& latched() const { return latched_; }

 private:
  [[nodiscard]] bool open_to_latch(const IpAddress& from) const;

  std::optional<SocketAddress> advertised_;
  std::optional<IpAddress> latch_from_;
  std::optional<SocketAddress> latched_;
  bool confirmed_ = false;  // a packet has come from the advertised address itself
};

}  // namespace baton::media
