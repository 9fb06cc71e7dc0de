// What the load generator reads of a message: a scanner of its own that shares nothing with the server, costs
// less than the server's parser, and is strict about what it looks at, because every message is graded.
#pragma once

#include <cstdint>
#include <string_view>

namespace baton::bench {

// Views into the datagram it was read from.
struct Message {
  int status = 0;           // 0: a request
  std::string_view method;  // of the request, or of the CSeq of a response
  std::string_view uri;     // Request-URI
  std::string_view via;     // the one Via a server sends as a client, or got from us
  std::string_view from, to, call_id, cseq, contact, event, subscription_state, warning;
  std::uint32_t cseq_number = 0;
  std::string_view body;

  [[nodiscard]] bool is(std::string_view wanted) const { return status == 0 && method == wanted; }
  [[nodiscard]] bool answers(std::string_view wanted) const { return status != 0 && method == wanted; }
};

// Empty when the message is whole; else what is wrong with it.
[[nodiscard]] std::string_view read(std::string_view bytes, Message& message);

// How long the first message of a stream is: 0 when it is not all there yet, npos when it never will be.
[[nodiscard]] std::size_t first_message(std::string_view stream);

// The value of ";tag=" in a From or To; empty: there is none.
[[nodiscard]] std::string_view tag_of(std::string_view from_or_to);
// What stands between "<" and ">".
[[nodiscard]] std::string_view uri_of(std::string_view name_addr);
// The user part of a SIP URI, or of the one in angle brackets.
[[nodiscard]] std::string_view user_of(std::string_view address);
// The number that the digits at the end of `text` make; false: there is none.
[[nodiscard]] bool trailing_number(std::string_view text, std::uint64_t& number);

}  // namespace baton::bench
