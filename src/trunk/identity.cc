// Who is calling, as a peer says it, and as another is told.
#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "trunk/identity.h"

namespace baton::trunk {
namespace {

constexpr std::size_t shown_bytes_max = 128;
constexpr std::size_t diversions_max = 5;

struct Privacy {
  bool wanted = false;
  bool waived = false;  // "none"
};

std::string_view trimmed(std::string_view text) {
  static constexpr std::string_view white = " \t\r\n";
  const auto first = text.find_first_not_of(white);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(white) - first + 1);
}

// RFC 3323 4.2, RFC 3325 9.3. "session" hides media, which is anchored here in any case; "critical" and
// values nobody knows say nothing about the number.
Privacy read_privacy(const sip::Message& invite) {
  Privacy privacy;
  for (std::string_view element : invite.elements(sip::HeaderId::privacy)) {
    while (!element.empty()) {
      const auto semicolon = element.find(';');
      const std::string value = ascii::lowered(trimmed(element.substr(0, semicolon)));
      privacy.wanted = privacy.wanted || value == "id" || value == "user" || value == "header";
      privacy.waived = privacy.waived || value == "none";
      element = semicolon == std::string_view::npos ? std::string_view() : element.substr(semicolon + 1);
    }
  }
  return privacy;
}

// RFC 3323 4.1.1.3 and what is found in its place. "invalid" is a top-level domain that nobody has (RFC
// 2606).
bool is_anonymous(const sip::Uri& uri) {
  return ascii::equals_ignoring_case(uri.user, "anonymous") || uri.host == "invalid" ||
         uri.host.ends_with(".invalid");
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < ' ' || c == 0x7f;
}

// Unescaped text of a peer goes into records and logs: no control characters, no length without end.
std::string fit_number(const sip::Uri& uri) {
  if (auto e164 = sip::to_e164(uri.user)) return std::move(*e164);
  if (uri.user.size() > shown_bytes_max || std::any_of(uri.user.begin(), uri.user.end(), is_control))
    return {};
  return uri.user;
}

std::string fit_name(std::string name) {
  std::erase_if(name, is_control);
  if (name.size() <= shown_bytes_max) return name;
  std::size_t end = shown_bytes_max;
  while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xc0) == 0x80)
    --end;  // not inside a UTF-8 character
  name.resize(end);
  return name;
}

// RFC 3325 9.1: one or two values, one sip and one tel. The one with a telephone number is the useful one.
// A Remote-Party-ID may describe the called party too.
std::optional<sip::NameAddr> named_in(const sip::Message& invite, sip::HeaderId id) {
  std::optional<sip::NameAddr> first;
  for (const std::string_view element : invite.elements(id)) {
    auto parsed = sip::NameAddr::parse(element);
    if (!parsed || parsed->uri.scheme == sip::Scheme::other || is_anonymous(parsed->uri)) continue;
    const std::string* party = sip::find_parameter(parsed->parameters, "party");
    if (party != nullptr && !ascii::equals_ignoring_case(*party, "calling")) continue;
    const bool is_number = sip::to_e164(parsed->uri.user).has_value();
    if (is_number && first && parsed->display_name.empty()) parsed->display_name = first->display_name;
    if (is_number) return std::move(*parsed);
    if (!first) first = std::move(*parsed);
  }
  return first;
}

// RFC 5806 4.
bool is_known_reason(std::string_view reason) {
  static constexpr std::array<std::string_view, 11> known = {
      "unknown",    "user-busy",      "no-answer", "unavailable",    "unconditional", "time-of-day",
      "deflection", "do-not-disturb", "follow-me", "out-of-service", "away"};
  return std::any_of(known.begin(), known.end(),
                     [&](std::string_view one) { return ascii::equals_ignoring_case(one, reason); });
}

// RFC 4458 2 and RFC 7544 7.3.2: the cause parameter that says the same.
std::string cause_of(std::string_view reason) {
  if (reason == "user-busy") return "486";
  if (reason == "no-answer") return "408";
  if (reason == "unavailable" || reason == "out-of-service") return "503";
  if (reason == "unconditional") return "302";
  if (reason == "deflection") return "480";
  return "404";
}

std::string bracketed(std::string_view number, std::string_view host) {
  return "<" + sip::Uri::sip(std::string(number), std::string(host)).to_string() + ">";
}

std::string history_entry(std::string_view number, std::string_view host, std::string_view cause, bool hidden,
                          std::string_view index) {
  sip::Uri uri = sip::Uri::sip(std::string(number), std::string(host));
  if (!cause.empty()) uri.parameters.push_back({"cause", std::string(cause)});
  if (hidden) uri.headers.push_back({"Privacy", "history"});
  return "<" + uri.to_string() + ">;index=" + std::string(index);
}

}  // namespace

