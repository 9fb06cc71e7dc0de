#include "sip/text.h"

#include <algorithm>

#include "base/address.h"
#include "base/limits.h"
#include "sip/draft.h"

namespace baton::sip::text {
namespace {

bool is_hostname(std::string_view text) {
  if (text.size() > 255 || !all(text, Chars::host)) return false;
  if (!text.empty() && text.back() == '.') text.remove_suffix(1);
  if (text.empty() || text.front() == '.' || text.find("..") != std::string_view::npos) return false;
  const std::string_view last = text.substr(text.rfind('.') + 1);
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

std::optional<std::string> parse_host(std::string_view text) {
  std::string found = lowered(text);
  if (text.substr(0, 1) == "[") {
    if (const auto extra = found.find(":::"); extra != std::string::npos) found.erase(extra, 1);
    return IpAddress::parse(found) ? std::optional(std::move(found)) : std::nullopt;
  }
  const bool sound =
      text.find(':') == std::string_view::npos && (is_hostname(text) || IpAddress::parse(text));
  return sound ? std::optional(std::move(found)) : std::nullopt;
}

std::optional<std::string> unescape(std::string_view text, Chars allowed) {
  const bool plain = text.find('%') == std::string_view::npos;
  if (plain) return all(text, allowed) ? std::optional<std::string>(text) : std::nullopt;
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      if (!is(text[i], allowed)) return std::nullopt;
      out.push_back(text[i]);
      continue;
    }
    if (text.size() - i < 3) return std::nullopt;
    const int high = hex_value(text[i + 1]);
    const int low = hex_value(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    out.push_back(static_cast<char>(high * 16 + low));
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

bool Cursor::skip_white() {
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

bool Cursor::eat(char c) {
  if (at_end() || text_[at_] != c) return false;
  ++at_;
  return true;
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

std::string_view Cursor::take(Chars wanted) {
  const std::size_t begin = at_;
  while (at_ < text_.size() && is(text_[at_], wanted)) ++at_;
  return text_.substr(begin, at_ - begin);
}

std::optional<std::string> Cursor::quoted() {
  if (!eat('"')) return std::nullopt;
  std::string out;
  while (!at_end()) {
    const char c = text_[at_++];
    if (c == '"') return out;
    if (c == '\r' || c == '\n') {
      --at_;
      if (!skip_white()) return std::nullopt;
      out.push_back(' ');
      continue;
    }
    if (c != '\\') {
      out.push_back(c);
      continue;
    }
    if (at_end() || peek() == '\r' || peek() == '\n') return std::nullopt;
    out.push_back(text_[at_++]);
  }
  return std::nullopt;
}

Result<Parameters, ParseError> parse_parameters(Cursor& cursor) {
  Parameters parameters;
  const std::string_view rest = cursor.rest();
  parameters.reserve(std::min<std::size_t>(
      static_cast<std::size_t>(std::count(rest.begin(), rest.end(), ';')), limits::uri_parameters_max));
  while (cursor.eat_separator(';')) {
    if (parameters.size() == limits::uri_parameters_max) return bad("Too many header parameters");
    Parameter parameter{lowered(cursor.take(Chars::token)), {}};
    if (parameter.name.empty()) return bad("Empty header parameter");
    if (cursor.eat_separator('=')) {
      if (cursor.peek() == '"') {
        auto value = cursor.quoted();
        if (!value) return bad("Unbalanced quotes in a header parameter");
        parameter.value = std::move(*value);
      } else {
        parameter.value = cursor.take(Chars::loose_value);
      }
    }
    parameters.push_back(std::move(parameter));
  }
  cursor.skip_white();
  if (!cursor.at_end()) return bad("Unexpected text after a header value");
  return parameters;
}

void append_parameter(std::string& out, const Parameter& parameter) {
  out.append(";").append(parameter.name);
  if (parameter.value.empty()) return;
  if (all(parameter.value, Chars::loose_value)) {
    out.append("=").append(parameter.value);
    return;
  }
  const std::string quoted = quote(parameter.value);
  const auto inner = std::string_view(quoted).substr(1, quoted.size() - 2);
  if (inner.empty()) return;
  out.append("=").append(all(inner, Chars::loose_value) ? inner : std::string_view(quoted));
}

void append_parameters(std::string& out, const Parameters& parameters) {
  for (const auto& parameter : parameters) append_parameter(out, parameter);
}

}  // namespace baton::sip::text
