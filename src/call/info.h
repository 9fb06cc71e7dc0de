// Keys pressed, as SIP INFO carries them: "application/dtmf-relay" (Signal= and Duration= lines) and
// "application/dtmf" (the key alone). No RFC defines either; these are what equipment sends.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace baton::call {

struct KeyPress {
  std::uint8_t event = 0;  // RFC 4733 3.2
  Duration lasted{};
};

inline constexpr const char* dtmf_relay_type = "application/dtmf-relay";
inline constexpr const char* dtmf_type = "application/dtmf";

// `type` in lower case. Nothing when it names no key.
[[nodiscard]] std::optional<KeyPress> read_info_body(std::string_view type, std::string_view body);

// As dtmf-relay.
[[nodiscard]] std::string write_info_body(const KeyPress& key);

}  // namespace baton::call
