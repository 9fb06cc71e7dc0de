#include "sip/uri.h"

#include <algorithm>

#include "base/limits.h"
#include "sip/text.h"

namespace baton::sip {
namespace {

using text::bad;

bool is_separator(char c) {
  return c == '-' || c == '.' || c == '(' || c == ')';
}

std::string without_separators(std::string_view number) {
  std::string out;
  for (const char c : number) {
    if (!is_separator(c)) out.push_back(text::lower(c));
  }
  return out;
}

Result<void, ParseError> add_parameters(Uri& uri, std::string_view list) {
  while (!list.empty()) {
    list.remove_prefix(1);  // the ';'
    const std::string_view one = list.substr(0, list.find(';'));
    list.remove_prefix(one.size());
    if (one.empty()) continue;  // "sip:host;" is wrong but common
    if (uri.parameters.size() == limits::uri_parameters_max) return bad("Too many URI parameters");
    const auto equals = one.find('=');
    auto name = text::unescape(one.substr(0, equals), text::Chars::parameter);
    auto value = equals == std::string_view::npos
                     ? std::string{}
                     : text::unescape(one.substr(equals + 1), text::Chars::parameter);
    if (!name || name->empty() || !value) return bad("Malformed URI parameter");
    std::string lower_name = text::lowered(*name);
    // RFC 3261 19.1.1 forbids a second one of a name; the first counts, so that nobody can read it otherwise.
    if (uri.parameter(lower_name) != nullptr) continue;
    uri.parameters.push_back({std::move(lower_name), std::move(*value)});
  }
  return {};
}

Result<void, ParseError> add_headers(Uri& uri, std::string_view list) {
  while (!list.empty()) {
    list.remove_prefix(1);  // the '?' or '&'
    const std::string_view one = list.substr(0, list.find('&'));
    list.remove_prefix(one.size());
    if (uri.headers.size() == limits::uri_parameters_max) return bad("Too many URI headers");
    const auto equals = one.find('=');
    if (equals == std::string_view::npos) return bad("URI header without a value");
    auto name = text::unescape(one.substr(0, equals), text::Chars::uri_header);
    auto value = text::unescape(one.substr(equals + 1), text::Chars::uri_header);
    if (!name || name->empty() || !value) return bad("Malformed URI header");
    uri.headers.push_back({std::move(*name), std::move(*value)});
  }
  return {};
}

Result<void, ParseError> set_user(Uri& uri, std::string_view userinfo) {
  const auto colon = userinfo.find(':');
  auto user = text::unescape(userinfo.substr(0, colon), text::Chars::user);
  if (!user || user->empty()) return bad("Malformed user in URI");
  uri.user = std::move(*user);
  if (colon == std::string_view::npos) return {};
  auto password = text::unescape(userinfo.substr(colon + 1), text::Chars::password);
  if (!password) return bad("Malformed password in URI");
  uri.password = std::move(*password);
  return {};
}

Result<void, ParseError> set_host(Uri& uri, std::string_view host_and_port) {
  std::size_t host_end = 0;
  if (host_and_port.substr(0, 1) == "[") {
    host_end = host_and_port.find(']');
    if (host_end == std::string_view::npos) return bad("Malformed IPv6 address in URI");
    ++host_end;
  } else {
    host_end = std::min(host_and_port.find(':'), host_and_port.size());
  }
  auto host = text::parse_host(host_and_port.substr(0, host_end));
  if (!host) return bad("Malformed host in URI");
  uri.host = std::move(*host);
  const std::string_view rest = host_and_port.substr(host_end);
  if (rest.empty()) return {};
  const auto port = text::parse_decimal(rest.substr(1), 65'535);
  if (rest.front() != ':' || !port || *port == 0) return bad("Malformed port in URI");
  uri.port = static_cast<std::uint16_t>(*port);
  return {};
}

Result<void, ParseError> parse_sip(Uri& uri, std::string_view rest) {
  // A user may hold ';', '?' and '/', so the '@' is looked for first (RFC 3261 25.1).
  if (const auto at = rest.find('@'); at != std::string_view::npos) {
    if (auto done = set_user(uri, rest.substr(0, at)); !done) return done;
    rest.remove_prefix(at + 1);
  }
  const std::string_view host_and_port = rest.substr(0, text::find_either(rest, ';', '?'));
  if (auto done = set_host(uri, host_and_port); !done) return done;
  rest.remove_prefix(host_and_port.size());
  const std::string_view parameters = rest.substr(0, rest.find('?'));
  if (auto done = add_parameters(uri, parameters); !done) return done;
  return add_headers(uri, rest.substr(parameters.size()));
}

// RFC 3966 3: a global number is "+" and digits, a local one may have hex digits, "*" and "#".
bool is_phone_number(std::string_view number) {
  const std::string digits = without_separators(number);
  if (!digits.empty() && digits.front() == '+') {
    return digits.size() > 1 && text::all(std::string_view(digits).substr(1), text::Chars::digit);
  }
  return !digits.empty() && digits.find('+') == std::string::npos && text::all(digits, text::Chars::phone);
}

Result<void, ParseError> parse_tel(Uri& uri, std::string_view rest) {
  const std::string_view number = rest.substr(0, rest.find(';'));
  // Escapes have no place in it, but "%2B" for "+" is seen.
  auto user = text::unescape(number, text::Chars::phone);
  if (!user || !is_phone_number(*user)) return bad("Malformed telephone number in URI");
  uri.user = std::move(*user);
  return add_parameters(uri, rest.substr(number.size()));
}

bool same_parameters(const Uri& a, const Uri& b) {
  for (const auto& parameter : a.parameters) {
    const UriParameter* twin = b.parameter(parameter.name);
    if (twin != nullptr) {
      if (!text::equals_ignoring_case(twin->value, parameter.value)) return false;
      continue;
    }
    // RFC 3261 19.1.4: these never match their absence; of transport its examples say so.
    for (const std::string_view name : {"user", "ttl", "method", "maddr", "transport"}) {
      if (parameter.name == name) return false;
    }
    if (a.scheme == Scheme::tel) return false;  // RFC 3966 5: all of them count
  }
  return true;
}

bool same_host(const std::string& a, const std::string& b) {
  if (text::equals_ignoring_case(a, b)) return true;
  const auto ip_a = IpAddress::parse(a);
  return ip_a && ip_a == IpAddress::parse(b);
}

}  // namespace

Result<Uri, ParseError> Uri::parse(std::string_view text) {
  if (text.size() > limits::uri_bytes_max) return bad("URI too long", 414);
  const auto colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0) return bad("URI without a scheme");
  Uri uri;
  uri.scheme_text = text::lowered(text.substr(0, colon));
  const std::string_view rest = text.substr(colon + 1);
  Result<void, ParseError> done;
  if (uri.scheme_text == "sip" || uri.scheme_text == "sips") {
    uri.scheme = uri.scheme_text == "sip" ? Scheme::sip : Scheme::sips;
    done = parse_sip(uri, rest);
  } else if (uri.scheme_text == "tel") {
    uri.scheme = Scheme::tel;
    done = parse_tel(uri, rest);
  } else {
    uri.scheme = Scheme::other;
    const bool scheme_fine = text::is(text.front(), text::Chars::alpha) &&
                             std::all_of(uri.scheme_text.begin(), uri.scheme_text.end(), [](char c) {
                               return text::is(c, text::Chars::alpha) || text::is(c, text::Chars::digit) ||
                                      c == '+' || c == '-' || c == '.';
                             });
    if (!scheme_fine || rest.empty() || !text::unescape(rest, text::Chars::opaque))
      return bad("Malformed URI");
    uri.user = std::string(rest);
  }
  if (!done) return fail(done.error());
  return uri;
}

Uri Uri::sip(std::string user, std::string host, std::uint16_t port) {
  Uri uri;
  uri.scheme_text = "sip";
  uri.user = std::move(user);
  uri.host = text::lowered(host);
  uri.port = port;
  return uri;
}

const UriParameter* Uri::parameter(std::string_view name) const {
  const auto found = std::find_if(parameters.begin(), parameters.end(),
                                  [name](const UriParameter& p) { return p.name == name; });
  return found == parameters.end() ? nullptr : &*found;
}

std::optional<Transport> Uri::transport() const {
  const UriParameter* found = parameter("transport");
  return found == nullptr ? std::nullopt : parse_transport(found->value);
}

std::string Uri::to_string(bool include_headers) const {
  std::string out = scheme_text.empty() ? "sip" : scheme_text;
  out.push_back(':');
  if (scheme == Scheme::other) {
    text::append_escaped(out, user, text::Chars::opaque);
    return out;
  }
  if (scheme == Scheme::tel) {
    text::append_escaped(out, user, text::Chars::phone);
  } else if (!user.empty()) {
    text::append_escaped(out, user, text::Chars::user);
    if (!password.empty()) {
      out.push_back(':');
      text::append_escaped(out, password, text::Chars::password);
    }
    out.push_back('@');
  }
  out.append(host);
  if (port != 0) out.append(":").append(std::to_string(port));
  for (const auto& parameter : parameters) {
    out.push_back(';');
    text::append_escaped(out, parameter.name, text::Chars::parameter);
    if (parameter.value.empty()) continue;
    out.push_back('=');
    text::append_escaped(out, parameter.value, text::Chars::parameter);
  }
  if (!include_headers || scheme == Scheme::tel) return out;
  char mark = '?';
  for (const auto& header : headers) {
    out.push_back(mark);
    text::append_escaped(out, header.name, text::Chars::uri_header);
    out.push_back('=');
    text::append_escaped(out, header.value, text::Chars::uri_header);
    mark = '&';
  }
  return out;
}

bool Uri::equivalent(const Uri& other) const {
  if (scheme != other.scheme || !text::equals_ignoring_case(scheme_text, other.scheme_text)) return false;
  if (scheme == Scheme::tel) {
    if (without_separators(user) != without_separators(other.user)) return false;
  } else if (user != other.user || password != other.password) {
    return false;
  }
  if (!same_host(host, other.host) || port != other.port) return false;
  return same_parameters(*this, other) && same_parameters(other, *this);
}

std::string percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = i + 2 < text.size() ? text::hex_value(text[i + 1]) : -1;
    const int low = high >= 0 ? text::hex_value(text[i + 2]) : -1;
    if (text[i] != '%' || low < 0) {
      out.push_back(text[i]);
      continue;
    }
    out.push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  return out;
}

std::optional<std::string> to_e164(std::string_view text) {
  if (text.empty() || text.front() != '+') return std::nullopt;
  std::string number = "+";
  for (const char c : text.substr(1)) {
    if (is_separator(c)) continue;
    if (!text::is(c, text::Chars::digit) || number.size() > 15) return std::nullopt;
    number.push_back(c);
  }
  if (number.size() < 8) return std::nullopt;
  return number;
}

}  // namespace baton::sip
