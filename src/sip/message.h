// A received SIP message: one owned buffer and an index over it. A message that frames is accepted even
// when a header deep inside is bad; the fault is found, and answered, when that header is read. Folds are
// taken out in place, so a value never holds a CR or LF; a NUL can only be the second half of a quoted-pair.
// No view outlives the message. Lives on the shard that received it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/pool.h"
#include "base/result.h"
#include "sip/header.h"
#include "sip/method.h"

namespace baton::sip {

class Spares;

class Message {
 public:
  struct Entry {
    HeaderId id = HeaderId::other;
    // Places in bytes(), which are fewer than 2^16.
    std::uint16_t name_at = 0;
    std::uint16_t name_length = 0;
    std::uint16_t value_at = 0;
    std::uint16_t value_length = 0;  // without surrounding white space; folds are blanks by now
  };

  // One whole message (a datagram, or what the framer cut from a stream). On a datagram bytes after
  // Content-Length are dropped (RFC 3261 18.3); a Content-Length beyond the end is an error.
  // With `spares` it is made of what earlier ones have left, and leaves itself to later ones.
  [[nodiscard]] static Result<Message, ParseError> parse(std::string bytes, Spares* spares = nullptr);

  // A message goes through several queues, and more than one may keep it: a copy is the same message. One
  // that was moved from may only be assigned to or destroyed.
  Message(Message&&) = default;
  Message& operator=(Message&&) = default;
  Message(const Message&) = default;
  Message& operator=(const Message&) = default;
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
  [[nodiscard]] std::span<const Entry> entries() const { return data_->entries(); }
  [[nodiscard]] std::string_view name_of(const Entry& entry) const;
  [[nodiscard]] std::string_view value_of(const Entry& entry) const;
  [[nodiscard]] std::string_view body() const;
  [[nodiscard]] std::string_view bytes() const { return data_->bytes; }

  // What it is matched by. parse() has checked that the headers exist and are well formed.
  [[nodiscard]] std::string_view from_tag() const { return tag(data_->from); }  // empty: none
  [[nodiscard]] std::string_view to_tag() const { return tag(data_->to); }      // empty: none
  [[nodiscard]] ViaHead via_head() const;                                       // the top Via's
  // The whole headers, decoded when first asked for; they can not fail either.
  [[nodiscard]] const Via& top_via() const;
  [[nodiscard]] const NameAddr& from() const { return decoded(data_->from, HeaderId::from); }
  [[nodiscard]] const NameAddr& to() const { return decoded(data_->to, HeaderId::to); }
  [[nodiscard]] const CSeq& cseq() const { return data_->cseq; }
  [[nodiscard]] std::string_view call_id() const { return header(HeaderId::call_id); }

  // First Contact as an address; nothing when absent, "*", or malformed.
  [[nodiscard]] std::optional<NameAddr> contact() const;
  // 70 when absent (RFC 3261 16.6); the error says 400 when it is not a number up to 255.
  [[nodiscard]] Result<int, ParseError> max_forwards() const;

  // What it is made of, and what is made of it may be; null: nothing is kept.
  [[nodiscard]] Spares* spares() const { return data_->spares; }

 private:
  friend class MessageParser;
  friend class Spares;
  // A place in `bytes`.
  struct Span {
    std::uint16_t at = 0, length = 0;
  };
  // A value made when it is first needed.
  template <typename T>
  using Decoded = std::unique_ptr<T>;
  struct Address {
    Span tag;
    bool masked = false;  // the tag is that of `whole`
    mutable Decoded<NameAddr> whole;
  };
  // More than most messages have; one that has more gets a list of its own.
  static constexpr std::size_t usual_entries = 24;

  // What is found in the bytes.
  struct Index {
    std::size_t entries_count = 0;
    // By header: the first of it, counted from 1; whether there are more.
    std::array<std::uint8_t, header_ids_count> first{};
    std::uint64_t repeated = 0;
    Span start_a;  // method text, or reason phrase
    Span start_b;  // Request-URI
    Span body;
    Method method = Method::other;
    int status = 0;
    struct {
      Span whole, transport, host, branch;
      std::uint16_t port = 0;
      bool rport = false, received = false, masked = false;
      mutable Decoded<Via> decoded;
    } via;
    Address from, to;
    CSeq cseq;
  };
  struct Data : Index {
    std::string bytes;
    std::array<Entry, usual_entries> first_entries;
    std::vector<Entry> all_entries;  // when they are more
    Spares* spares = nullptr;

    void add(const Entry& entry);
    [[nodiscard]] std::span<const Entry> entries() const {
      return {all_entries.empty() ? first_entries.data() : all_entries.data(), entries_count};
    }
    bool recycle();
  };
  static_assert(header_ids_count <= 64);

  [[nodiscard]] std::string_view text(Span span) const {
    return std::string_view(data_->bytes).substr(span.at, span.length);
  }
  [[nodiscard]] const NameAddr& decoded(const Address& address, HeaderId id) const;
  [[nodiscard]] std::string_view tag(const Address& address) const {
    return address.masked ? address.whole->tag() : text(address.tag);
  }
  explicit Message(Pool<Data>::Ref data) : data_(std::move(data)) {}

  Pool<Data>::Ref data_;  // never null but after a move; parse() is the last to change it
};

// For a datagram that Message::parse refused: the 4xx/5xx bytes to send back (RFC 3261 8.1.1's mandatory
// fields copied as they stand), or nothing when it is not a request, is an ACK, or lacks what an answer
// needs.
[[nodiscard]] std::optional<std::string> answer_to_malformed(std::string_view bytes, const ParseError& error);

}  // namespace baton::sip
