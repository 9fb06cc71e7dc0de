#include "sip/header.h"

#include <algorithm>

#include "sip/draft.h"
#include "sip/text.h"

namespace baton::sip {
namespace {

using text::bad;
using text::Chars;
using text::Cursor;

// A tag or branch that is written twice, or without a value, would make a dialog ambiguous.
Result<void, ParseError> check_identifier(const Parameters& parameters, std::string_view name) {
  const Parameter* found = nullptr;
  for (const auto& parameter : parameters) {
    if (parameter.name != name) continue;
    if (found != nullptr) return bad("Identifying parameter given twice");
    found = &parameter;
  }
  if (found != nullptr && (found->value.empty() || !text::all(found->value, Chars::loose_value))) {
    return bad("Malformed identifying parameter");
  }
  return {};
}

std::string_view value_or_empty(const Parameters& parameters, std::string_view name) {
  const std::string* value = find_parameter(parameters, name);
  return value == nullptr ? std::string_view{} : std::string_view(*value);
}

// RFC 3261 has *(token LWS) here; names with "(", "/" or UTF-8 in them are let through, those whose meaning
// would be in doubt (commas, quotes) are not.
bool is_unquoted_name(std::string_view name) {
  return std::none_of(name.begin(), name.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < ' ' && c != '\t' && c != '\r' && c != '\n') || byte == 0x7f || c == ',' || c == '"' ||
           c == ';' || c == '>' || c == '\\';
  });
}

std::string unfolded(std::string_view text) {
  std::string out(text);
  std::replace_if(
      out.begin(), out.end(), [](char c) { return c == '\r' || c == '\n' || c == '\t'; }, ' ');
  return out;
}

Result<Uri, ParseError> bracketed_uri(Cursor& cursor) {
  if (!cursor.eat('<')) return bad("Address without an opening bracket");
  const std::string_view rest = cursor.rest();
  const auto close = rest.find('>');
  if (close == std::string_view::npos) return bad("Address without a closing bracket");
  cursor.advance(close + 1);
  return Uri::parse(rest.substr(0, close));
}

// RFC 3261 20.10: without brackets a ";" starts a header parameter, and "?" and "," must not occur.
Result<Uri, ParseError> bare_uri(Cursor& cursor) {
  const std::string_view rest = cursor.rest();
  std::string_view uri = rest.substr(0, text::find_either(rest, ';', ' '));
  uri = uri.substr(0, text::find_either(uri, '\t', '\r'));
  if (text::find_either(uri, '?', ',') != uri.size()) return bad("Address needs brackets");
  cursor.advance(uri.size());
  return Uri::parse(uri);
}

Result<Uri, ParseError> address(Cursor& cursor, std::string& display_name) {
  if (cursor.peek() == '"') {
    auto name = cursor.quoted();
    if (!name) return bad("Unbalanced quotes in a display name");
    display_name = std::move(*name);
    cursor.skip_white();
    return bracketed_uri(cursor);
  }
  const std::string_view rest = cursor.rest();
  const auto open = rest.find('<');
  // A bracket or quote behind the first ";" belongs to a parameter of the form without brackets.
  if (open == std::string_view::npos || open > rest.find(';')) return bare_uri(cursor);
  const std::string_view name = text::trim(rest.substr(0, open));
  if (!is_unquoted_name(name)) return bad("Malformed display name");
  display_name = unfolded(name);
  cursor.advance(open);
  return bracketed_uri(cursor);
}

}  // namespace

const std::string* find_parameter(const Parameters& parameters, std::string_view name) {
  const auto found = std::find_if(parameters.begin(), parameters.end(),
                                  [name](const Parameter& p) { return p.name == name; });
  return found == parameters.end() ? nullptr : &found->value;
}

Result<NameAddr, ParseError> NameAddr::parse(std::string_view text) {
  Cursor cursor(text);
  cursor.skip_white();
  NameAddr parsed;
  auto uri = address(cursor, parsed.display_name);
  if (!uri) return fail(uri.error());
  parsed.uri = std::move(*uri);
  auto parameters = text::parse_parameters(cursor);
  if (!parameters) return fail(parameters.error());
  parsed.parameters = std::move(*parameters);
  if (auto sound = check_identifier(parsed.parameters, "tag"); !sound) return fail(sound.error());
  return parsed;
}

std::string NameAddr::to_string() const {
  std::string out;
  if (const std::string quoted = quote(display_name); quoted.size() > 2) out.append(quoted).append(" ");
  out.append("<").append(uri.to_string()).append(">");
  text::append_parameters(out, parameters);
  return out;
}

std::string_view NameAddr::tag() const {
  return value_or_empty(parameters, "tag");
}

