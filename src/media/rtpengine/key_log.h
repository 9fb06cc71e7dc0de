// What rtpengine logs of telephone-events that pass through it (its dtmf-log-dest): a datagram with a line of
// JSON at the end of each press, whichever way the event then goes.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/time.h"

namespace baton::media::rtpengine {

struct LoggedKey {
  std::string_view call_id, tag;  // whose key it is; as long as the datagram
  std::uint8_t event = 0;         // RFC 4733 3.2: 0-15
  Duration lasted{};
};
// Nothing for what is no such line. Only rtpengine's own names and ours stand in it, so none needs escaping;
// who can not know a call-id of ours says nothing that counts.
[[nodiscard]] std::optional<LoggedKey> read_logged_key(std::string_view datagram);

}  // namespace baton::media::rtpengine
