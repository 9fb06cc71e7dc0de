// Why a call ended, in the words of both worlds: SIP statuses and Q.850 causes (RFC 3326, RFC 3398, RFC
// 6432).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "call/hangup.h"
#include "sip/message.h"

namespace baton::call {

// The cause of the Reason that speaks Q.850; nothing when there is none.
[[nodiscard]] std::optional<int> q850_cause(const sip::Message& message);
// The same of one header value.
[[nodiscard]] std::optional<int> q850_cause(std::string_view reason);

// RFC 3398 8.2.6.1, and 19 rather than 102 where nobody answered.
[[nodiscard]] int q850_for_status(int status);
// RFC 3398 7.2.4.1; nothing for a call that ended well.
[[nodiscard]] std::optional<int> status_for_q850(int cause);
[[nodiscard]] int q850_for_hangup(Hangup code);

// Q.850;cause=19;text="No answer from the user"
[[nodiscard]] std::string q850_reason(int cause);
// What one party is told of the other's reason: its cause, in our words. Nothing else of it crosses.
[[nodiscard]] std::string relayed_reason(std::string_view reason);

}  // namespace baton::call
