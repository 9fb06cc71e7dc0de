#include "net/close_reason.h"

namespace baton::net {

const char* to_string(CloseReason reason) {
  switch (reason) {
    case CloseReason::by_peer:
      return "by_peer";
    case CloseReason::lost:
      return "lost";
    case CloseReason::connect_failed:
      return "connect_failed";
    case CloseReason::handshake_failed:
      return "handshake_failed";
    case CloseReason::handshake_slow:
      return "handshake_slow";
    case CloseReason::unframed:
      return "unframed";
    case CloseReason::overflow:
      return "overflow";
    case CloseReason::slow_sender:
      return "slow_sender";
    case CloseReason::slow_reader:
      return "slow_reader";
    case CloseReason::silent:
      return "silent";
    case CloseReason::idle:
      return "idle";
    case CloseReason::shut_down:
      return "shut_down";
  }
  return "lost";
}

void count(Probe& probe, CloseReason reason) {
  switch (reason) {
    case CloseReason::by_peer:
      ++probe.closed_by_peer;
      break;
    case CloseReason::lost:
      ++probe.closed_lost;
      break;
    case CloseReason::connect_failed:
      ++probe.connects_failed;
      break;
    case CloseReason::handshake_failed:
      ++probe.handshakes_failed;
      break;
    case CloseReason::handshake_slow:
      ++probe.handshakes_slow;
      break;
    case CloseReason::unframed:
      ++probe.closed_unframed;
      break;
    case CloseReason::overflow:
      ++probe.closed_overflow;
      break;
    case CloseReason::slow_sender:
      ++probe.closed_slow_sender;
      break;
    case CloseReason::slow_reader:
      ++probe.closed_slow_reader;
      break;
    case CloseReason::silent:
      ++probe.closed_silent;
      break;
    case CloseReason::idle:
      ++probe.closed_idle;
      break;
    case CloseReason::shut_down:
      break;
  }
}

bool is_orderly(CloseReason reason) {
  return reason == CloseReason::by_peer || reason == CloseReason::idle || reason == CloseReason::shut_down;
}

}  // namespace baton::net
