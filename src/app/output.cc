#include "app/output.h"

#include <langinfo.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <system_error>

#include "app/text.h"

namespace baton::app {
namespace {

bool set_and_not(const char* name, std::string_view value) {
  const char* text = std::getenv(name);
  return text != nullptr && *text != '\0' && text != value;
}

bool locale_is_utf8() {
  const char* before = std::setlocale(LC_CTYPE, nullptr);
  const std::string kept = before == nullptr ? "C" : before;
  std::setlocale(LC_CTYPE, "");
  const bool utf8 = std::string_view(nl_langinfo(CODESET)) == "UTF-8";
  std::setlocale(LC_CTYPE, kept.c_str());
  return utf8;
}

}  // namespace

void complain(const std::string& line) {
  std::fprintf(stderr, "baton: %s\n", printable(line).c_str());
}

int print(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0)
    return exit_done;
  complain("standard output: " + std::generic_category().message(errno));
  return exit_operational;
}

Terminal terminal() {
  Terminal result;
  result.columns = columns_default;
  result.unicode = locale_is_utf8();
  if (::isatty(STDOUT_FILENO) == 0) return result;
  result.colour = set_and_not("TERM", "dumb") && !set_and_not("NO_COLOR", "");
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    result.columns = std::clamp<std::size_t>(size.ws_col, columns_min, columns_max);
  }
  return result;
}

}  // namespace baton::app
