#pragma once

#include <string>

namespace baton::sip {

// Why text from a peer could not be understood, and the status that tells the peer so.
struct ParseError {
  int status = 400;    // 400, 413, 414, 416, 505 …: what a UAS answers, where it can answer at all
  std::string reason;  // one phrase for Warning and logs; never holds peer bytes beyond printable ASCII
};

}  // namespace baton::sip
