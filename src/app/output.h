// What the commands say, and to whom.
#pragma once

#include <string>

namespace baton::app {

inline constexpr int exit_done = 0;
inline constexpr int exit_operational = 1;
inline constexpr int exit_usage = 2;

// One line on stderr, after "baton: ". Control characters are made harmless.
void complain(const std::string& line);

// To stdout, whole. Returns the exit code: a full disk or a closed pipe is an error like any other.
[[nodiscard]] int print(const std::string& text);

// Of standard output. Lines are as wide as the terminal, within these bounds; columns_default when there is
// none.
struct Terminal {
  bool colour = false;   // a terminal that knows colours, and NO_COLOR is not set
  bool unicode = false;  // the locale's encoding is UTF-8
  std::size_t columns = 0;
};
inline constexpr std::size_t columns_min = 100;
inline constexpr std::size_t columns_default = 120;
inline constexpr std::size_t columns_max = 160;
[[nodiscard]] Terminal terminal();

}  // namespace baton::app
