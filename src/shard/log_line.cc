#include "shard/log_line.h"

#include <algorithm>
#include <string_view>

namespace baton::shard {
namespace {

constexpr std::size_t value_bytes_max = 2'048;
constexpr std::size_t fields_max = 64;

bool is_bare(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("+-._:/@[]<>;,").find(c) != std::string_view::npos;
}

// Names are ours, but a line must hold whatever happens.
void append_name(std::string& line, std::string_view name) {
  for (const char c : name.substr(0, 64)) {
    const bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                    c == '.' || c == '-';
    line += ok ? c : '_';
  }
}

void append_escaped(std::string& line, char c) {
  constexpr char digits[] = "0123456789abcdef";
  switch (c) {
    case '"':
      line += "\\\"";
      return;
    case '\\':
      line += "\\\\";
      return;
    case '\r':
      line += "\\r";
      return;
    case '\n':
      line += "\\n";
      return;
    case '\t':
      line += "\\t";
      return;
    default:
      break;
  }
  // Everything beyond ASCII too: a terminal takes some of it for commands.
  const auto byte = static_cast<unsigned char>(c);
  if (byte >= 0x20 && byte < 0x7f) {
    line += c;
    return;
  }
  line += "\\x";
  line += digits[byte >> 4U];
  line += digits[byte & 15U];
}

void append_value(std::string& line, std::string_view value) {
  const std::string_view shown = value.substr(0, value_bytes_max);
  if (!shown.empty() && shown.size() == value.size() && std::all_of(shown.begin(), shown.end(), is_bare)) {
    line += shown;
    return;
  }
  line += '"';
  for (const char c : shown) append_escaped(line, c);
  if (shown.size() < value.size()) line += "...";
  line += '"';
}

}  // namespace

std::string to_line(const engine::Log& log) {
  std::string line;
  append_name(line, log.event);
  const std::size_t count = std::min(log.fields.size(), fields_max);
  for (std::size_t i = 0; i < count; ++i) {
    line += ' ';
    append_name(line, log.fields[i].first);
    line += '=';
    append_value(line, log.fields[i].second);
  }
  return line;
}

}  // namespace baton::shard
