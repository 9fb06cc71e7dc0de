// Refer-To, check by check. The text of each refusal is read by whoever runs the endpoint that sent it.
#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "base/limits.h"
#include "sip/draft.h"
#include "trunk/hangup.h"
#include "trunk/policy.h"

namespace baton::trunk {
namespace {

constexpr std::size_t shown_bytes_max = 64;

// What a peer wrote, fit to be repeated in a quoted Warning text.
std::string shown(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, shown_bytes_max)) {
    out += c >= ' ' && c <= '~' && c != '"' && c != '\\' ? c : '?';
  }
  if (text.size() > shown_bytes_max) out += "...";
  return '"' + out + '"';
}

std::string use_own_domain(const Trunk& trunk) {
  return "; use sip:+E164@" + trunk.domain;
}

Refusal bad_request(int hangup_code, std::string text) {
  return {400, hangup_code, std::move(text)};
}
Refusal forbidden(std::string text) {
  return {403, hangup::forbidden, std::move(text)};
}

// Where the host stands in an address as written; empty when there is none.
std::string_view host_as_written(std::string_view text) {
  const auto open = text.rfind('<');
  if (open != std::string_view::npos) text.remove_prefix(open + 1);
  auto before = text.find('@');
  if (before == std::string_view::npos) before = text.find(':');
  if (before == std::string_view::npos) return {};
  text.remove_prefix(before + 1);
  if (text.starts_with('[')) return text.substr(0, text.find(']') + 1);
  return text.substr(0, text.find_first_of(":;?>, \t"));
}

// "sip:+1…@3232235777" is no URI (RFC 3261 25.1), but whoever sends it wants an address called: that is the
// contract's 403 and not the 400 of a typing error. So it is read as if the host were a name.
Result<sip::NameAddr, sip::ParseError> parse_even_if_disguised(std::string_view text) {
  auto parsed = sip::NameAddr::parse(text);
  if (parsed) return parsed;
  const std::string_view host = host_as_written(text);
  if (!is_disguised_address(host)) return parsed;
  std::string renamed(text);
  renamed.replace(static_cast<std::size_t>(host.data() - text.data()), host.size(), "disguised.invalid");
  auto again = sip::NameAddr::parse(renamed);
  if (!again) return parsed;
  again->uri.host = ascii::lowered(host);
  return again;
}

Result<sip::NameAddr, Refusal> read_single(const Trunk& trunk, const sip::Message& refer) {
  const auto elements = refer.elements(sip::HeaderId::refer_to);
  // RFC 3515 2.4.1: exactly one Refer-To. An empty second line is a second one.
  if (elements.size() > 1 || refer.count(sip::HeaderId::refer_to) > 1) {
    return fail(bad_request(hangup::bad_request, "More than one Refer-To; send exactly one"));
  }
  if (elements.empty()) {
    return fail(bad_request(hangup::bad_request, "Refer-To is missing" + use_own_domain(trunk)));
  }
  if (elements.front().size() > limits::uri_bytes_max) {
    return fail(bad_request(hangup::uri_invalid, "Refer-To is longer than " +
                                                     std::to_string(limits::uri_bytes_max) + " bytes" +
                                                     use_own_domain(trunk)));
  }
  auto parsed = parse_even_if_disguised(elements.front());
  if (!parsed) {
    return fail(
        bad_request(hangup::uri_invalid, "Refer-To " + shown(elements.front()) + " can not be understood: " +
                                             std::string(parsed.error().reason) + use_own_domain(trunk)));
  }
  return std::move(*parsed);
}

Result<void, Refusal> check_scheme(const Trunk& trunk, const sip::Uri& uri) {
  if (uri.scheme != sip::Scheme::other) return {};
  return fail(bad_request(
      hangup::unsupported_uri_scheme,
      "Refer-To scheme " + shown(uri.scheme_text) + " is not sip, sips or tel" + use_own_domain(trunk)));
}

Result<void, Refusal> refuse_unless_invite(std::string_view method) {
  // Methods are case-sensitive (RFC 3261 7.1).
  if (sip::parse_method(method) == sip::Method::invite) return {};
  return fail(bad_request(hangup::bad_request, "Refer-To method " + shown(method) +
                                                   " is not INVITE; leave the method parameter out"));
}

