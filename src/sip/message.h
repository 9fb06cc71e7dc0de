// A received SIP message: one owned buffer and an index over it. A message that frames is accepted even
// when a header deep inside is bad; the fault is found, and answered, when that header is read. Folds are
// taken out in place, so a value never holds a CR or LF; a NUL can only be the second half of a quoted-pair.
// No view outlives the message. Lives on the shard that received it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sip/header.h"
#include "sip/method.h"

namespace baton::sip {

class Message {
 public:
  struct Entry {
    HeaderId id = HeaderId::other;
    std::uint32_t name_at = 0;
    std::uint32_t name_length = 0;
    std::uint32_t value_at = 0;
    std::uint32_t value_length = 0;  // without surrounding white space; folds are blanks by now
  };

  // One whole message (a datagram, or what the framer cut from a stream). On a datagram bytes after
  // Content-Length are dropped (RFC 3261 18.3); a Content-Length beyond the end is an error.
  [[nodiscard]] static Result<Message, ParseError> parse(std::string bytes);

  // A message goes through several queues, so moving it moves one pointer; what is left may only be assigned
  // to or destroyed.
  Message(Message&&) = default;
  Message& operator=(Message&&) = default;
  Message(const Message& other) : data_(std::make_unique<Data>(*other.data_)) {}
  Message& operator=(const Message& other) {
    if (this != &other) data_ = std::make_unique<Data>(*other.data_);
    return *this;
  }
  ~Message() = default;

  [[nodiscard]] bool is_request() const { return data_->status == 0; }
  [[nodiscard]] Method method() const {
    return data_->method;
  }  // of a request; of a response, that of its CSeq
  [[nodiscard]] std::string_view method_text() const;
  [[nodiscard]] std::string_view request_uri() const;         // requests only
  [[nodiscard]] int status() const { return data_->status; }  // 100-699 of a response, 0 of a request
  [[nodiscard]] std::string_view reason_phrase() const;

  // First value of that header as written (a comma list is one value); empty when absent or empty.
  [[nodiscard]] std::string_view header(HeaderId id) const;
  [[nodiscard]] std::string_view header(std::string_view name) const;  // any case, canonical or compact
  [[nodiscard]] bool has(HeaderId id) const;
  [[nodiscard]] std::size_t count(HeaderId id) const;  // header lines, not comma elements
  // Every element of every line of that header, comma lists taken apart, in order.
  [[nodiscard]] std::vector<std::string_view> elements(HeaderId id) const;
  // Exactly one element, however many lines it might have been written on.
  [[nodiscard]] bool has_one(HeaderId id) const;
  // True when a comma list of that header (Require, Supported, Allow) has the token; any case.
  [[nodiscard]] bool lists(HeaderId id, std::string_view token) const;
  [[nodiscard]] const std::vector<Entry>& entries() const { return data_->entries; }
  [[nodiscard]] std::string_view name_of(const Entry& entry) const;
  [[nodiscard]] std::string_view value_of(const Entry& entry) const;
  [[nodiscard]] std::string_view body() const;
  [[nodiscard]] std::string_view bytes() const { return data_->bytes; }

  // Decoded on demand. parse() has checked that these exist and are well formed, so they can not fail.
  [[nodiscard]] const Via& top_via() const { return data_->top_via; }
  [[nodiscard]] const NameAddr& from() const { return data_->from; }
  [[nodiscard]] const NameAddr& to() const { return data_->to; }
  [[nodiscard]] const CSeq& cseq() const { return data_->cseq; }
  [[nodiscard]] std::string_view call_id() const { return header(HeaderId::call_id); }

  // First Contact as an address; nothing when absent, "*", or malformed.
  [[nodiscard]] std::optional<NameAddr> contact() const;
  // 70 when absent (RFC 3261 16.6); the error says 400 when it is not a number up to 255.
  [[nodiscard]] Result<int, ParseError> max_forwards() const;

 private:
  friend class MessageParser;
  // Places in `bytes` are offsets: a copy of them is as good.
  struct Data {
    std::string bytes;
    std::vector<Entry> entries;
    std::uint32_t start_a_at = 0, start_a_length = 0;  // method text, or reason phrase
    std::uint32_t start_b_at = 0, start_b_length = 0;  // Request-URI
    std::uint32_t body_at = 0, body_length = 0;
    Method method = Method::other;
    int status = 0;
    Via top_via;
    NameAddr from, to;
    CSeq cseq;
  };
  Message() : data_(std::make_unique<Data>()) {}

  std::unique_ptr<Data> data_;  // never null but after a move
};

// For a datagram that Message::parse refused: the 4xx/5xx bytes to send back (RFC 3261 8.1.1's mandatory
// fields copied as they stand), or nothing when it is not a request, is an ACK, or lacks what an answer
// needs.
[[nodiscard]] std::optional<std::string> answer_to_malformed(std::string_view bytes, const ParseError& error);

}  // namespace baton::sip
