// A dialog named by somebody who takes part in it: Replaces (RFC 3891 6.1) and Target-Dialog (RFC 4538 7).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "sip/error.h"

namespace baton::sip {

// Of the two tags one is ours and one the peer's. Which is which depends on who wrote it, and not every phone
// agrees with RFC 3891 3; a pair of tags names a dialog in either order.
struct DialogId {
  std::string call_id;
  std::string to_tag;
  std::string from_tag;
  bool early_only = false;

  // "425928@phone.example.org;to-tag=7743;from-tag=6472;early-only", unescaped. Errors: 400.
  [[nodiscard]] static Result<DialogId, ParseError> parse_replaces(std::string_view text);
  // "425928@phone.example.org;local-tag=7743;remote-tag=6472". The sender's local tag is `from_tag`.
  [[nodiscard]] static Result<DialogId, ParseError> parse_target_dialog(std::string_view text);

  // As a Replaces value.
  [[nodiscard]] std::string to_replaces() const;
};

}  // namespace baton::sip
