// A call's SIP messages as a capture file (classic pcap, raw IP) for Wireshark and its kin. The IP, UDP and
// TCP headers are made up around what was said; their addresses, ports, times and checksums are right.
#pragma once

#include <string>
#include <vector>

#include "call/records.h"

namespace baton::app {

// Messages in the order of their times. What went over TLS is written as TCP, in the clear.
[[nodiscard]] std::string to_pcap(const std::vector<call::TraceMessage>& messages);

}  // namespace baton::app
