// Character classes and a cursor for the grammars of RFC 3261 25.1. Used inside this folder only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/ascii.h"
#include "base/result.h"
#include "sip/error.h"
#include "sip/header.h"

namespace baton::sip::text {

enum class Chars : std::uint16_t {
  digit = 1 << 0,
  alpha = 1 << 1,
  hex = 1 << 2,
  token = 1 << 3,
  unreserved = 1 << 4,
  user = 1 << 5,        // unreserved and user-unreserved
  password = 1 << 6,    // RFC 3261 25.1 "password"
  parameter = 1 << 7,   // unreserved and param-unreserved
  uri_header = 1 << 8,  // unreserved and hnv-unreserved
  phone = 1 << 9,       // RFC 3966 phonedigit-hex, and "+"
  opaque = 1 << 10,     // what may follow the colon of a URI of some other scheme
  loose_value =
      1 << 11,  // what an unquoted parameter value may hold; wider than token, host and IPv6reference
  loose_word = 1 << 12,   // what a leading token may hold: media types, Call-IDs in Replaces
  host = 1 << 13,         // hostname; "_" is no host character but stands in many
  visible = 1 << 14,      // %x21-7E
  breaks_line = 1 << 15,  // CR, LF, NUL
};

namespace detail {

constexpr bool contains(std::string_view set, char c) {
  return set.find(c) != std::string_view::npos;
}

constexpr unsigned bit(Chars chars) {
  return static_cast<unsigned>(chars);
}

constexpr std::uint16_t classes_of(char c) {
  const bool is_digit = c >= '0' && c <= '9';
  const bool is_alpha = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  const bool is_visible = c > ' ' && c < '\x7f';
  const bool is_unreserved = is_digit || is_alpha || contains("-_.!~*'()", c);
  unsigned set = 0;
  if (is_digit) set |= bit(Chars::digit);
  if (is_alpha) set |= bit(Chars::alpha);
  if (is_digit || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))
    set |= bit(Chars::hex) | bit(Chars::phone);
  if (is_digit || is_alpha || contains("-.!%*_+`'~", c)) set |= bit(Chars::token);
  if (is_unreserved) set |= bit(Chars::unreserved);
  // "#" must be escaped in a user part, yet phones dial feature codes with it as it is.
  if (is_unreserved || contains("&=+$,;?/#", c)) set |= bit(Chars::user);
  if (is_unreserved || contains("&=+$,", c)) set |= bit(Chars::password);
  if (is_unreserved || contains("[]/:&+$", c)) set |= bit(Chars::parameter);
  // Wider than hnv-unreserved: a Replaces in a Refer-To often comes with its "@", ";" and "=" unescaped.
  if (is_visible && !contains("<>\"&%\\", c)) set |= bit(Chars::uri_header);
  if (contains("*#+-.()", c)) set |= bit(Chars::phone);
  if (is_unreserved || contains(";/?:@&=+$,[]#%", c)) set |= bit(Chars::opaque);
  if (is_visible && !contains(";,\"<>\\", c)) set |= bit(Chars::loose_value);
  if (is_visible && !contains(";,\"", c)) set |= bit(Chars::loose_word);
  if (is_digit || is_alpha || contains("-._", c)) set |= bit(Chars::host);
  if (is_visible) set |= bit(Chars::visible);
  if (c == '\r' || c == '\n' || c == '\0') set |= bit(Chars::breaks_line);
  return static_cast<std::uint16_t>(set);
}

inline constexpr auto table = [] {
  std::array<std::uint16_t, 256> made{};
  for (std::size_t i = 0; i < 128; ++i) made[i] = classes_of(static_cast<char>(i));
  return made;
}();

}  // namespace detail

[[nodiscard]] constexpr bool is(char c, Chars wanted) {
  return (detail::table[static_cast<unsigned char>(c)] & detail::bit(wanted)) != 0;
}
// True for the empty text.
[[nodiscard]] constexpr bool all(std::string_view text, Chars wanted) {
  for (const char c : text) {
    if (!is(c, wanted)) return false;
  }
  return true;
}

