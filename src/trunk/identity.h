// Who calls, and who was called before, as one peer is told it (RFC 3323, 3325, 5806, 7044). Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sip/draft.h"
#include "sip/message.h"

namespace baton::trunk {

struct CallerId {
  std::string number;  // E.164 or, when the caller has none, whatever user part it showed
  std::string display_name;
  bool anonymous = false;  // From is anonymous@anonymous.invalid, Privacy: id (RFC 3323, RFC 3325)
};

// What names the caller besides From.
enum class IdentityHeader : std::uint8_t {
  asserted,         // P-Asserted-Identity (RFC 3325)
  preferred,        // P-Preferred-Identity: for a carrier that asserts by itself
  remote_party_id,  // of before RFC 3325, and still what some PBXs show
  none,
};

// What tells that a call was meant for another number first.
enum class DiversionHeader : std::uint8_t { none, diversion, history_info, both };

// How identities are exchanged with one trunk's endpoint or one carrier.
struct IdentitySettings {
  bool accept = true;             // its identity headers are believed; false: From alone
  bool reveal_anonymous = false;  // it is told the number of a caller that wants to stay anonymous
  IdentityHeader header = IdentityHeader::asserted;
  DiversionHeader diversion = DiversionHeader::none;
};

// One earlier destination of a call.
struct Diversion {
  std::string number;  // E.164, or what stood there
  std::string reason = "unknown";
  bool hidden = false;  // privacy=full
};

// The caller as a peer names it: P-Asserted-Identity, Remote-Party-ID, P-Preferred-Identity, From, the first
// that is there and usable; without `accept` From alone. Privacy is honoured in any case.
[[nodiscard]] CallerId caller_identity(const sip::Message& invite, bool accept);

// The Diversions of an INVITE, the latest first, bounded; what can not be read is left out.
[[nodiscard]] std::vector<Diversion> diversions_of(const sip::Message& invite);

// The Diversions once somebody has sent the call on: "unconditional", which is what a gateway expects of a
// transfer (RFC 7544 7.3.2). The oldest gives way when there are too many.
[[nodiscard]] std::vector<Diversion> diverted_once_more(std::vector<Diversion> earlier,
                                                        const CallerId& who_sent_it_on);

// From of an outgoing leg, without a tag: never the name or number of an anonymous caller (RFC 3323 4.1.1.3).
[[nodiscard]] std::string from_address(const CallerId& caller, std::string_view host);

// Privacy and whatever else names the caller to that peer. `host` is ours, towards it.
[[nodiscard]] std::vector<sip::Draft::Field> identity_headers(const IdentitySettings& settings,
                                                              const CallerId& caller, std::string_view host);

// Diversion, History-Info or both, as set; none when nothing was diverted. `target` is the number now called.
// Numbers that want to be hidden are told only to who may know anonymous callers.
[[nodiscard]] std::vector<sip::Draft::Field> diversion_headers(const IdentitySettings& settings,
                                                               const std::vector<Diversion>& diversions,
                                                               std::string_view target,
                                                               std::string_view host);

}  // namespace baton::trunk
