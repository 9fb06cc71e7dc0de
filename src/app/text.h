// Text from records for a terminal. Much of it was written by strangers (a From, a reason phrase), so nothing
// of it may move the cursor or change colours.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace baton::app {

// On one line: control characters, bytes that are not UTF-8 and characters that change the direction of
// writing become '?'.
[[nodiscard]] std::string printable(std::string_view text);
// The same for several lines: line ends and tabs stay, the rest is shown as \xHH.
[[nodiscard]] std::string printable_lines(std::string_view text);

// How many characters; of `text` that printable() returned.
[[nodiscard]] std::size_t columns_of(std::string_view text);
// Not wider than `columns`; what was cut off is shown by `ellipsis`.
[[nodiscard]] std::string fit(std::string_view text, std::size_t columns, std::string_view ellipsis = "…");
// Fitted and filled up with spaces.
[[nodiscard]] std::string pad(std::string_view text, std::size_t columns, std::string_view ellipsis = "…");

// Cells under headings, as wide as their contents; the columns marked flexible give way so that no line is
// longer than `columns`. Two spaces between columns, no spaces at the end of a line.
struct Column {
  std::string heading;
  bool flexible = false;
};
[[nodiscard]] std::string table(const std::vector<Column>& heads,
                                const std::vector<std::vector<std::string>>& rows, std::size_t columns);

// The shortest beginnings, of at least `length_min`, that tell the ids of this list apart.
[[nodiscard]] std::vector<std::string> abbreviate(const std::vector<std::string>& ids,
                                                  std::size_t length_min);

// "2026-11-21 10:08:00", UTC.
[[nodiscard]] std::string short_time(Time time);
// "0:07", "12:34", "1:02:03"; whole seconds, begun ones counted.
[[nodiscard]] std::string short_duration(Duration duration);
// Begun seconds; 0 for negative times.
[[nodiscard]] std::int64_t begun_seconds(Duration duration);

}  // namespace baton::app