Result<Via, ParseError> Via::parse(std::string_view text) {
  Cursor cursor(text);
  cursor.skip_white();
  if (!text::equals_ignoring_case(cursor.take(Chars::token), "SIP")) return bad("Via of another protocol");
  if (!cursor.eat_separator('/') || cursor.take(Chars::token) != "2.0") {
    return bad("Via of another SIP version");
  }
  Via via;
  if (!cursor.eat_separator('/')) return bad("Via without a transport");
  via.transport = cursor.take(Chars::token);
  std::transform(via.transport.begin(), via.transport.end(), via.transport.begin(), text::upper);
  if (via.transport.empty() || !cursor.skip_white()) return bad("Via without a transport");

  std::string_view host = cursor.rest();
  if (cursor.peek() == '[') {
    host = host.substr(0, std::min(host.find(']'), host.size() - 1) + 1);
    cursor.advance(host.size());
  } else {
    host = cursor.take(Chars::host);
  }
  auto parsed_host = text::parse_host(host);
  if (!parsed_host) return bad("Malformed host in Via");
  via.host = std::move(*parsed_host);
  if (cursor.eat_separator(':')) {
    const auto port = text::parse_decimal(cursor.take(Chars::digit), 65'535);
    if (!port || *port == 0) return bad("Malformed port in Via");
    via.port = static_cast<std::uint16_t>(*port);
  }
  auto parameters = text::parse_parameters(cursor);
  if (!parameters) return fail(parameters.error());
  via.parameters = std::move(*parameters);
  if (auto sound = check_identifier(via.parameters, "branch"); !sound) return fail(sound.error());
  return via;
}

std::string Via::to_string() const {
  std::string out;
  append_sent_by(out);
  text::append_parameters(out, parameters);
  return out;
}

void Via::append_sent_by(std::string& out) const {
  out.reserve(160);
  out.append("SIP/2.0/").append(transport).append(" ").append(host);
  if (port != 0) out.append(":").append(std::to_string(port));
}

std::string Via::stamped(std::string_view received, std::uint16_t rport) const {
  std::string out;
  append_sent_by(out);
  bool told = false;
  for (const Parameter& parameter : parameters) {
    if (parameter.name == "received") {
      told = true;
      out.append(";received=").append(received);
    } else if (parameter.name == "rport" && rport != 0) {
      out.append(";rport=").append(std::to_string(rport));
    } else {
      text::append_parameter(out, parameter);
    }
  }
  if (!told) out.append(";received=").append(received);
  return out;
}

std::string_view Via::branch() const {
  return value_or_empty(parameters, "branch");
}

Result<CSeq, ParseError> CSeq::parse(std::string_view text) {
  Cursor cursor(text);
  cursor.skip_white();
  // RFC 3261 8.1.1.5: less than 2^31.
  const auto number = text::parse_decimal(cursor.take(Chars::digit), 0x7fff'ffff);
  if (!number) return bad("Malformed CSeq number");
  if (!cursor.skip_white()) return bad("Malformed CSeq");
  CSeq cseq;
  cseq.number = static_cast<std::uint32_t>(*number);
  cseq.method_text = cursor.take(Chars::token);
  cseq.method = parse_method(cseq.method_text);
  cursor.skip_white();
  if (cseq.method_text.empty() || !cursor.at_end()) return bad("Malformed CSeq method");
  return cseq;
}

Result<TokenWithParameters, ParseError> TokenWithParameters::parse(std::string_view text) {
  Cursor cursor(text);
  cursor.skip_white();
  TokenWithParameters parsed;
  parsed.token = cursor.take(Chars::loose_word);
  if (parsed.token.empty()) return bad("Header value without a token");
  // "text / plain": the slash of a media type may stand between blanks (RFC 3261 25.1).
  if (parsed.token.find('/') == std::string::npos && cursor.eat_separator('/')) {
    parsed.token.append("/").append(cursor.take(Chars::loose_word));
  } else if (parsed.token.back() == '/' && cursor.skip_white()) {
    parsed.token.append(cursor.take(Chars::loose_word));
  }
  auto parameters = text::parse_parameters(cursor);
  if (!parameters) return fail(parameters.error());
  parsed.parameters = std::move(*parameters);
  return parsed;
}

namespace {

// Takes one element, and the comma behind it, off `rest`; empty between two commas.
std::string_view take_element(std::string_view& rest) {
  std::size_t at = 0;
  while (at < rest.size() && rest[at] != ',') {
    const char c = rest[at++];
    if (c == '"') {
      for (; at < rest.size() && rest[at] != '"'; ++at) {
        if (rest[at] == '\\') ++at;
      }
      ++at;
    } else if (c == '<') {
      at = std::min(rest.find('>', at), rest.size() - 1) + 1;
    }
  }
  at = std::min(at, rest.size());
  const auto element = text::trim(rest.substr(0, at));
  rest.remove_prefix(std::min(at + 1, rest.size()));
  return element;
}

}  // namespace

std::string_view first_element(std::string_view value) {
  while (!value.empty()) {
    if (const auto element = take_element(value); !element.empty()) return element;
  }
  return {};
}

void append_elements(std::vector<std::string_view>& elements, std::string_view value) {
  while (!value.empty()) {
    if (const auto element = take_element(value); !element.empty()) elements.push_back(element);
  }
}

std::vector<std::string_view> split_commas(std::string_view value) {
  std::vector<std::string_view> elements;
  append_elements(elements, value);
  return elements;
}

}  // namespace baton::sip
