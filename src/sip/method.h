// SIP methods (RFC 3261 7.1 and the RFCs that add one each).
#pragma once

#include <cstdint>
#include <string_view>

namespace baton::sip {

enum class Method : std::uint8_t {
  invite,
  ack,
  bye,
  cancel,
  options,
  register_,
  refer,
  notify,
  subscribe,
  info,
  update,
  prack,
  message,
  publish,
  other,  // a token we do not know; its text stays with the message
};

[[nodiscard]] std::string_view to_string(Method method);
// Methods are case-sensitive (RFC 3261 7.1): "invite" is `other`.
[[nodiscard]] Method parse_method(std::string_view token);

}  // namespace baton::sip
