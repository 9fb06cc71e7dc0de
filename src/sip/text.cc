#include "sip/text.h"

#include <algorithm>

#include "base/address.h"
#include "base/limits.h"
#include "sip/draft.h"

namespace baton::sip::text {
namespace {

bool is_hostname(std::string_view text) {
  if (text.size() > 255 || text.empty()) return false;
  std::size_t label = 0;  // where the last one begins; a dot at the end begins none
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!is(text[i], Chars::host)) return false;
    if (text[i] != '.') continue;
    if (i == label) return false;  // an empty one
    if (i + 1 < text.size()) label = i + 1;
  }
  std::string_view last = text.substr(label);
  if (last.back() == '.') last.remove_suffix(1);
  const bool hexadecimal = last.size() >= 2 && last[0] == '0' && lower(last[1]) == 'x';
  return !last.empty() && !all(last, Chars::digit) && !(hexadecimal && all(last.substr(2), Chars::hex));
}

// What may be written with "%": everything else is.
bool stays_plain(char c, Chars plain) {
  if (plain == Chars::user) return is(c, Chars::user) && c != '#';
  if (plain == Chars::uri_header) return is(c, Chars::unreserved) || detail::contains("[]/?:+$", c);
  return is(c, plain);
}

}  // namespace

std::string_view trim(std::string_view text) {
  const auto white = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && white(text.front())) text.remove_prefix(1);
  while (!text.empty() && white(text.back())) text.remove_suffix(1);
  return text;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char small = lower(c);
  return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

std::optional<std::uint64_t> parse_decimal(std::string_view text, std::uint64_t max) {
  if (text.empty() || !all(text, Chars::digit)) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    const auto added = static_cast<std::uint64_t>(c - '0');
    if (added > max || value > (max - added) / 10) return std::nullopt;
    value = value * 10 + added;
  }
  return value;
}

bool is_host(std::string_view text) {
  if (text.empty()) return false;
  if (text.front() != '[') {
    // Addresses first: they are most of all hosts, and no name ends like one.
    const bool may_be_address = is(text.back(), Chars::digit) && text.find(':') == std::string_view::npos;
    return (may_be_address && IpAddress::parse(text)) || is_hostname(text);
  }
  if (text.find(":::") != std::string_view::npos) return parse_host(text).has_value();
  return IpAddress::parse(text).has_value();
}

std::optional<std::string> parse_host(std::string_view text) {
  if (!text.starts_with('[')) return is_host(text) ? std::optional(lowered(text)) : std::nullopt;
  std::string found = lowered(text);
  if (const auto extra = found.find(":::"); extra != std::string::npos) found.erase(extra, 1);
  return IpAddress::parse(found) ? std::optional(std::move(found)) : std::nullopt;
}

bool is_escaped(std::string_view text, Chars allowed) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      if (!is(text[i], allowed)) return false;
      continue;
    }
    if (text.size() - i < 3 || hex_value(text[i + 1]) < 0 || hex_value(text[i + 2]) < 0) return false;
    i += 2;
  }
  return true;
}

std::optional<std::string> unescape(std::string_view text, Chars allowed) {
  if (!is_escaped(text, allowed)) return std::nullopt;
  if (text.find('%') == std::string_view::npos) return std::string(text);
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    out.push_back(static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2])));
    i += 2;
  }
  return out;
}

