#include "sip/lines.h"

#include <algorithm>

#include "sip/text.h"

namespace baton::sip {
namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

bool is_sound_value(std::string_view value) {
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] == '\0' && (i == 0 || value[i - 1] != '\\')) return false;
    if (value[i] == '\n') return false;
    if (value[i] != '\r') continue;
    if (i + 2 >= value.size() || value[i + 1] != '\n' || !is_blank(value[i + 2])) return false;
    ++i;
  }
  return true;
}

}  // namespace

std::size_t find_headers_end(std::string_view bytes, std::size_t from) {
  return bytes.find("\r\n\r\n", from);
}

Line take_line(std::string_view& rest) {
  Line line;
  const std::size_t size = rest.size();
  // Where the line breaks, or may: at a CR. A LF or NUL before one is a fault for whoever reads the line.
  for (std::size_t from = 0; from < size;) {
    const std::size_t at = std::min(rest.find('\r', from), size);
    const std::string_view part = rest.substr(from, at - from);
    if (part.find('\n') != std::string_view::npos || part.find('\0') != std::string_view::npos) {
      line.plain = false;
    }
    if (at == size) break;
    const bool line_end = at + 1 < size && rest[at + 1] == '\n';
    if (line_end && (at + 2 == size || !is_blank(rest[at + 2]))) {
      line.text = rest.substr(0, at);
      rest.remove_prefix(at + 2);
      return line;
    }
    line.plain = false;
    from = at + (line_end ? 2 : 1);
  }
  line.text = rest;
  line.ended = false;
  rest = {};
  return line;
}

std::optional<HeaderLine> read_header_line(const Line& line) {
  text::Cursor cursor(line.text);
  const std::string_view name = cursor.take(text::Chars::token);
  while (cursor.eat(' ') || cursor.eat('\t')) continue;
  if (name.empty() || !cursor.eat(':')) return std::nullopt;
  const std::string_view raw = cursor.rest();
  if (!line.plain && !is_sound_value(raw)) return std::nullopt;
  return HeaderLine{name, text::trim(raw)};
}

std::optional<std::size_t> parse_content_length(std::string_view value) {
  const auto length = text::parse_decimal(value, 0x7fff'ffff);
  if (!length) return std::nullopt;
  return static_cast<std::size_t>(*length);
}

}  // namespace baton::sip
