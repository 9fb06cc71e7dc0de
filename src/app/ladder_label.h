// What an arrow of the ladder says.
#pragma once

#include <cstdint>
#include <string>

#include "call/records.h"

namespace baton::app {

enum class LabelKind : std::uint8_t { request, transfer, provisional, success, failure, malformed };

struct Label {
  std::string text;  // printable, one line; ASCII besides what the peers wrote
  std::string mark;  // "(INVITE)", "[Replaces]", "[malformed]"; empty: none. Stays when the text must be cut
  LabelKind kind = LabelKind::request;
  bool sdp = false;
};

// "INVITE", "re-INVITE", "200 OK" with the mark "(INVITE)", "REFER -> +14155551234", "NOTIFY 180 Ringing",
// "BYE". `arrow` stands between REFER and its target.
[[nodiscard]] Label label_of(const call::TraceMessage& message, const std::string& arrow);

}  // namespace baton::app
