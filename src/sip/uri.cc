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

// A URI taken apart where it stands, and found to be sound.
struct Parts {
  Scheme scheme = Scheme::sip;
  std::string_view scheme_text, user, password, host;
  std::uint16_t port = 0;
  std::string_view parameters;  // from the first ';' on
  std::string_view headers;     // from the '?' on
};

// Takes the next of a list off it, with the separator in front.
std::string_view take_one(std::string_view& list, char separator) {
  list.remove_prefix(1);
  const std::string_view one = list.substr(0, list.find(separator));
  list.remove_prefix(one.size());
  return one;
}

struct Pair {
  std::string_view name, value;
};
Pair halves(std::string_view one) {
  const auto equals = one.find('=');
  if (equals == std::string_view::npos) return {one, {}};
  return {one.substr(0, equals), one.substr(equals + 1)};
}

Result<void, ParseError> check_parameters(std::string_view list) {
  std::size_t count = 0;
  while (!list.empty()) {
    const std::string_view one = take_one(list, ';');
    if (one.empty()) continue;  // "sip:host;" is wrong but common
    if (count++ == limits::uri_parameters_max) return bad("Too many URI parameters");
    const auto [name, value] = halves(one);
    if (name.empty() || !text::is_escaped(name, text::Chars::parameter) ||
        !text::is_escaped(value, text::Chars::parameter)) {
      return bad("Malformed URI parameter");
    }
  }
  return {};
}

Result<void, ParseError> check_headers(std::string_view list) {
  std::size_t count = 0;
  while (!list.empty()) {
    const std::string_view one = take_one(list, '&');
    if (count++ == limits::uri_parameters_max) return bad("Too many URI headers");
    if (one.find('=') == std::string_view::npos) return bad("URI header without a value");
    const auto [name, value] = halves(one);
    if (name.empty() || !text::is_escaped(name, text::Chars::uri_header) ||
        !text::is_escaped(value, text::Chars::uri_header)) {
      return bad("Malformed URI header");
    }
  }
  return {};
}

Result<void, ParseError> read_user(Parts& parts, std::string_view userinfo) {
  const auto colon = userinfo.find(':');
  parts.user = userinfo.substr(0, colon);
  if (parts.user.empty() || !text::is_escaped(parts.user, text::Chars::user)) {
    return bad("Malformed user in URI");
  }
  if (colon == std::string_view::npos) return {};
  parts.password = userinfo.substr(colon + 1);
  if (!text::is_escaped(parts.password, text::Chars::password)) return bad("Malformed password in URI");
  return {};
}

Result<void, ParseError> read_host(Parts& parts, std::string_view host_and_port) {
  std::size_t host_end = 0;
  if (host_and_port.starts_with('[')) {
    host_end = host_and_port.find(']');
    if (host_end == std::string_view::npos) return bad("Malformed IPv6 address in URI");
    ++host_end;
  } else {
    host_end = std::min(host_and_port.find(':'), host_and_port.size());
  }
  parts.host = host_and_port.substr(0, host_end);
  if (!text::is_host(parts.host)) return bad("Malformed host in URI");
  const std::string_view rest = host_and_port.substr(host_end);
  if (rest.empty()) return {};
  const auto port = text::parse_decimal(rest.substr(1), 65'535);
  if (rest.front() != ':' || !port || *port == 0) return bad("Malformed port in URI");
  parts.port = static_cast<std::uint16_t>(*port);
  return {};
}

Result<void, ParseError> read_sip(Parts& parts, std::string_view rest) {
  // A user may hold ';', '?' and '/', so the '@' is looked for first (RFC 3261 25.1).
  if (const auto at = rest.find('@'); at != std::string_view::npos) {
    if (auto done = read_user(parts, rest.substr(0, at)); !done) return done;
    rest.remove_prefix(at + 1);
  }
  const std::string_view host_and_port = rest.substr(0, text::find_either(rest, ';', '?'));
  if (auto done = read_host(parts, host_and_port); !done) return done;
  rest.remove_prefix(host_and_port.size());
  parts.parameters = rest.substr(0, rest.find('?'));
  if (auto done = check_parameters(parts.parameters); !done) return done;
  parts.headers = rest.substr(parts.parameters.size());
  return check_headers(parts.headers);
}

// RFC 3966 3: a global number is "+" and digits, a local one may have hex digits, "*" and "#".
bool is_phone_number(std::string_view number) {
  const std::string digits = without_separators(number);
  if (!digits.empty() && digits.front() == '+') {
    return digits.size() > 1 && text::all(std::string_view(digits).substr(1), text::Chars::digit);
  }
  return !digits.empty() && digits.find('+') == std::string::npos && text::all(digits, text::Chars::phone);
}

Result<void, ParseError> read_tel(Parts& parts, std::string_view rest) {
  parts.user = rest.substr(0, rest.find(';'));
  // Escapes have no place in it, but "%2B" for "+" is seen.
  const auto user = text::unescape(parts.user, text::Chars::phone);
  if (!user || !is_phone_number(*user)) return bad("Malformed telephone number in URI");
  parts.parameters = rest.substr(parts.user.size());
  return check_parameters(parts.parameters);
}

Result<void, ParseError> read_other(Parts& parts, std::string_view rest) {
  const std::string_view scheme = parts.scheme_text;
  const bool scheme_fine =
      text::is(scheme.front(), text::Chars::alpha) && std::all_of(scheme.begin(), scheme.end(), [](char c) {
        return text::is(c, text::Chars::alpha) || text::is(c, text::Chars::digit) || c == '+' || c == '-' ||
               c == '.';
      });
  if (!scheme_fine || rest.empty() || !text::is_escaped(rest, text::Chars::opaque)) {
    return bad("Malformed URI");
  }
  parts.user = rest;
  return {};
}

Result<void, ParseError> read(Parts& parts, std::string_view text) {
  if (text.size() > limits::uri_bytes_max) return bad("URI too long", 414);
  const auto colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0) return bad("URI without a scheme");
  parts.scheme_text = text.substr(0, colon);
  const std::string_view rest = text.substr(colon + 1);
  parts.scheme = Scheme::other;
  for (const auto& [scheme, name] :
       {std::pair{Scheme::sip, "sip"}, std::pair{Scheme::sips, "sips"}, std::pair{Scheme::tel, "tel"}}) {
    if (text::equals_ignoring_case(parts.scheme_text, name)) parts.scheme = scheme;
  }
  if (parts.scheme == Scheme::tel) return read_tel(parts, rest);
  return parts.scheme == Scheme::other ? read_other(parts, rest) : read_sip(parts, rest);
}