Result<void, Refusal> check_method(const sip::NameAddr& refer_to) {
  for (const sip::UriParameter& parameter : refer_to.uri.parameters) {
    if (!ascii::equals_ignoring_case(parameter.name, "method")) continue;
    if (auto good = refuse_unless_invite(parameter.value); !good) return good;
  }
  // Without <> RFC 3261 20 gives the URI's parameters to the header: what was meant is the same.
  for (const sip::Parameter& parameter : refer_to.parameters) {
    if (!ascii::equals_ignoring_case(parameter.name, "method")) continue;
    if (auto good = refuse_unless_invite(parameter.value); !good) return good;
  }
  return {};
}

Result<std::string, Refusal> read_number(const Trunk& trunk, const sip::Uri& uri) {
  // RFC 3966 5.1.1 lets a tel: number hold visual separators; the user of a sip: URI is taken as it stands.
  const bool plain = uri.user.size() > 1 && uri.user.front() == '+' &&
                     std::all_of(uri.user.begin() + 1, uri.user.end(), ascii::is_digit);
  std::optional<std::string> number;
  if (uri.scheme == sip::Scheme::tel || plain) number = sip::to_e164(uri.user);
  if (number) return std::move(*number);
  const std::string what = uri.user.empty() ? "Refer-To has no number" : "Refer-To number " + shown(uri.user);
  const bool only_plus_missing = std::all_of(uri.user.begin(), uri.user.end(), ascii::is_digit) &&
                                 uri.user.size() >= 7 && uri.user.size() <= 15;
  std::string text = what;
  if (!uri.user.empty()) text += " is not E.164 (+ and 7 to 15 digits)";
  text += only_plus_missing
              ? "; write the + and the country code before it, as in sip:+14155551234@" + trunk.domain
              : use_own_domain(trunk);
  return fail(bad_request(hangup::destination_invalid, std::move(text)));
}

bool is_copied(std::string_view name) {
  // X-Baton-* says what Baton found out; nobody else may say it.
  if (name.size() >= 8 && ascii::equals_ignoring_case(name.substr(0, 8), "X-Baton-")) return false;
  return ascii::equals_ignoring_case(name, "User-to-User") ||
         (name.size() > 2 && ascii::equals_ignoring_case(name.substr(0, 2), "X-"));
}

bool is_token(std::string_view text) {
  static constexpr std::string_view marks = "-.!%*_+`'~";  // RFC 3261 25.1
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    const char lower = ascii::lower(c);
    return ascii::is_digit(c) || (lower >= 'a' && lower <= 'z') || marks.find(c) != std::string_view::npos;
  });
}

// A header escaped in a URI is text from a peer that would become a header of ours (RFC 3261 19.1.5).
Result<void, Refusal> check_escaped(const sip::UriParameter& header) {
  if (!is_token(header.name) || !sip::is_safe_value(header.value)) {
    return fail(
        bad_request(hangup::uri_invalid, "Refer-To header " + shown(header.name) +
                                             " has characters no header may have; escape plain text only"));
  }
  if (header.name.size() + header.value.size() > limits::copied_header_bytes_max) {
    return fail(bad_request(hangup::uri_invalid,
                            "Refer-To header " + shown(header.name) + " is longer than " +
                                std::to_string(limits::copied_header_bytes_max) + " bytes; shorten it"));
  }
  return {};
}

Result<void, Refusal> read_headers(const sip::Uri& uri, ReferTarget& target) {
  for (const sip::UriParameter& header : uri.headers) {
    const bool replaces = ascii::equals_ignoring_case(header.name, "Replaces");
    if (!replaces && !is_copied(header.name)) continue;
    if (auto good = check_escaped(header); !good) return good;
    if (!replaces) {
      target.headers.push_back(header);
      continue;
    }
    // RFC 3891 3: more than one Replaces is a 400.
    if (!target.replaces.empty() || header.value.empty()) {
      return fail(
          bad_request(hangup::uri_invalid,
                      "Refer-To has more than one Replaces or an empty one; send one whole dialog id"));
    }
    target.replaces = header.value;
  }
  if (target.headers.size() > limits::copied_headers_max) {
    return fail(bad_request(hangup::uri_invalid, "Refer-To carries more than " +
                                                     std::to_string(limits::copied_headers_max) +
                                                     " User-to-User and X- headers; send fewer"));
  }
  return {};
}

bool is_allowed_foreign(const Trunk& trunk, std::string_view host) {
  const auto address = IpAddress::parse(host);
  return std::any_of(trunk.transfer.allowed_hosts.begin(), trunk.transfer.allowed_hosts.end(),
                     [&](const std::string& allowed) {
                       if (ascii::equals_ignoring_case(allowed, host)) return true;
                       return address && IpAddress::parse(allowed) == address;
                     });
}

