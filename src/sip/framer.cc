#include "sip/framer.h"

#include <algorithm>

#include "base/limits.h"
#include "sip/header.h"
#include "sip/lines.h"
#include "sip/text.h"

namespace baton::sip {
namespace {

using text::bad;

// `headers`: start line and header lines, each with its CRLF.
Result<std::size_t, ParseError> body_length(std::string_view headers) {
  std::optional<std::size_t> length;
  (void)take_line(headers);
  while (!headers.empty()) {
    const auto header = read_header_line(take_line(headers));
    if (!header || parse_header_name(header->name) != HeaderId::content_length) continue;
    if (length) return bad("More than one Content-Length header");
    length = parse_content_length(header->value);
    if (!length) return bad("Malformed Content-Length");
  }
  if (!length) return bad("Content-Length is missing on a stream");  // RFC 3261 20.14
  return *length;
}

}  // namespace

Result<void, ParseError> StreamFramer::feed(std::string_view bytes) {
  if (failed_) return bad("Stream is out of step");
  if (ready_.empty()) {
    buffer_.erase(0, framed_);
    scanned_ -= framed_;
    framed_ = 0;
    consumed_ = 0;
  }
  buffer_.append(bytes);
  auto done = frame();
  failed_ = !done;
  return done;
}

Result<void, ParseError> StreamFramer::frame() {
  for (;;) {
    if (message_length_ == 0) skip_keep_alives();
    if (auto done = find_length(); !done) return done;
    if (message_length_ == 0 || buffer_.size() - framed_ < message_length_) return {};
    ready_.push_back({framed_, message_length_});
    framed_ += message_length_;
    scanned_ = framed_;
    message_length_ = 0;
  }
}

void StreamFramer::skip_keep_alives() {
  while (buffer_.compare(framed_, 2, "\r\n") == 0) {
    framed_ += 2;
    if (half_ping_) ++pings_;
    half_ping_ = !half_ping_;
  }
  const bool message_begins = framed_ < buffer_.size() && buffer_[framed_] != '\r';
  if (message_begins) half_ping_ = false;
  scanned_ = std::max(scanned_, framed_);
}

Result<void, ParseError> StreamFramer::find_length() {
  if (message_length_ != 0 || framed_ == buffer_.size()) return {};
  const std::size_t headers_end = find_headers_end(buffer_, scanned_);
  if (headers_end == std::string::npos) {
    if (buffer_.size() - framed_ > limits::message_bytes_max) return bad("Headers without end", 513);
    // The last three bytes may be the beginning of the empty line.
    scanned_ = std::max(framed_, buffer_.size() - std::min<std::size_t>(buffer_.size(), 3));
    return {};
  }
  const std::size_t headers_length = headers_end + 4 - framed_;
  const auto length = body_length(std::string_view(buffer_).substr(framed_, headers_length - 2));
  if (!length) return fail(length.error());
  if (headers_length + *length > limits::message_bytes_max) return bad("Message too large", 513);
  message_length_ = headers_length + *length;
  return {};
}

bool StreamFramer::next(std::string& message) {
  if (ready_.empty()) return false;
  const Span span = ready_.front();
  ready_.pop_front();
  message.assign(buffer_, span.at, span.length);
  consumed_ = span.at + span.length;
  return true;
}

unsigned StreamFramer::take_pings() {
  const unsigned taken = pings_;
  pings_ = 0;
  return taken;
}

}  // namespace baton::sip