CallerId caller_identity(const sip::Message& invite, bool accept) {
  Privacy privacy = read_privacy(invite);
  const sip::NameAddr& from = invite.from();
  const bool from_is_anonymous = is_anonymous(from.uri);
  std::optional<sip::NameAddr> identity;
  for (const sip::HeaderId id : {sip::HeaderId::p_asserted_identity, sip::HeaderId::remote_party_id,
                                 sip::HeaderId::p_preferred_identity}) {
    if (accept && !identity) identity = named_in(invite, id);
  }
  // Remote-Party-ID carries its own privacy, from before there was a Privacy header.
  if (identity) {
    const std::string* own = sip::find_parameter(identity->parameters, "privacy");
    if (own != nullptr && !own->empty() && !ascii::equals_ignoring_case(*own, "off")) {
      privacy.wanted = true;
    }
  }
  CallerId caller;
  if (identity) {
    caller.number = fit_number(identity->uri);
    caller.display_name = fit_name(identity->display_name);
    // Gateways that know no Privacy header hide the caller in From alone; "none" says it was not meant (RFC
    // 3323 4.2).
    caller.anonymous = privacy.wanted || (from_is_anonymous && !privacy.waived);
  } else if (from_is_anonymous) {
    caller.anonymous = true;
  } else {
    caller.number = fit_number(from.uri);
    caller.display_name = fit_name(from.display_name);
    caller.anonymous = privacy.wanted;
  }
  if (caller.anonymous) caller.display_name.clear();
  return caller;
}

std::vector<Diversion> diversions_of(const sip::Message& invite) {
  std::vector<Diversion> all;
  for (const std::string_view element : invite.elements(sip::HeaderId::diversion)) {
    if (all.size() == diversions_max) break;
    const auto parsed = sip::NameAddr::parse(element);
    if (!parsed || parsed->uri.scheme == sip::Scheme::other) continue;
    Diversion one;
    one.number = fit_number(parsed->uri);
    if (one.number.empty()) continue;
    const std::string* reason = sip::find_parameter(parsed->parameters, "reason");
    if (reason != nullptr && is_known_reason(*reason)) one.reason = ascii::lowered(*reason);
    const std::string* privacy = sip::find_parameter(parsed->parameters, "privacy");
    one.hidden = privacy != nullptr && !ascii::equals_ignoring_case(*privacy, "off");
    all.push_back(std::move(one));
  }
  return all;
}

std::vector<Diversion> diverted_once_more(std::vector<Diversion> earlier, const CallerId& who_sent_it_on) {
  if (who_sent_it_on.number.empty()) return earlier;
  earlier.insert(earlier.begin(), {who_sent_it_on.number, "unconditional", who_sent_it_on.anonymous});
  if (earlier.size() > diversions_max) earlier.resize(diversions_max);
  return earlier;
}

std::string from_address(const CallerId& caller, std::string_view host) {
  if (caller.anonymous) return "\"Anonymous\" <sip:anonymous@anonymous.invalid>";
  const std::string address = bracketed(caller.number, host);
  return caller.display_name.empty() ? address : sip::quote(caller.display_name) + " " + address;
}

std::vector<sip::Draft::Field> identity_headers(const IdentitySettings& settings, const CallerId& caller,
                                                std::string_view host) {
  std::vector<sip::Draft::Field> fields;
  if (caller.anonymous) fields.push_back({sip::HeaderId::privacy, {}, "id"});
  if (caller.number.empty() || (caller.anonymous && !settings.reveal_anonymous)) return fields;
  const std::string address = bracketed(caller.number, host);
  switch (settings.header) {
    case IdentityHeader::asserted:
      fields.push_back({sip::HeaderId::p_asserted_identity, {}, address});
      break;
    case IdentityHeader::preferred:
      fields.push_back({sip::HeaderId::p_preferred_identity, {}, address});
      break;
    case IdentityHeader::remote_party_id: {
      std::string value = caller.display_name.empty() ? std::string{} : sip::quote(caller.display_name) + " ";
      value += address + ";party=calling;screen=yes;privacy=" + (caller.anonymous ? "full" : "off");
      fields.push_back({sip::HeaderId::remote_party_id, {}, std::move(value)});
      break;
    }
    case IdentityHeader::none:
      break;
  }
  return fields;
}

std::vector<sip::Draft::Field> diversion_headers(const IdentitySettings& settings,
                                                 const std::vector<Diversion>& diversions,
                                                 std::string_view target, std::string_view host) {
  std::vector<sip::Draft::Field> fields;
  std::vector<Diversion> told = diversions;
  if (!settings.reveal_anonymous) {
    std::erase_if(told, [](const Diversion& one) { return one.hidden; });
  }
  if (told.empty()) return fields;
  const bool both = settings.diversion == DiversionHeader::both;
  if (both || settings.diversion == DiversionHeader::diversion) {
    for (const Diversion& one : told) {
      fields.push_back({sip::HeaderId::diversion,
                        {},
                        bracketed(one.number, host) + ";reason=" + one.reason +
                            ";privacy=" + (one.hidden ? "full" : "off")});
    }
  }
  if (both || settings.diversion == DiversionHeader::history_info) {
    // RFC 7044 10.2: oldest first, each entry one level below the one it came from.
    std::string index = "1";
    std::string cause;
    for (auto one = told.rbegin(); one != told.rend(); ++one) {
      fields.push_back(
          {sip::HeaderId::history_info, {}, history_entry(one->number, host, cause, one->hidden, index)});
      cause = cause_of(one->reason);
      index += ".1";
    }
    fields.push_back({sip::HeaderId::history_info, {}, history_entry(target, host, cause, false, index)});
  }
  return fields;
}

}  // namespace baton::trunk
