// SIP, SIPS and TEL URIs (RFC 3261 19.1, RFC 3966).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "sip/error.h"

namespace baton::sip {

enum class Scheme : std::uint8_t { sip, sips, tel, other };

struct UriParameter {
  std::string name;   // lower case, unescaped
  std::string value;  // unescaped; empty also when there was no '='
};

// A URI taken apart and unescaped. For `tel:` the number (with its separators) is in `user` and the host is
// empty; for `other` everything after the colon is in `user`.
struct Uri {
  Scheme scheme = Scheme::sip;
  std::string scheme_text;  // lower case; set for every scheme
  std::string user;
  std::string password;
  std::string host;        // lower case; IPv6 with its brackets
  std::uint16_t port = 0;  // 0: none written
  std::vector<UriParameter> parameters;
  std::vector<UriParameter> headers;  // what follows '?', names as written, unescaped

  [[nodiscard]] static Result<Uri, ParseError> parse(std::string_view text);
  // Whether parse() takes it, and the error if not.
  [[nodiscard]] static Result<void, ParseError> check(std::string_view text);
  [[nodiscard]] static Uri sip(std::string user, std::string host, std::uint16_t port = 0);

  // Null when absent; `name` in lower case.
  [[nodiscard]] const UriParameter* parameter(std::string_view name) const;
  // The transport parameter, if it names one we know.
  [[nodiscard]] std::optional<Transport> transport() const;

  // Escaped where the grammar asks for it. `headers` are left out when include_headers is false: a
  // Request-URI and a Contact may not carry them (RFC 3261 19.1.1, table 1).
  [[nodiscard]] std::string to_string(bool include_headers = true) const;
  void append_to(std::string& out, bool include_headers = true) const;

  // RFC 3261 19.1.4, without the header comparison.
  [[nodiscard]] bool equivalent(const Uri& other) const;
};

[[nodiscard]] std::string percent_decode(std::string_view text);

// "+" and 7 to 15 digits. Visual separators of RFC 3966 ("-", ".", "(", ")") are taken out first.
// Nothing when the text is not a global number.
[[nodiscard]] std::optional<std::string> to_e164(std::string_view text);

}  // namespace baton::sip
