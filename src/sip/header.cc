#include "sip/header.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/assert.h"
#include "sip/draft.h"
#include "sip/text.h"

namespace baton::sip {
namespace {

using text::bad;
using text::Chars;
using text::Cursor;

// A tag or branch without a value would make a dialog ambiguous, as would one that is written twice.
bool is_identifier(const text::RawParameter& parameter) {
  if (!parameter.is_masked())
    return !parameter.value.empty() && text::all(parameter.value, Chars::loose_value);
  const std::string value = text::unquoted(parameter.value);
  return !value.empty() && text::all(value, Chars::loose_value);
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

// An address before its parameters, where it stands.
struct AddressText {
  std::string_view display_name;  // of a quoted one what stands between the quotes
  bool quoted = false;
  std::string_view uri;
};

Result<AddressText, ParseError> read_bracketed(Cursor& cursor, AddressText address) {
  if (!cursor.eat('<')) return bad("Address without an opening bracket");
  const std::string_view rest = cursor.rest();
  const auto close = rest.find('>');
  if (close == std::string_view::npos) return bad("Address without a closing bracket");
  cursor.advance(close + 1);
  address.uri = rest.substr(0, close);
  return address;
}

// RFC 3261 20.10: without brackets a ";" starts a header parameter, and "?" and "," must not occur.
Result<AddressText, ParseError> read_bare(Cursor& cursor) {
  const std::string_view rest = cursor.rest();
  std::string_view uri = rest.substr(0, text::find_either(rest, ';', ' '));
  uri = uri.substr(0, text::find_either(uri, '\t', '\r'));
  if (text::find_either(uri, '?', ',') != uri.size()) return bad("Address needs brackets");
  cursor.advance(uri.size());
  return AddressText{{}, false, uri};
}

Result<AddressText, ParseError> read_address(Cursor& cursor) {
  if (cursor.peek() == '"') {
    const auto name = cursor.quoted_text();
    if (!name) return bad("Unbalanced quotes in a display name");
    cursor.skip_white();
    return read_bracketed(cursor, {*name, true, {}});
  }
  const std::string_view rest = cursor.rest();
  const auto open = text::find_either(rest, '<', ';');
  // A bracket or quote behind the first ";" belongs to a parameter of the form without brackets.
  if (open == rest.size() || rest[open] == ';') return read_bare(cursor);
  const std::string_view name = text::trim(rest.substr(0, open));
  if (!is_unquoted_name(name)) return bad("Malformed display name");
  cursor.advance(open);
  return read_bracketed(cursor, {name, false, {}});
}

// Reads a header's parameters and gives each to `take`. The one of that name, which identifies something, may
// stand there once and must have a plain value.
template <typename F>
Result<void, ParseError> read_parameters(Cursor& cursor, std::string_view identifying, F&& take) {
  text::ParameterReader reader(cursor);
  text::RawParameter parameter;
  bool found = false, twice = false, malformed = false;
  for (;;) {
    const auto more = reader.next(parameter);
    if (!more) return fail(more.error());
    if (!*more) break;
    if (parameter.is(identifying)) {
      twice = std::exchange(found, true);
      malformed = malformed || !is_identifier(parameter);
    }
    take(parameter);
  }
  if (twice) return bad("Identifying parameter given twice");
  if (malformed) return bad("Malformed identifying parameter");
  return {};
}

Result<void, ParseError> parse_parameters(Cursor& cursor, std::string_view identifying,
                                          Parameters& parameters) {
  return read_parameters(cursor, identifying, [&](const text::RawParameter& parameter) {
    parameters.push_back(parameter.decoded());
  });
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
  const auto address = read_address(cursor);
  if (!address) return fail(address.error());
  auto uri = Uri::parse(address->uri);
  if (!uri) return fail(uri.error());
  NameAddr parsed;
  parsed.display_name =
      address->quoted ? text::unquoted(address->display_name) : unfolded(address->display_name);
  parsed.uri = std::move(*uri);
  if (auto done = parse_parameters(cursor, "tag", parsed.parameters); !done) return fail(done.error());
  return parsed;
}

Result<AddressHead, ParseError> NameAddr::read_head(std::string_view text) {
  Cursor cursor(text);
  cursor.skip_white();
  const auto address = read_address(cursor);
  if (!address) return fail(address.error());
  if (auto done = Uri::check(address->uri); !done) return fail(done.error());
  AddressHead head;
  auto done = read_parameters(cursor, "tag", [&](const text::RawParameter& parameter) {
    if (!parameter.is("tag")) return;
    head.tag = parameter.value;
    head.masked = parameter.is_masked();
  });
  if (!done) return fail(done.error());
  return head;
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

namespace {

// sent-protocol and sent-by.
Result<ViaHead, ParseError> read_sent_by(Cursor& cursor) {
  cursor.skip_white();
  if (!text::equals_ignoring_case(cursor.take(Chars::token), "SIP")) return bad("Via of another protocol");
  if (!cursor.eat_separator('/') || cursor.take(Chars::token) != "2.0") {
    return bad("Via of another SIP version");
  }
  ViaHead via;
  if (!cursor.eat_separator('/')) return bad("Via without a transport");
  via.transport = cursor.take(Chars::token);
  if (via.transport.empty() || !cursor.skip_white()) return bad("Via without a transport");
  via.host = cursor.rest();
  if (cursor.peek() == '[') {
    via.host = via.host.substr(0, std::min(via.host.find(']'), via.host.size() - 1) + 1);
    cursor.advance(via.host.size());
    via.masked = via.host.find(":::") != std::string_view::npos;
  } else {
    via.host = cursor.take(Chars::host);
  }
  if (!text::is_host(via.host)) return bad("Malformed host in Via");
  if (cursor.eat_separator(':')) {
    const auto port = text::parse_decimal(cursor.take(Chars::digit), 65'535);
    if (!port || *port == 0) return bad("Malformed port in Via");
    via.port = static_cast<std::uint16_t>(*port);
  }
  return via;
}

void append_sent_by(std::string& out, std::string_view transport, std::string_view host, std::uint16_t port) {
  out.append("SIP/2.0/").append(transport).append(" ").append(host);
  if (port != 0) out.append(":").append(std::to_string(port));
}

std::string uppered(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), text::upper);
  return out;
}

}  // namespace

Result<Via, ParseError> Via::parse(std::string_view text) {
  Cursor cursor(text);
  const auto sent_by = read_sent_by(cursor);
  if (!sent_by) return fail(sent_by.error());
  Via via;
  via.transport = uppered(sent_by->transport);
  via.host = *text::parse_host(sent_by->host);
  via.port = sent_by->port;
  if (auto done = parse_parameters(cursor, "branch", via.parameters); !done) return fail(done.error());
  return via;
}

Result<ViaHead, ParseError> Via::read_head(std::string_view text) {
  Cursor cursor(text);
  auto head = read_sent_by(cursor);
  if (!head) return head;
  auto done = read_parameters(cursor, "branch", [&](const text::RawParameter& parameter) {
    if (parameter.is("branch")) {
      head->branch = parameter.value;
      head->masked = head->masked || parameter.is_masked();
    }
    head->rport = head->rport || parameter.is("rport");
    head->received = head->received || parameter.is("received");
  });
  if (!done) return fail(done.error());
  return head;
}

std::string Via::to_string() const {
  std::string out;
  append_sent_by(out, transport, host, port);
  text::append_parameters(out, parameters);
  return out;
}

ViaHead Via::head() const {
  return {.transport = transport,
          .host = host,
          .port = port,
          .branch = branch(),
          .rport = find_parameter(parameters, "rport") != nullptr,
          .received = find_parameter(parameters, "received") != nullptr,
          .masked = false};
}

void append_stamped_via(std::string& out, std::string_view text, const IpAddress& received,
                        std::uint16_t rport) {
  Cursor cursor(text);
  const auto sent_by = read_sent_by(cursor);
  BATON_ASSERT(sent_by.has_value());
  append_sent_by(out, uppered(sent_by->transport), *text::parse_host(sent_by->host), sent_by->port);
  const auto say_received = [&] { received.append_to(out.append(";received=")); };
  bool told = false;
  const auto done = read_parameters(cursor, "branch", [&](const text::RawParameter& parameter) {
    if (parameter.is("received")) {
      told = true;
      say_received();
    } else if (parameter.is("rport") && rport != 0) {
      out.append(";rport=").append(std::to_string(rport));
    } else {
      text::append_parameter(out, parameter);
    }
  });
  BATON_ASSERT(done.has_value());
  if (!told) say_received();
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

namespace {

// A token in up to three pieces: the slash of a media type may stand between blanks (RFC 3261 25.1).
using TokenPieces = std::array<std::string_view, 3>;

TokenPieces read_token(Cursor& cursor) {
  cursor.skip_white();
  TokenPieces pieces{cursor.take(Chars::loose_word)};
  if (pieces[0].empty()) return pieces;
  if (pieces[0].find('/') == std::string_view::npos && cursor.eat_separator('/')) {
    pieces[1] = "/";
    pieces[2] = cursor.take(Chars::loose_word);
  } else if (pieces[0].back() == '/' && cursor.skip_white()) {
    pieces[2] = cursor.take(Chars::loose_word);
  }
  return pieces;
}

}  // namespace

bool TokenWithParameters::is(std::string_view text, std::string_view token) {
  Cursor cursor(text);
  for (const std::string_view piece : read_token(cursor)) {
    if (!text::equals_ignoring_case(token.substr(0, piece.size()), piece)) return false;
    token.remove_prefix(piece.size());
  }
  if (!token.empty()) return false;
  text::ParameterReader reader(cursor);
  text::RawParameter parameter;
  for (;;) {
    const auto more = reader.next(parameter);
    if (!more || !*more) return more.has_value();
  }
}

Result<TokenWithParameters, ParseError> TokenWithParameters::parse(std::string_view text) {
  Cursor cursor(text);
  TokenWithParameters parsed;
  for (const std::string_view piece : read_token(cursor)) parsed.token.append(piece);
  if (parsed.token.empty()) return bad("Header value without a token");
  auto parameters = text::parse_parameters(cursor);
  if (!parameters) return fail(parameters.error());
  parsed.parameters = std::move(*parameters);
  return parsed;
}

namespace {

// Takes what stands before the next comma, and the comma, off `rest`; it may be empty.
std::string_view take_part(std::string_view& rest) {
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
  const auto part = text::trim(rest.substr(0, at));
  rest.remove_prefix(std::min(at + 1, rest.size()));
  return part;
}

}  // namespace

std::optional<std::string_view> take_element(std::string_view& list) {
  while (!list.empty()) {
    if (const auto part = take_part(list); !part.empty()) return part;
  }
  return std::nullopt;
}

std::string_view first_element(std::string_view value) {
  return take_element(value).value_or(std::string_view{});
}

void append_elements(std::vector<std::string_view>& elements, std::string_view value) {
  while (const auto element = take_element(value)) elements.push_back(*element);
}

std::vector<std::string_view> split_commas(std::string_view value) {
  std::vector<std::string_view> elements;
  append_elements(elements, value);
  return elements;
}

}  // namespace baton::sip
