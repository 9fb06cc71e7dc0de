// A SIP message being written. Values are given whole; the draft puts them in a sound order, adds
// Content-Length, and refuses (by assertion) a CR or LF in a value, so nothing a peer sent can inject a
// header.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/pool.h"
#include "sip/header.h"
#include "sip/message.h"

namespace baton::sip {

class Spares;

class Draft {
 public:
  // A header as text that is somebody else's.
  struct FieldView {
    HeaderId id = HeaderId::other;
    std::string_view name;  // when it has no id
    std::string_view value;
  };
  // One on its way into a draft.
  struct Field {
    HeaderId id = HeaderId::other;
    std::string other_name;  // of a header that has no id
    std::string value;
    [[nodiscard]] FieldView view() const { return {id, other_name, value}; }
  };

  // With `spares` it is made of what earlier ones have left, and leaves itself to later ones. An empty one
  // (Draft{}) may only be assigned to or destroyed.
  [[nodiscard]] static Draft request(Method method, std::string_view request_uri, Spares* spares = nullptr);
  // `reason`: the standard phrase by default.
  [[nodiscard]] static Draft response(int status, std::string_view reason = {}, Spares* spares = nullptr);

  Draft() = default;
  Draft(Draft&&) = default;
  Draft& operator=(Draft&&) = default;
  Draft(const Draft& other);
  Draft& operator=(const Draft& other) { return *this = Draft(other); }
  ~Draft() = default;

  Draft& add(HeaderId id, std::string_view value);
  // The value in several pieces.
  Draft& add(HeaderId id, std::initializer_list<std::string_view> pieces);
  Draft& add(std::string_view name,
             std::string_view value);  // the canonical name is written, if there is one
  Draft& add(const Field& field) { return add(field.view()); }
  Draft& add(const FieldView& field);
  Draft& add_first(HeaderId id, std::string_view value);  // before all others of that header (Via)
  Draft& set(HeaderId id, std::string_view value);        // replaces all of that header
  Draft& remove(HeaderId id);
  Draft& body(std::string_view content_type, std::string_view bytes);

  [[nodiscard]] bool is_request() const { return parts_->status == 0; }
  [[nodiscard]] Method method() const { return parts_->method; }
  [[nodiscard]] int status() const { return parts_->status; }
  [[nodiscard]] std::string_view request_uri() const { return text(parts_->start); }
  void request_uri(std::string_view uri) { parts_->start = keep(uri); }
  [[nodiscard]] std::string_view header(HeaderId id) const;  // first; empty when absent
  [[nodiscard]] std::vector<FieldView> fields() const;       // each with its name
  [[nodiscard]] const std::string& body() const { return parts_->body; }

  // The bytes for the wire. Via first, Content-Length last. `top_via`, if any, goes before those it has.
  [[nodiscard]] std::string write(std::string_view top_via = {}) const;
  // The same with these Vias instead of its own: header lines, each with its CRLF.
  [[nodiscard]] std::string write_with_vias(std::string_view lines) const;

 private:
  // A place in `text_`.
  struct Span {
    std::uint32_t at = 0, length = 0;
  };
  struct Entry {
    HeaderId id = HeaderId::other;
    Span name;  // of a header that has no id
    Span value;
  };

  struct Parts {
    Method method = Method::other;
    int status = 0;
    Span start;  // Request-URI, or reason phrase
    // All that has been put in, one after the other; what has been taken out again stays there.
    std::string text;
    std::vector<Entry> entries;
    std::string body;
    Spares* spares = nullptr;

    bool recycle();
  };
  friend class Spares;

  explicit Draft(Spares* spares);

  [[nodiscard]] std::string_view text(Span span) const {
    return std::string_view(parts_->text).substr(span.at, span.length);
  }
  [[nodiscard]] std::string_view name_of(const Entry& entry) const {
    return entry.id == HeaderId::other ? text(entry.name) : canonical_name(entry.id);
  }
  Span keep(std::string_view text);
  enum class Vias : bool { own, given };
  [[nodiscard]] std::string write(std::string_view top_via, std::string_view via_lines, Vias vias) const;

  Pool<Parts>::Ref parts_;
};

// RFC 3261 8.2.6: Via, From, To, Call-ID, CSeq (and Timestamp on a 100) copied from the request. `to_tag` is
// added when the request's To has none and the status is not 100. Made of the request's spares.
[[nodiscard]] Draft make_response(const Message& request, int status, std::string_view to_tag = {},
                                  std::string_view reason = {});

[[nodiscard]] std::string_view default_reason(int status);

// True for text that may stand in a header value as it is: no CR, LF or NUL.
[[nodiscard]] bool is_safe_value(std::string_view value);
// A quoted-string with its quotes (RFC 3261 25.1), control characters dropped.
[[nodiscard]] std::string quote(std::string_view text);

// message/sipfrag with just a Status-Line (RFC 3515 2.4.5, RFC 3420): "SIP/2.0 180 Ringing\r\n".
[[nodiscard]] std::string make_sipfrag(int status, std::string_view reason = {});
// The status of a sipfrag body that starts with a Status-Line; nothing otherwise.
[[nodiscard]] std::optional<int> parse_sipfrag(std::string_view body);

}  // namespace baton::sip
