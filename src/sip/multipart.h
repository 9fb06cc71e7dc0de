// The parts of a multipart body (RFC 2046 5.1, RFC 5621).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace baton::sip {

struct BodyPart {
  std::string type;  // lower case, without parameters; "text/plain" where none is written (RFC 2046 5.1)
  std::string disposition;  // lower case; empty: none
  std::string handling;     // lower case; empty: unsaid
  bool encoded = false;     // by a Content-Transfer-Encoding that changes its bytes
  std::string_view body;
};

// Views into `body`. At most limits::body_parts_max of them; those that are not closed count up to the end,
// and an empty or missing boundary gives none.
[[nodiscard]] std::vector<BodyPart> split_multipart(std::string_view body, std::string_view boundary);

}  // namespace baton::sip
