// What the load generator reads of a message: a scanner of its own that shares nothing with the server, costs
// less than the server's parser, and is strict about what it looks at, because every message is graded.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace baton::bench {

// Values of a header that may stand several times, in order.
struct Lines {
  static constexpr std::size_t most = 8;
  std::array<std::string_view, most> values;
  std::size_t count = 0;

  [[nodiscard]] bool add(std::string_view value) {
    if (value.empty() || count == most) return false;
    values[count++] = value;
    return true;
  }
  [[nodiscard]] const std::string_view* begin() const { return values.data(); }
  [[nodiscard]] const std::string_view* end() const { return values.data() + count; }
};

// Views into the datagram it was read from.
struct Message {
  int status = 0;           // 0: a request
  std::string_view method;  // of the request, or of the CSeq of a response
  std::string_view uri;     // Request-URI
  Lines vias;               // more than one where proxies stand between
  Lines record_routes;      // of proxies that want to stay there
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
