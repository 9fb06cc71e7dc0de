// Who is calling, as a peer says it, and what a transfer leg says in turn.
#include <algorithm>
#include <array>

#include "trunk/ascii.h"
#include "trunk/policy.h"

namespace baton::trunk {
namespace {

constexpr std::size_t shown_bytes_max = 128;

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
      const std::string value = to_lower(trimmed(element.substr(0, semicolon)));
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
  return equals_ignoring_case(uri.user, "anonymous") || uri.host == "invalid" ||
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
std::optional<sip::NameAddr> asserted(const sip::Message& invite) {
  std::optional<sip::NameAddr> first;
  for (const std::string_view element : invite.elements(sip::HeaderId::p_asserted_identity)) {
    auto parsed = sip::NameAddr::parse(element);
    if (!parsed || parsed->uri.scheme == sip::Scheme::other || is_anonymous(parsed->uri)) continue;
    const bool is_number = sip::to_e164(parsed->uri.user).has_value();
    if (is_number && first && parsed->display_name.empty()) parsed->display_name = first->display_name;
    if (is_number) return std::move(*parsed);
    if (!first) first = std::move(*parsed);
  }
  return first;
}

}  // namespace

CallerId caller_identity(const sip::Message& invite, bool trusted) {
  const Privacy privacy = read_privacy(invite);
  const sip::NameAddr& from = invite.from();
  const bool from_is_anonymous = is_anonymous(from.uri);
  const std::optional<sip::NameAddr> identity = trusted ? asserted(invite) : std::nullopt;
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

CallerId transfer_caller_id(const Trunk& trunk, const CallerId& transferee, const CallerId& transferor,
                            bool inbound_call) {
  switch (trunk.transfer.caller_id) {
    case TransferCallerId::transferee:
      return transferee;
    case TransferCallerId::transferor:
      return transferor;
    case TransferCallerId::fixed:
      if (!trunk.transfer.fixed_caller_id.empty()) return {trunk.transfer.fixed_caller_id, {}, false};
      break;
    case TransferCallerId::by_direction:
      break;
  }
  return inbound_call ? transferee : transferor;
}

}  // namespace baton::trunk
