#include "app/text.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <iterator>

namespace baton::app {
namespace {

struct Decoded {
  std::size_t length = 1;
  char32_t code = 0;
  bool valid = false;
};

// One character of UTF-8 (RFC 3629 3): shortest form only, no surrogates, up to U+10FFFF.
Decoded decode(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  if (first < 0x80) return {1, first, true};
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return {};
  char32_t code = first & (0xffU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) return {};
    code = (code << 6U) | (byte(i) & 0x3fU);
  }
  const bool too_long = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  if (too_long || (code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff) return {};
  return {length, code, true};
}

// Characters that a terminal acts on, or that turn the order of what follows (Unicode 9.0, UAX #9).
bool acts(char32_t code) {
  return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x200e || code == 0x200f ||
         (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) || code == 0xfeff;
}

template <typename Escape>
std::string clean(std::string_view text, bool lines, Escape&& escape) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Decoded c = decode(text);
    const bool layout = lines && (text[0] == '\n' || text[0] == '\t');
    if (c.valid && (layout || !acts(c.code))) {
      out += text.substr(0, c.length);
    } else {
      escape(out, text.substr(0, c.length));
    }
    text.remove_prefix(c.length);
  }
  return out;
}

std::vector<std::size_t> widths_of(const std::vector<Column>& heads,
                                   const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < heads.size(); ++i) {
    std::size_t width = columns_of(heads[i].heading);
    for (const auto& row : rows) width = std::max(width, columns_of(row[i]));
    widths.push_back(width);
  }
  return widths;
}

// Takes from the widest flexible column, one character at a time, until the line fits.
void narrow(std::vector<std::size_t>& widths, const std::vector<Column>& heads, std::size_t columns) {
  std::size_t total = 2 * (widths.size() - 1);
  for (const std::size_t width : widths) total += width;
  for (; total > columns; --total) {
    std::size_t widest = widths.size();
    for (std::size_t i = 0; i < widths.size(); ++i) {
      if (heads[i].flexible && (widest == widths.size() || widths[i] > widths[widest])) widest = i;
    }
    if (widest == widths.size() || widths[widest] <= 4) return;
    --widths[widest];
  }
}

void add_line(std::string& out, const std::vector<std::string>& cells,
              const std::vector<std::size_t>& widths) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) line += pad(cells[i], widths[i]) + "  ";
  line.erase(line.find_last_not_of(' ') + 1);
  out += line + '\n';
}

}  // namespace

std::string printable(std::string_view text) {
  return clean(text, false, [](std::string& out, std::string_view) { out += '?'; });
}

std::string printable_lines(std::string_view text) {
  std::string unix_lines;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\r' || i + 1 == text.size() || text[i + 1] != '\n') unix_lines += text[i];
  }
  return clean(unix_lines, true, [](std::string& out, std::string_view bytes) {
    for (const char c : bytes) {
      std::array<char, 8> code{};
      std::snprintf(code.data(), code.size(), "\\x%02X",
                    static_cast<unsigned>(static_cast<unsigned char>(c)));
      out += code.data();
    }
  });
}

std::size_t columns_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80; }));
}

std::string fit(std::string_view text, std::size_t columns, std::string_view ellipsis) {
  if (columns_of(text) <= columns) return std::string(text);
  const std::size_t room = columns - std::min(columns, columns_of(ellipsis));
  std::string out;
  for (std::size_t n = 0; n < room; ++n) {
    const std::size_t length = decode(text).length;
    out += text.substr(0, length);
    text.remove_prefix(length);
  }
  return out + std::string(columns < columns_of(ellipsis) ? "" : ellipsis);
}

std::string pad(std::string_view text, std::size_t columns, std::string_view ellipsis) {
  std::string out = fit(text, columns, ellipsis);
  out.append(columns - std::min(columns, columns_of(out)), ' ');
  return out;
}

std::string table(const std::vector<Column>& heads, const std::vector<std::vector<std::string>>& rows,
                  std::size_t columns) {
  std::vector<std::size_t> widths = widths_of(heads, rows);
  narrow(widths, heads, columns);
  std::vector<std::string> headings;
  for (const Column& head : heads) headings.push_back(head.heading);
  std::string out;
  add_line(out, headings, widths);
  for (const auto& row : rows) add_line(out, row, widths);
  return out;
}

std::vector<std::string> abbreviate(const std::vector<std::string>& ids, std::size_t length_min) {
  std::vector<std::string> sorted = ids;
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  const auto shared = [](const std::string& a, const std::string& b) {
    return static_cast<std::size_t>(
        std::distance(a.begin(), std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first));
  };
  std::vector<std::string> out;
  for (const std::string& id : ids) {
    const auto here = std::lower_bound(sorted.begin(), sorted.end(), id);
    std::size_t length = length_min;
    if (here != sorted.begin()) length = std::max(length, shared(id, *std::prev(here)) + 1);
    if (std::next(here) != sorted.end()) length = std::max(length, shared(id, *std::next(here)) + 1);
    out.push_back(id.substr(0, length));
  }
  return out;
}

std::string short_time(Time time) {
  std::string text = to_iso8601(time).substr(0, 19);
  if (text.size() > 10) text[10] = ' ';
  return text;
}

std::int64_t begun_seconds(Duration duration) {
  return std::max<std::int64_t>(0, std::chrono::ceil<std::chrono::seconds>(duration).count());
}

std::string short_duration(Duration duration) {
  const std::int64_t seconds = begun_seconds(duration);
  std::array<char, 48> text{};
  const auto minute = static_cast<int>(seconds / 60 % 60);
  const auto second = static_cast<int>(seconds % 60);
  if (seconds >= 3'600) {
    std::snprintf(text.data(), text.size(), "%lld:%02d:%02d", static_cast<long long>(seconds / 3'600), minute,
                  second);
  } else {
    std::snprintf(text.data(), text.size(), "%d:%02d", minute, second);
  }
  return text.data();
}

}  // namespace baton::app