void append_escaped(std::string& out, std::string_view text, Chars plain) {
  static constexpr char digits[] = "0123456789ABCDEF";
  if (std::all_of(text.begin(), text.end(), [plain](char c) { return stays_plain(c, plain); })) {
    out.append(text);
    return;
  }
  for (const char c : text) {
    if (stays_plain(c, plain)) {
      out.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out.push_back('%');
    out.push_back(digits[byte >> 4]);
    out.push_back(digits[byte & 15]);
  }
}

bool Cursor::skip_white_slowly() {
  const std::size_t before = at_;
  const auto blank = [this](std::size_t i) {
    return i < text_.size() && (text_[i] == ' ' || text_[i] == '\t');
  };
  for (;;) {
    if (blank(at_)) {
      ++at_;
    } else if (text_.substr(at_, 2) == "\r\n" && blank(at_ + 2)) {
      at_ += 3;
    } else {
      return at_ != before;
    }
  }
}

bool Cursor::eat_separator(char c) {
  const std::size_t before = at_;
  skip_white();
  if (!eat(c)) {
    at_ = before;
    return false;
  }
  skip_white();
  return true;
}

std::optional<std::string_view> Cursor::quoted_text() {
  if (!eat('"')) return std::nullopt;
  const std::size_t begin = at_;
  while (!at_end()) {
    const char c = text_[at_++];
    if (c == '"') return text_.substr(begin, at_ - 1 - begin);
    if (c == '\r' || c == '\n') {
      --at_;
      if (!skip_white()) return std::nullopt;
    } else if (c == '\\') {
      if (at_end() || peek() == '\r' || peek() == '\n') return std::nullopt;
      ++at_;
    }
  }
  return std::nullopt;
}

std::optional<std::string> Cursor::quoted() {
  const auto raw = quoted_text();
  return raw ? std::optional(unquoted(*raw)) : std::nullopt;
}

std::string unquoted(std::string_view quoted_text) {
  if (quoted_text.find_first_of("\\\r\n") == std::string_view::npos) return std::string(quoted_text);
  std::string out;
  Cursor cursor(quoted_text);
  while (!cursor.at_end()) {
    const char c = cursor.peek();
    if (c == '\r' && cursor.skip_white()) {
      out.push_back(' ');
      continue;
    }
    if (c == '\\') cursor.advance(1);
    out.push_back(cursor.peek());
    cursor.advance(1);
  }
  return out;
}

bool RawParameter::is_masked() const {
  return quoted && value.find_first_of("\\\r\n") != std::string_view::npos;
}

Parameter RawParameter::decoded() const {
  return {lowered(name), quoted ? unquoted(value) : std::string(value)};
}

Result<bool, ParseError> ParameterReader::next(RawParameter& parameter) {
  if (!cursor_.eat_separator(';')) {
    cursor_.skip_white();
    if (!cursor_.at_end()) return bad("Unexpected text after a header value");
    return false;
  }
  if (count_++ == limits::uri_parameters_max) return bad("Too many header parameters");
  parameter = {cursor_.take(Chars::token), {}, false};
  if (parameter.name.empty()) return bad("Empty header parameter");
  if (!cursor_.eat_separator('=')) return true;
  if (cursor_.peek() != '"') {
    parameter.value = cursor_.take(Chars::loose_value);
    return true;
  }
  const auto value = cursor_.quoted_text();
  if (!value) return bad("Unbalanced quotes in a header parameter");
  parameter.value = *value;
  parameter.quoted = true;
  return true;
}

Result<Parameters, ParseError> parse_parameters(Cursor& cursor) {
  Parameters parameters;
  const std::string_view rest = cursor.rest();
  parameters.reserve(std::min<std::size_t>(
      static_cast<std::size_t>(std::count(rest.begin(), rest.end(), ';')), limits::uri_parameters_max));
  ParameterReader reader(cursor);
  RawParameter raw;
  for (;;) {
    const auto more = reader.next(raw);
    if (!more) return fail(more.error());
    if (!*more) return parameters;
    parameters.push_back(raw.decoded());
  }
}

namespace {

void append_value(std::string& out, std::string_view value) {
  if (value.empty()) return;
  if (all(value, Chars::loose_value)) {
    out.append("=").append(value);
    return;
  }
  const std::string quoted = quote(value);
  const auto inner = std::string_view(quoted).substr(1, quoted.size() - 2);
  if (inner.empty()) return;
  out.append("=").append(all(inner, Chars::loose_value) ? inner : std::string_view(quoted));
}

}  // namespace

void append_parameter(std::string& out, const Parameter& parameter) {
  out.append(";").append(parameter.name);
  append_value(out, parameter.value);
}

void append_parameter(std::string& out, const RawParameter& parameter) {
  out.append(";");
  ascii::append_lowered(out, parameter.name);
  if (parameter.is_masked()) return append_value(out, unquoted(parameter.value));
  append_value(out, parameter.value);
}

void append_parameters(std::string& out, const Parameters& parameters) {
  for (const auto& parameter : parameters) append_parameter(out, parameter);
}

}  // namespace baton::sip::text
