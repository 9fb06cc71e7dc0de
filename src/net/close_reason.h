// Why a connection ended: for the log, the counters, and how it is closed.
#pragma once

#include <cstdint>

#include "net/probe.h"

namespace baton::net {

enum class CloseReason : std::uint8_t {
  by_peer,
  lost,  // reset, or another error of the kernel's or of TLS
  connect_failed,
  handshake_failed,  // of TLS: no common version or cipher, or a certificate that is refused
  handshake_slow,
  unframed,  // bytes that are no SIP message, or one beyond the limits
  overflow,  // more waits to be read by the peer than may
  slow_sender,
  slow_reader,
  silent,
  idle,
  shut_down,
};
[[nodiscard]] const char* to_string(CloseReason reason);
void count(Probe& probe, CloseReason reason);
// Whether the end is no misbehaviour: such a connection is closed as its protocol wants, others are cut.
[[nodiscard]] bool is_orderly(CloseReason reason);

}  // namespace baton::net