// The host that must be resolved and checked again; empty for a domain of ours, where no address is called.
Result<std::string, Refusal> check_host(const Model& model, const Trunk& trunk, const sip::Uri& uri) {
  if (uri.scheme == sip::Scheme::tel) return std::string();
  // An address is named before the domain is: both answers are 403, and this one says more.
  if (is_disguised_address(uri.host)) {
    return fail(forbidden("Refer-To host " + shown(uri.host) + " is an IP address in disguise" +
                          use_own_domain(trunk)));
  }
  if (const auto ip = IpAddress::parse(uri.host); ip && !ip->is_public()) {
    return fail(forbidden("Refer-To host " + shown(uri.host) +
                          " is a private or reserved address, never a target" + use_own_domain(trunk)));
  }
  const Trunk* owner = model.trunk_by_domain(uri.host);
  if (owner != nullptr && owner->account_id == trunk.account_id) return std::string();
  std::string_view host = uri.host;
  if (host.ends_with('.')) host.remove_suffix(1);
  if (host.empty() || !is_allowed_foreign(trunk, host)) {
    return fail(forbidden("Refer-To host " + shown(uri.host) + " is not a domain of this account" +
                          use_own_domain(trunk)));
  }
  // RFC 3261 19.1.1: maddr would send the call elsewhere than to the host that was allowed.
  if (uri.parameter("maddr") != nullptr) {
    return fail(forbidden("Refer-To with maddr is not allowed; leave the parameter out"));
  }
  return std::string(host);
}

}  // namespace

bool is_disguised_address(std::string_view host) {
  if (IpAddress::parse(host)) return false;
  if (host.find_first_of(":[]%") != std::string_view::npos) return true;  // zones, IPv6 that is none
  if (host.ends_with('.')) host.remove_suffix(1);
  // RFC 3261 25.1: the last label of a host name starts with a letter. What starts with a digit is read as an
  // IPv4 address by one resolver or another.
  const auto dot = host.rfind('.');
  const std::string_view last = dot == std::string_view::npos ? host : host.substr(dot + 1);
  return !last.empty() && ascii::is_digit(last.front());
}

Uri ReferTarget::foreign_uri() const {
  Uri foreign;
  foreign.user = uri.user;
  foreign.host = resolve_host;
  foreign.port = uri.port;
  foreign.sips = uri.scheme == sip::Scheme::sips;
  foreign.any_transport = !uri.transport();
  foreign.transport = foreign.sips ? Transport::tls : uri.transport().value_or(Transport::udp);
  return foreign;
}

Result<ReferTarget, Refusal> read_refer_to(const Trunk& trunk, const sip::Message& refer) {
  auto refer_to = read_single(trunk, refer);
  if (!refer_to) return fail(refer_to.error());
  ReferTarget target;
  target.uri = refer_to->uri;
  if (auto good = check_scheme(trunk, target.uri); !good) return fail(good.error());
  if (auto good = check_method(*refer_to); !good) return fail(good.error());
  // It has done its work, and a Request-URI may not carry it (RFC 3261 19.1.1, table 1).
  std::erase_if(target.uri.parameters,
                [](const auto& one) { return ascii::equals_ignoring_case(one.name, "method"); });
  if (auto good = read_headers(target.uri, target); !good) return fail(good.error());
  return target;
}

Result<void, Refusal> check_refer_target(const Model& model, const Trunk& trunk, ReferTarget& target) {
  auto number = read_number(trunk, target.uri);
  if (!number) return fail(number.error());
  target.number = std::move(*number);
  auto host = check_host(model, trunk, target.uri);
  if (!host) return fail(host.error());
  target.resolve_host = std::move(*host);
  const Account* account = model.account(trunk.account_id);
  if (account == nullptr) {
    return fail(forbidden("The account of this trunk is no longer configured; add it again"));
  }
  return check_geo(model, *account, target.number);
}

Result<ReferTarget, Refusal> check_refer_to(const Model& model, const Trunk& trunk,
                                            const sip::Message& refer) {
  auto target = read_refer_to(trunk, refer);
  if (!target) return target;
  if (auto good = check_refer_target(model, trunk, *target); !good) return fail(good.error());
  return target;
}

}  // namespace baton::trunk
