#include "sip/draft.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/assert.h"
#include "base/limits.h"
#include "sip/spares.h"
#include "sip/text.h"

namespace baton::sip {
namespace {

constexpr std::size_t usual_bytes = 512;
constexpr std::size_t kept_bytes_max = 8'192;

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

Draft::Draft(Spares* spares) : parts_(spares != nullptr ? spares->drafts_.take() : Pool<Parts>::make()) {
  parts_->spares = spares;
  parts_->text.reserve(usual_bytes);
  parts_->entries.reserve(16);
}

Draft::Draft(const Draft& other) {
  if (!other.parts_) return;
  parts_ = other.parts_.sibling();
  *parts_ = *other.parts_;
}

bool Draft::Parts::recycle() {
  text.clear();
  entries.clear();
  body.clear();
  return text.capacity() + body.capacity() <= kept_bytes_max && entries.capacity() <= limits::headers_max;
}

Draft Draft::request(Method method, std::string_view request_uri, Spares* spares) {
  BATON_ASSERT(method != Method::other);
  Draft draft(spares);
  draft.parts_->method = method;
  draft.parts_->status = 0;
  draft.parts_->start = draft.keep(request_uri);
  return draft;
}

Draft Draft::response(int status, std::string_view reason, Spares* spares) {
  BATON_ASSERT(status >= 100 && status <= 699);
  BATON_ASSERT(is_safe_value(reason));
  Draft draft(spares);
  draft.parts_->method = Method::other;
  draft.parts_->status = status;
  draft.parts_->start = draft.keep(reason.empty() ? default_reason(status) : reason);
  return draft;
}

Draft::Span Draft::keep(std::string_view text) {
  std::string& all = parts_->text;
  const Span span{static_cast<std::uint32_t>(all.size()), static_cast<std::uint32_t>(text.size())};
  all.append(text);
  return span;
}

Draft& Draft::add(HeaderId id, std::string_view value) {
  BATON_ASSERT(id != HeaderId::other);
  BATON_ASSERT(!breaks_line(value));
  parts_->entries.push_back({id, {}, keep(value)});
  return *this;
}

Draft& Draft::add(HeaderId id, std::initializer_list<std::string_view> pieces) {
  BATON_ASSERT(id != HeaderId::other);
  Span value{static_cast<std::uint32_t>(parts_->text.size()), 0};
  for (const std::string_view piece : pieces) {
    BATON_ASSERT(!breaks_line(piece));
    value.length += keep(piece).length;
  }
  parts_->entries.push_back({id, {}, value});
  return *this;
}

Draft& Draft::add(std::string_view name, std::string_view value) {
  BATON_ASSERT(!name.empty() && text::all(name, text::Chars::token));
  BATON_ASSERT(!breaks_line(value));
  const HeaderId id = parse_header_name(name);
  const Span kept = id == HeaderId::other ? keep(name) : Span{};
  parts_->entries.push_back({id, kept, keep(value)});
  return *this;
}

Draft& Draft::add(const FieldView& field) {
  return field.id == HeaderId::other ? add(field.name, field.value) : add(field.id, field.value);
}

Draft& Draft::add_first(HeaderId id, std::string_view value) {
  auto& entries = parts_->entries;
  const auto place =
      std::find_if(entries.begin(), entries.end(), [id](const Entry& entry) { return entry.id == id; });
  const auto index = place - entries.begin();
  add(id, value);
  std::rotate(entries.begin() + index, entries.end() - 1, entries.end());
  return *this;
}

Draft& Draft::set(HeaderId id, std::string_view value) {
  return remove(id).add(id, value);
}

Draft& Draft::remove(HeaderId id) {
  std::erase_if(parts_->entries, [id](const Entry& entry) { return entry.id == id; });
  return *this;
}

Draft& Draft::body(std::string_view content_type, std::string_view bytes) {
  parts_->body = bytes;
  return set(HeaderId::content_type, content_type);
}

std::string_view Draft::header(HeaderId id) const {
  const auto& entries = parts_->entries;
  const auto found =
      std::find_if(entries.begin(), entries.end(), [id](const Entry& entry) { return entry.id == id; });
  return found == entries.end() ? std::string_view{} : text(found->value);
}

std::vector<Draft::FieldView> Draft::fields() const {
  std::vector<FieldView> views;
  views.reserve(parts_->entries.size());
  for (const Entry& entry : parts_->entries) views.push_back({entry.id, name_of(entry), text(entry.value)});
  return views;
}

std::string Draft::write(std::string_view top_via) const {
  BATON_ASSERT(!breaks_line(top_via));
  return write(top_via, {}, Vias::own);
}

std::string Draft::write_with_vias(std::string_view lines) const {
  return write({}, lines, Vias::given);
}

std::string Draft::write(std::string_view top_via, std::string_view via_lines, Vias vias) const {
  const std::string& body = parts_->body;
  std::size_t size = 64 + parts_->text.size() + top_via.size() + via_lines.size() + body.size();
  for (const Entry& entry : parts_->entries) size += name_of(entry).size() + 4;
  std::string out;
  if (parts_->spares != nullptr) {
    out = parts_->spares->buffers().take(size);
  } else {
    out.reserve(size);
  }
  if (is_request()) {
    BATON_ASSERT(parts_->start.length != 0 && text::all(request_uri(), text::Chars::visible));
    out.append(to_string(method())).append(" ").append(request_uri()).append(" SIP/2.0\r\n");
  } else {
    out.append("SIP/2.0 ");
    append_number(out, static_cast<std::size_t>(status()));
    out.append(" ").append(text(parts_->start)).append("\r\n");
  }
  if (!top_via.empty()) out.append("Via: ").append(top_via).append("\r\n");
  out.append(via_lines);
  for (unsigned rank = vias == Vias::own ? via : routing; rank < ranks_count; ++rank) {
    for (const Entry& entry : parts_->entries) {
      if (ranks[static_cast<std::size_t>(entry.id)] != rank) continue;
      out.append(name_of(entry)).append(": ").append(text(entry.value)).append("\r\n");
    }
  }
  out.append("Content-Length: ");
  append_number(out, body.size());
  out.append("\r\n\r\n").append(body);
  return out;
}

Draft make_response(const Message& request, int status, std::string_view to_tag, std::string_view reason) {
  Draft response = Draft::response(status, reason, request.spares());
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