// Where the first of two characters stands, or the end. find_first_of would call memchr for every byte.
[[nodiscard]] constexpr std::size_t find_either(std::string_view text, char a, char b) {
  std::size_t at = 0;
  while (at < text.size() && text[at] != a && text[at] != b) ++at;
  return at;
}

using ascii::equals_ignoring_case;
using ascii::lower;
using ascii::lowered;
using ascii::upper;
[[nodiscard]] std::string_view trim(std::string_view text);  // white space and folds, both ends
[[nodiscard]] int hex_value(char c);                         // -1 when it is none

// 1*DIGIT, any number of leading zeros; nothing when it is not, or is beyond `max`.
[[nodiscard]] std::optional<std::uint64_t> parse_decimal(std::string_view text, std::uint64_t max);

// hostname, IPv4address or IPv6reference, in lower case; an IPv6 ":::" (a slip of the RFC 3261 grammar that
// RFC 5118 4.10 wants tolerated) is put right. A name whose last label is a number must be an IPv4 address:
// some resolvers take "2130706433" for one, so it must not pass for a name.
[[nodiscard]] std::optional<std::string> parse_host(std::string_view text);
[[nodiscard]] bool is_host(std::string_view text);  // whether parse_host() takes it

// `text` with every "%xx" decoded; nothing when a "%" has no two hex digits or a character is not of
// `allowed`.
[[nodiscard]] std::optional<std::string> unescape(std::string_view text, Chars allowed);
[[nodiscard]] bool is_escaped(std::string_view text, Chars allowed);  // whether unescape() takes it
void append_escaped(std::string& out, std::string_view text, Chars plain);

[[nodiscard]] inline auto bad(const char* reason, int status = 400) {
  return fail(ParseError{status, reason});
}

class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  [[nodiscard]] bool at_end() const { return at_ == text_.size(); }
  [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  [[nodiscard]] std::string_view rest() const { return text_.substr(at_); }
  void advance(std::size_t count) { at_ += count; }

  // SP, HTAB, and CRLF followed by one of them.
  bool skip_white() {
    const char c = peek();
    return (c == ' ' || c == '\t' || c == '\r') && skip_white_slowly();
  }
  [[nodiscard]] bool eat(char c) {
    if (at_end() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  // White space, then `c`, then white space (SEMI, EQUAL, SLASH … of RFC 3261 25.1); no move when `c` is not
  // there.
  [[nodiscard]] bool eat_separator(char c);
  [[nodiscard]] std::string_view take(Chars wanted) {
    const std::size_t begin = at_;
    while (at_ < text_.size() && is(text_[at_], wanted)) ++at_;
    return text_.substr(begin, at_ - begin);
  }
  // A quoted-string at the cursor: what stands between the quotes, as written. Nothing when it does not
  // close.
  [[nodiscard]] std::optional<std::string_view> quoted_text();
  // The same, unescaped.
  [[nodiscard]] std::optional<std::string> quoted();

 private:
  bool skip_white_slowly();

  std::string_view text_;
  std::size_t at_ = 0;
};

// What stood between the quotes of a quoted-string, unescaped.
[[nodiscard]] std::string unquoted(std::string_view quoted_text);

// One parameter as written.
struct RawParameter {
  std::string_view name;
  std::string_view value;
  bool quoted = false;

  [[nodiscard]] bool is(std::string_view lower_name) const { return equals_ignoring_case(name, lower_name); }
  // Whether the value is not what it says: there are quoted-pairs or folds in it.
  [[nodiscard]] bool is_masked() const;
  [[nodiscard]] Parameter decoded() const;
};

// *( SEMI generic-param ) up to the end of the text, one by one.
class ParameterReader {
 public:
  explicit ParameterReader(Cursor& cursor) : cursor_(cursor) {}
  // False: there are no more, and the text ends here.
  [[nodiscard]] Result<bool, ParseError> next(RawParameter& parameter);

 private:
  Cursor& cursor_;
  std::size_t count_ = 0;
};

// All of them.
[[nodiscard]] Result<Parameters, ParseError> parse_parameters(Cursor& cursor);
void append_parameters(std::string& out, const Parameters& parameters);
void append_parameter(std::string& out, const Parameter& parameter);
void append_parameter(std::string& out, const RawParameter& parameter);  // as the decoded one

}  // namespace baton::sip::text
