// Cuts SIP messages out of a byte stream (RFC 3261 18.3, RFC 5626 4.4.1 keep-alives). One per connection,
// owned by it.
#pragma once

#include <deque>
#include <string>
#include <string_view>

#include "base/result.h"
#include "sip/error.h"

namespace baton::sip {

class StreamFramer {
 public:
  // Bytes as they arrive. Bounded: an error means the stream can not be resynchronised and must be closed
  // (no Content-Length where one is needed, a message over limits::message_bytes_max, headers without end).
  [[nodiscard]] Result<void, ParseError> feed(std::string_view bytes);

  // The next whole message, or nothing yet. Call until it says false, after each feed(), also one that
  // failed: what came whole before the fault is good.
  [[nodiscard]] bool next(std::string& message);

  // Double-CRLF pings seen since the last call; each is owed one CRLF (RFC 5626 3.5.1).
  [[nodiscard]] unsigned take_pings();

  [[nodiscard]] std::size_t buffered() const { return buffer_.size() - consumed_; }

 private:
  struct Span {
    std::size_t at = 0;
    std::size_t length = 0;
  };
  [[nodiscard]] Result<void, ParseError> frame();
  void skip_keep_alives();
  [[nodiscard]] Result<void, ParseError> find_length();

  std::string buffer_;
  std::deque<Span> ready_;          // whole messages not yet taken
  std::size_t consumed_ = 0;        // taken by next()
  std::size_t framed_ = 0;          // in `ready_` or skipped; what follows is not a whole message yet
  std::size_t scanned_ = 0;         // no end of headers begins before this
  std::size_t message_length_ = 0;  // of the one at framed_; 0: not known yet
  unsigned pings_ = 0;
  bool half_ping_ = false;  // one CRLF of a double one has been seen
  bool failed_ = false;
};

}  // namespace baton::sip
