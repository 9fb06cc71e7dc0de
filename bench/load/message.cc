#include "load/message.h"

#include <charconv>

namespace baton::bench {
namespace {

constexpr std::size_t stream_message_max = 65'536;

bool same(std::string_view name, std::string_view lower_case) {
  if (name.size() != lower_case.size()) return false;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i] >= 'A' && name[i] <= 'Z' ? static_cast<char>(name[i] + 32) : name[i];
    if (c != lower_case[i]) return false;
  }
  return true;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

template <typename Number>
bool to_number(std::string_view text, Number& number) {
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
  return result.ec == std::errc{} && result.ptr == text.data() + text.size();
}

std::string_view read_start(std::string_view line, Message& message) {
  constexpr std::string_view version = "SIP/2.0";
  if (line.substr(0, version.size()) == version) {
    if (line.size() < 12 || line[7] != ' ' || !to_number(line.substr(8, 3), message.status)) {
      return "the status line can not be read";
    }
    return {};
  }
  const std::size_t first = line.find(' '), last = line.rfind(' ');
  if (first == line.npos || last == first || line.substr(last + 1) != version)
    return "the request line can not be read";
  message.method = line.substr(0, first);
  message.uri = line.substr(first + 1, last - first - 1);
  return {};
}

std::string_view read_cseq(std::string_view value, Message& message) {
  const std::size_t space = value.find(' ');
  if (space == value.npos || !to_number(value.substr(0, space), message.cseq_number))
    return "CSeq can not be read";
  const std::string_view method = trimmed(value.substr(space));
  if (message.status != 0) {
    message.method = method;
  } else if (method != message.method) {
    return "CSeq names another method than the request line";
  }
  message.cseq = value;
  return {};
}

}  // namespace

std::string_view read(std::string_view bytes, Message& message) {
  std::size_t at = bytes.find("\r\n");
  if (at == bytes.npos) return "there is no line";
  if (const auto why = read_start(bytes.substr(0, at), message); !why.empty()) return why;
  std::size_t length = bytes.npos;
  at += 2;
  for (;;) {
    const std::size_t end = bytes.find("\r\n", at);
    if (end == bytes.npos) return "the header does not end";
    if (end == at) break;
    const std::string_view line = bytes.substr(at, end - at);
    at = end + 2;
    const std::size_t colon = line.find(':');
    if (colon == line.npos) return "a header line without a colon";
    const std::string_view name = trimmed(line.substr(0, colon)), value = trimmed(line.substr(colon + 1));
    const auto once = [&](std::string_view& field) { return field.empty() && !(field = value).empty(); };
    bool good = true;
    if (same(name, "via") || same(name, "v")) good = message.vias.add(value);
    if (same(name, "record-route")) good = message.record_routes.add(value);
    if (same(name, "from") || same(name, "f")) good = once(message.from);
    if (same(name, "to") || same(name, "t")) good = once(message.to);
    if (same(name, "call-id") || same(name, "i")) good = once(message.call_id);
    if (same(name, "contact") || same(name, "m")) good = once(message.contact);
    if (same(name, "event") || same(name, "o")) good = once(message.event);
    if (same(name, "subscription-state")) good = once(message.subscription_state);
    if (same(name, "warning")) message.warning = value;
    if (same(name, "content-length") || same(name, "l")) good = to_number(value, length);
    if (!good) return "a header that stands too often, is empty, or is no number";
    if (same(name, "cseq")) {
      if (const auto why = read_cseq(value, message); !why.empty()) return why;
    }
  }
  message.body = bytes.substr(at + 2);
  if (message.vias.count == 0 || message.from.empty() || message.to.empty() || message.call_id.empty() ||
      message.cseq.empty()) {
    return "Via, From, To, Call-ID or CSeq is missing";
  }
  if (length == bytes.npos || length != message.body.size()) return "Content-Length is not that of the body";
  if (tag_of(message.from).empty()) return "From has no tag";
  return {};
}

std::size_t first_message(std::string_view stream) {
  const std::size_t end = stream.find("\r\n\r\n");
  if (end == stream.npos) return stream.size() > stream_message_max ? stream.npos : 0;
  std::size_t length = stream.npos;
  for (std::size_t at = stream.find("\r\n"); at < end; at = stream.find("\r\n", at + 2)) {
    const std::string_view line = stream.substr(at + 2, stream.find("\r\n", at + 2) - at - 2);
    const std::size_t colon = line.find(':');
    if (colon == line.npos || !same(trimmed(line.substr(0, colon)), "content-length")) continue;
    if (!to_number(trimmed(line.substr(colon + 1)), length) || length > stream_message_max)
      return stream.npos;
  }
  if (length == stream.npos) return stream.npos;
  const std::size_t whole = end + 4 + length;
  return whole <= stream.size() ? whole : 0;
}

std::string_view tag_of(std::string_view from_or_to) {
  const std::size_t after = from_or_to.rfind('>');
  const std::size_t at = from_or_to.find(";tag=", after == from_or_to.npos ? 0 : after);
  if (at == from_or_to.npos) return {};
  const std::string_view rest = from_or_to.substr(at + 5);
  return rest.substr(0, rest.find(';'));
}

std::string_view uri_of(std::string_view name_addr) {
  const std::size_t open = name_addr.find('<');
  const std::size_t close = name_addr.find('>', open == name_addr.npos ? 0 : open);
  if (open == name_addr.npos || close == name_addr.npos) return {};
  return name_addr.substr(open + 1, close - open - 1);
}

std::string_view user_of(std::string_view address) {
  const std::string_view uri = address.find('<') == address.npos ? address : uri_of(address);
  const std::size_t colon = uri.find(':'), at = uri.find('@');
  if (colon == uri.npos || at == uri.npos || at < colon) return {};
  return uri.substr(colon + 1, at - colon - 1);
}

bool trailing_number(std::string_view text, std::uint64_t& number) {
  std::size_t from = text.size();
  while (from > 0 && text[from - 1] >= '0' && text[from - 1] <= '9') --from;
  return from < text.size() && to_number(text.substr(from), number);
}

}  // namespace baton::bench
