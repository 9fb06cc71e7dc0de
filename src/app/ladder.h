// The SIP messages of a call as a ladder: one column for each party, Baton after the first of them, time
// downwards. Pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "call/records.h"

namespace baton::app {

struct LadderStyle {
  std::size_t columns = 120;  // of the terminal; a call of very many parties takes more
  bool colour = false;        // ANSI colours
  bool unicode = true;        // box drawing; ASCII otherwise
};

// Messages in the order they are to be shown. Empty without messages.
[[nodiscard]] std::string ladder(const std::vector<call::TraceMessage>& messages, const LadderStyle& style);

// Every message whole, each under a line that says when, from whom and to whom.
[[nodiscard]] std::string messages_as_text(const std::vector<call::TraceMessage>& messages,
                                           const LadderStyle& style);

}  // namespace baton::app
