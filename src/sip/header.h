// Headers by identity, and the ones whose grammar the machine needs, decoded on demand into values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "sip/error.h"
#include "sip/method.h"
#include "sip/uri.h"

namespace baton::sip {

enum class HeaderId : std::uint8_t {
  other,
  accept,
  allow,
  allow_events,
  authorization,
  call_id,
  contact,
  content_disposition,
  content_encoding,
  content_length,
  content_type,
  cseq,
  date,
  diversion,
  error_info,
  event,
  expires,
  from,
  geolocation,
  history_info,
  identity,
  max_forwards,
  min_expires,
  min_se,
  p_asserted_identity,
  p_preferred_identity,
  priority,
  privacy,
  proxy_authenticate,
  proxy_authorization,
  proxy_require,
  rack,
  reason,
  record_route,
  refer_sub,
  refer_to,
  referred_by,
  remote_party_id,
  replaces,
  require,
  retry_after,
  route,
  rseq,
  server,
  session_expires,
  subject,
  subscription_state,
  supported,
  target_dialog,
  timestamp,
  to,
  unsupported,
  user_agent,
  user_to_user,
  via,
  warning,
  www_authenticate,
  x_baton_hangup_code,
};
inline constexpr std::size_t header_ids_count = static_cast<std::size_t>(HeaderId::x_baton_hangup_code) + 1;

// The canonical name ("Call-ID"); empty for `other`.
[[nodiscard]] std::string_view canonical_name(HeaderId id);
// Any case, compact forms included ("i" is Call-ID, "r" Refer-To, "b" Referred-By …).
[[nodiscard]] HeaderId parse_header_name(std::string_view name);

struct Parameter {
  std::string name;   // lower case
  std::string value;  // unquoted; empty also when there was no '='
};
using Parameters = std::vector<Parameter>;
[[nodiscard]] const std::string* find_parameter(const Parameters& parameters, std::string_view name);

// What messages are matched by, found without taking the header apart. `masked`: with quoted-pairs or other
// things in it that only the whole header's decoding reads; then the rest says nothing.
struct AddressHead {
  std::string_view tag;  // empty: none
  bool masked = false;
};
struct ViaHead {
  std::string_view transport, host;  // as written
  std::uint16_t port = 0;            // 0: none written
  std::string_view branch;           // empty: none
  bool rport = false, received = false;
  bool masked = false;
};

// From, To, Contact, Refer-To, Referred-By, Route, P-Asserted-Identity, Diversion … one element.
struct NameAddr {
  std::string display_name;  // unquoted
  Uri uri;
  Parameters parameters;

  [[nodiscard]] static Result<NameAddr, ParseError> parse(std::string_view text);
  // The same texts are taken, and the same errors given. The views are of `text`.
  [[nodiscard]] static Result<AddressHead, ParseError> read_head(std::string_view text);
  [[nodiscard]] std::string to_string() const;
  [[nodiscard]] std::string_view tag() const;  // empty: none
};

struct Via {
  std::string transport;  // "UDP", upper case
  std::string host;
  std::uint16_t port = 0;  // 0: none written
  Parameters parameters;

  [[nodiscard]] static Result<Via, ParseError> parse(std::string_view text);
  // The same texts are taken, and the same errors given. The views are of `text`.
  [[nodiscard]] static Result<ViaHead, ParseError> read_head(std::string_view text);
  [[nodiscard]] std::string to_string() const;
  [[nodiscard]] ViaHead head() const;             // views of this
  [[nodiscard]] std::string_view branch() const;  // empty: none
};

// A Via that Via::parse takes as a response carries it (RFC 3581 4): with `received`, and with `rport` where
// that is not 0, in the place of what it says of them itself.
void append_stamped_via(std::string& out, std::string_view text, const IpAddress& received,
                        std::uint16_t rport);

struct CSeq {
  std::uint32_t number = 0;  // < 2^31 (RFC 3261 8.1.1.5)
  Method method = Method::other;
  std::string method_text;

  [[nodiscard]] static Result<CSeq, ParseError> parse(std::string_view text);
};

// "presence;id=7", "active;expires=60", "timer;x=y": a token and its parameters (Event, Subscription-State,
// Content-Type, Reason …).
struct TokenWithParameters {
  std::string token;  // as written
  Parameters parameters;
  // Whether the header reads, and its token is this one, in any case.
  [[nodiscard]] static bool is(std::string_view text, std::string_view token);
  [[nodiscard]] static Result<TokenWithParameters, ParseError> parse(std::string_view text);
};

// Takes the next element of a comma list off it, as split_commas() would find it; nothing: there are no more.
[[nodiscard]] std::optional<std::string_view> take_element(std::string_view& list);
// Splits a header value at top-level commas, respecting quotes and <>. No element is empty.
[[nodiscard]] std::vector<std::string_view> split_commas(std::string_view value);
void append_elements(std::vector<std::string_view>& elements, std::string_view value);  // the same, to others
// The first of them; empty when there is none.
[[nodiscard]] std::string_view first_element(std::string_view value);

}  // namespace baton::sip
