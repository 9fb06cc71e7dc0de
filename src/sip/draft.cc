#include "sip/draft.h"

#include <algorithm>

#include "base/assert.h"
#include "sip/text.h"

namespace baton::sip {
namespace {

bool breaks_line(std::string_view value) {
  return value.find('\r') != std::string_view::npos || value.find('\n') != std::string_view::npos;
}

// RFC 3261 7.3.1 recommends what proxies need towards the top.
enum Rank : unsigned { via, routing, identity, target, rest, body_type, ranks_count };

Rank rank_of(HeaderId id) {
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
    default:
      return rest;
  }
}

}  // namespace

Draft Draft::request(Method method, std::string request_uri) {
  BATON_ASSERT(method != Method::other);
  Draft draft;
  draft.fields_.reserve(16);
  draft.method_ = method;
  draft.request_uri_ = std::move(request_uri);
  return draft;
}

Draft Draft::response(int status, std::string_view reason) {
  BATON_ASSERT(status >= 100 && status <= 699);
  BATON_ASSERT(is_safe_value(reason));
  Draft draft;
  draft.fields_.reserve(12);
  draft.status_ = status;
  draft.reason_ = reason.empty() ? default_reason(status) : reason;
  return draft;
}

Draft& Draft::add(HeaderId id, std::string value) {
  BATON_ASSERT(id != HeaderId::other);
  BATON_ASSERT(!breaks_line(value));
  fields_.push_back({id, {}, std::move(value)});
  return *this;
}

Draft& Draft::add(std::string name, std::string value) {
  BATON_ASSERT(!name.empty() && text::all(name, text::Chars::token));
  BATON_ASSERT(!breaks_line(value));
  const HeaderId id = parse_header_name(name);
  if (id != HeaderId::other) name.clear();
  fields_.push_back({id, std::move(name), std::move(value)});
  return *this;
}

Draft& Draft::add_first(HeaderId id, std::string value) {
  const auto place =
      std::find_if(fields_.begin(), fields_.end(), [id](const Field& field) { return field.id == id; });
  const auto index = place - fields_.begin();
  add(id, std::move(value));
  std::rotate(fields_.begin() + index, fields_.end() - 1, fields_.end());
  return *this;
}

Draft& Draft::set(HeaderId id, std::string value) {
  return remove(id).add(id, std::move(value));
}

Draft& Draft::remove(HeaderId id) {
  std::erase_if(fields_, [id](const Field& field) { return field.id == id; });
  return *this;
}

Draft& Draft::body(std::string content_type, std::string bytes) {
  body_ = std::move(bytes);
  return set(HeaderId::content_type, std::move(content_type));
}

std::string_view Draft::header(HeaderId id) const {
  const auto found =
      std::find_if(fields_.begin(), fields_.end(), [id](const Field& field) { return field.id == id; });
  return found == fields_.end() ? std::string_view{} : std::string_view(found->value);
}

std::string Draft::write(std::string_view top_via) const {
  BATON_ASSERT(!breaks_line(top_via));
  std::string out;
  std::size_t size = 128 + request_uri_.size() + top_via.size() + body_.size();
  for (const auto& field : fields_) size += field.name().size() + field.value.size() + 4;
  out.reserve(size);
  if (is_request()) {
    BATON_ASSERT(!request_uri_.empty() && text::all(request_uri_, text::Chars::visible));
    out.append(to_string(method_)).append(" ").append(request_uri_).append(" SIP/2.0\r\n");
  } else {
    out.append("SIP/2.0 ").append(std::to_string(status_)).append(" ").append(reason_).append("\r\n");
  }
  if (!top_via.empty()) out.append("Via: ").append(top_via).append("\r\n");
  for (unsigned rank = via; rank < ranks_count; ++rank) {
    for (const auto& field : fields_) {
      // Ours is the only Content-Length, whatever was copied in.
      if (field.id == HeaderId::content_length || rank_of(field.id) != rank) continue;
      out.append(field.name()).append(": ").append(field.value).append("\r\n");
    }
  }
  out.append("Content-Length: ").append(std::to_string(body_.size())).append("\r\n\r\n").append(body_);
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
        response.add(entry.id, std::string(request.value_of(entry)));
        break;
      case HeaderId::to: {
        std::string to(request.value_of(entry));
        if (status != 100 && !to_tag.empty() && request.to().tag().empty()) {
          to.append(";tag=").append(to_tag);
        }
        response.add(entry.id, std::move(to));
        break;
      }
      case HeaderId::timestamp:
        if (status == 100) response.add(entry.id, std::string(request.value_of(entry)));
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
