#pragma once

#include <string_view>

namespace baton::sip {

// Why text from a peer could not be understood, and the status that tells the peer so.
struct ParseError {
  int status = 400;         // 400, 413, 414, 416, 505 …: what a UAS answers, where it can answer at all
  std::string_view reason;  // one phrase for Warning and logs; a literal, so never anything of the peer's
};

}  // namespace baton::sip
