#include "sip/draft.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/assert.h"
#include "sip/text.h"

namespace baton::sip {
namespace {

bool breaks_line(std::string_view value) {
  return value.find('\r') != std::string_view::npos || value.find('\n') != std::string_view::npos;
}

// RFC 3261 7.3.1 recommends what proxies need towards the top.
enum Rank : std::uint8_t { via, routing, identity, target, rest, body_type, ranks_count, none };

constexpr Rank rank_of(HeaderId id) {
  switch (id) {
    case HeaderId::via:
      return via;
    case HeaderId::record_route:
    case HeaderId::route:
    case HeaderId::max_forwards:
      return routing;
    case HeaderId::from:
    case HeaderId::to:
    case HeaderId::call_id:
    case HeaderId::cseq:
      return identity;
    case HeaderId::contact:
      return target;
    case HeaderId::content_type:
      return body_type;
    case HeaderId::content_length:
      return none;  // ours is the only one, whatever was copied in
    default:
      return rest;
  }
}

constexpr auto ranks = [] {
  std::array<Rank, header_ids_count> all{};
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = rank_of(static_cast<HeaderId>(i));
  return all;
}();

void append_number(std::string& out, std::size_t number) {
  std::array<char, 20> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

}  // namespace

Draft Draft::request(Method method, std::string_view request_uri) {
  BATON_ASSERT(method != Method::other);
  Draft draft;
  draft.text_.reserve(512);
  draft.entries_.reserve(16);
  draft.method_ = method;
  draft.start_ = draft.keep(request_uri);
  return draft;
}

Draft Draft::response(int status, std::string_view reason) {
  BATON_ASSERT(status >= 100 && status <= 699);
  BATON_ASSERT(is_safe_value(reason));
  Draft draft;
  draft.text_.reserve(512);
  draft.entries_.reserve(12);
  draft.status_ = status;
  draft.start_ = draft.keep(reason.empty() ? default_reason(status) : reason);
  return draft;
}

Draft::Span Draft::keep(std::string_view text) {
  const Span span{static_cast<std::uint32_t>(text_.size()), static_cast<std::uint32_t>(text.size())};
  text_.append(text);
  return span;
}

Draft& Draft::add(HeaderId id, std::string_view value) {
  BATON_ASSERT(id != HeaderId::other);
  BATON_ASSERT(!breaks_line(value));
  entries_.push_back({id, {}, keep(value)});
  return *this;
}

Draft& Draft::add(HeaderId id, std::initializer_list<std::string_view> pieces) {
  BATON_ASSERT(id != HeaderId::other);
  Span value{static_cast<std::uint32_t>(text_.size()), 0};
  for (const std::string_view piece : pieces) {
    BATON_ASSERT(!breaks_line(piece));
    value.length += keep(piece).length;
  }
  entries_.push_back({id, {}, value});
  return *this;
}

Draft& Draft::add(std::string_view name, std::string_view value) {
  BATON_ASSERT(!name.empty() && text::all(name, text::Chars::token));
  BATON_ASSERT(!breaks_line(value));
  const HeaderId id = parse_header_name(name);
  const Span kept = id == HeaderId::other ? keep(name) : Span{};
  entries_.push_back({id, kept, keep(value)});
  return *this;
}

Draft& Draft::add(const FieldView& field) {
  return field.id == HeaderId::other ? add(field.name, field.value) : add(field.id, field.value);
}

Draft& Draft::add_first(HeaderId id, std::string_view value) {
  const auto place =
      std::find_if(entries_.begin(), entries_.end(), [id](const Entry& entry) { return entry.id == id; });
  const auto index = place - entries_.begin();
  add(id, value);
  std::rotate(entries_.begin() + index, entries_.end() - 1, entries_.end());
  return *this;
}

Draft& Draft::set(HeaderId id, std::string_view value) {
  return remove(id).add(id, value);
}

Draft& Draft::remove(HeaderId id) {
  std::erase_if(entries_, [id](const Entry& entry) { return entry.id == id; });
  return *this;
}

Draft& Draft::body(std::string_view content_type, std::string bytes) {
  body_ = std::move(bytes);
  return set(HeaderId::content_type, content_type);
}

std::string_view Draft::header(HeaderId id) const {
  const auto found =
      std::find_if(entries_.begin(), entries_.end(), [id](const Entry& entry) { return entry.id == id; });
  return found == entries_.end() ? std::string_view{} : text(found->value);
}

std::vector<Draft::FieldView> Draft::fields() const {
  std::vector<FieldView> views;
  views.reserve(entries_.size());
  for (const Entry& entry : entries_) views.push_back({entry.id, name_of(entry), text(entry.value)});
  return views;
}

std::string Draft::write(std::string_view top_via) const {
  BATON_ASSERT(!breaks_line(top_via));
  if (top_via.empty()) return write({}, true);
  std::string line;
  line.reserve(top_via.size() + 7);
  line.append("Via: ").append(top_via).append("\r\n");
  return write(line, true);
}

std::string Draft::write_with_vias(std::string_view lines) const {
  return write(lines, false);
}

std::string Draft::write(std::string_view via_lines, bool own_vias) const {
  std::string out;
  std::size_t size = 128 + text_.size() + via_lines.size() + body_.size();
  for (const Entry& entry : entries_) size += name_of(entry).size() + 4;
  out.reserve(size);
  if (is_request()) {
    BATON_ASSERT(start_.length != 0 && text::all(request_uri(), text::Chars::visible));
    out.append(to_string(method_)).append(" ").append(request_uri()).append(" SIP/2.0\r\n");
  } else {
    out.append("SIP/2.0 ");
    append_number(out, static_cast<std::size_t>(status_));
    out.append(" ").append(text(start_)).append("\r\n");
  }
  out.append(via_lines);
  for (unsigned rank = own_vias ? via : routing; rank < ranks_count; ++rank) {
    for (const Entry& entry : entries_) {
      if (ranks[static_cast<std::size_t>(entry.id)] != rank) continue;
      out.append(name_of(entry)).append(": ").append(text(entry.value)).append("\r\n");
    }
  }
  out.append("Content-Length: ");
  append_number(out, body_.size());
  out.append("\r\n\r\n").append(body_);
  return out;
}

Draft make_response(const Message& request, int status, std::string_view to_tag, std::string_view reason) {
  Draft response = Draft::response(status, reason);
  for (const auto& entry : request.entries()) {
    switch (entry.id) {
      case HeaderId::via:
      case HeaderId::from:
      case HeaderId::call_id:
      case HeaderId::cseq:
        response.add(entry.id, request.value_of(entry));
        break;
      case HeaderId::to:
        if (status != 100 && !to_tag.empty() && request.to_tag().empty()) {
          response.add(entry.id, {request.value_of(entry), ";tag=", to_tag});
        } else {
          response.add(entry.id, request.value_of(entry));
        }
        break;
      case HeaderId::timestamp:
        if (status == 100) response.add(entry.id, request.value_of(entry));
        break;
      default:
        break;
    }
  }
  return response;
}

bool is_safe_value(std::string_view value) {
  return !breaks_line(value) && value.find('\0') == std::string_view::npos;
}

std::string quote(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < ' ' || byte == 0x7f) continue;
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  out.push_back('"');
  return out;
}

std::string make_sipfrag(int status, std::string_view reason) {
  BATON_ASSERT(status >= 100 && status <= 699);
  BATON_ASSERT(is_safe_value(reason));
  std::string out = "SIP/2.0 " + std::to_string(status) + " ";
  out.append(reason.empty() ? default_reason(status) : reason).append("\r\n");
  return out;
}

std::optional<int> parse_sipfrag(std::string_view body) {
  constexpr std::string_view version = "SIP/2.0 ";
  if (!text::equals_ignoring_case(body.substr(0, version.size()), version)) return std::nullopt;
  body.remove_prefix(version.size());
  const auto status = text::parse_decimal(body.substr(0, 3), 699);
  const bool ends = body.size() <= 3 || body[3] == ' ' || body[3] == '\r' || body[3] == '\n';
  if (!status || *status < 100 || !ends) return std::nullopt;
  return static_cast<int>(*status);
}

}  // namespace baton::sip