// Of something that has been found to be sound.
std::string decoded(std::string_view text) {
  return text.find('%') == std::string_view::npos ? std::string(text) : percent_decode(text);
}

std::vector<UriParameter> decoded_parameters(std::string_view list) {
  std::vector<UriParameter> all;
  while (!list.empty()) {
    const std::string_view one = take_one(list, ';');
    if (one.empty()) continue;
    const auto [name, value] = halves(one);
    std::string lower_name = text::lowered(decoded(name));
    // RFC 3261 19.1.1 forbids a second one of a name; the first counts, so that nobody can read it otherwise.
    const bool told = std::any_of(all.begin(), all.end(),
                                  [&](const UriParameter& known) { return known.name == lower_name; });
    if (!told) all.push_back({std::move(lower_name), decoded(value)});
  }
  return all;
}

std::vector<UriParameter> decoded_headers(std::string_view list) {
  std::vector<UriParameter> all;
  while (!list.empty()) {
    const auto [name, value] = halves(take_one(list, '&'));
    all.push_back({decoded(name), decoded(value)});
  }
  return all;
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

Result<void, ParseError> Uri::check(std::string_view text) {
  Parts parts;
  return read(parts, text);
}

Result<Uri, ParseError> Uri::parse(std::string_view text) {
  Parts parts;
  if (auto done = read(parts, text); !done) return fail(done.error());
  Uri uri;
  uri.scheme = parts.scheme;
  uri.scheme_text = text::lowered(parts.scheme_text);
  if (parts.scheme == Scheme::other) {
    uri.user = parts.user;
    return uri;
  }
  uri.user = decoded(parts.user);
  uri.password = decoded(parts.password);
  if (!parts.host.empty()) uri.host = *text::parse_host(parts.host);
  uri.port = parts.port;
  uri.parameters = decoded_parameters(parts.parameters);
  uri.headers = decoded_headers(parts.headers);
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
  std::string out;
  append_to(out, include_headers);
  return out;
}

void Uri::append_to(std::string& out, bool include_headers) const {
  std::size_t size = out.size() + scheme_text.size() + user.size() + password.size() + host.size() + 16;
  for (const auto& parameter : parameters) size += parameter.name.size() + parameter.value.size() + 2;
  if (size > out.capacity()) out.reserve(size);
  out.append(scheme_text.empty() ? "sip" : scheme_text).push_back(':');
  if (scheme == Scheme::other) {
    text::append_escaped(out, user, text::Chars::opaque);
    return;
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
  if (!include_headers || scheme == Scheme::tel) return;
  char mark = '?';
  for (const auto& header : headers) {
    out.push_back(mark);
    text::append_escaped(out, header.name, text::Chars::uri_header);
    out.push_back('=');
    text::append_escaped(out, header.value, text::Chars::uri_header);
    mark = '&';
  }
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
