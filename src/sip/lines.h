// Header lines of a message that came in, found the same way by the framer, the parser and the answer to what
// neither could read: two views of where a header ends are how requests get smuggled.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace baton::sip {

// Where the empty line that ends the headers begins, that is, the offset of its CRLF CRLF; npos: not there.
[[nodiscard]] std::size_t find_headers_end(std::string_view bytes, std::size_t from = 0);

// One header line with its continuation lines (RFC 3261 7.3.1), without the CRLF that ends it.
struct Line {
  std::string_view text;
  bool plain = true;  // no fold, stray CR or LF, or NUL in it: nothing to check or take out
  bool ended = true;  // false when the text stopped before a CRLF did
};
// Takes it off `rest`.
[[nodiscard]] Line take_line(std::string_view& rest);

struct HeaderLine {
  std::string_view name;
  std::string_view value;  // trimmed; folds still inside
};
// Nothing when there is no colon, the name is no token, or bytes stand in it that no value may have: a CR or
// LF that is not a fold, a NUL that is not a quoted-pair (RFC 3261 25.1).
[[nodiscard]] std::optional<HeaderLine> read_header_line(const Line& line);

// Content-Length: digits only, at most what fits any message.
[[nodiscard]] std::optional<std::size_t> parse_content_length(std::string_view value);

}  // namespace baton::sip
