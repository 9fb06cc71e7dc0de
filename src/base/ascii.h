// ASCII without the locale: host names, header names and tokens of SIP are ASCII.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace baton::ascii {

[[nodiscard]] constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

[[nodiscard]] constexpr char upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c;
}

[[nodiscard]] constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

[[nodiscard]] constexpr bool is_letter(char c) {
  return lower(c) >= 'a' && lower(c) <= 'z';
}

inline void append_lowered(std::string& to, std::string_view text) {
  const std::size_t before = to.size();
  to.resize(before + text.size());
  std::transform(text.begin(), text.end(), to.begin() + static_cast<std::ptrdiff_t>(before), lower);
}

[[nodiscard]] inline std::string lowered(std::string_view text) {
  std::string all;
  all.reserve(text.size());
  append_lowered(all, text);
  return all;
}

[[nodiscard]] inline bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace baton::ascii
