// Header names and their compact forms (RFC 3261 7.3.3 and the IANA registry of compact forms).
#include <array>

#include "sip/header.h"
#include "sip/text.h"

namespace baton::sip {
namespace {

struct Name {
  HeaderId id;
  std::string_view text;
};

constexpr std::array names = {
    Name{HeaderId::other, ""},
    Name{HeaderId::accept, "Accept"},
    Name{HeaderId::allow, "Allow"},
    Name{HeaderId::allow_events, "Allow-Events"},
    Name{HeaderId::authorization, "Authorization"},
    Name{HeaderId::call_id, "Call-ID"},
    Name{HeaderId::contact, "Contact"},
    Name{HeaderId::content_disposition, "Content-Disposition"},
    Name{HeaderId::content_encoding, "Content-Encoding"},
    Name{HeaderId::content_length, "Content-Length"},
    Name{HeaderId::content_type, "Content-Type"},
    Name{HeaderId::cseq, "CSeq"},
    Name{HeaderId::date, "Date"},
    Name{HeaderId::diversion, "Diversion"},
    Name{HeaderId::error_info, "Error-Info"},
    Name{HeaderId::event, "Event"},
    Name{HeaderId::expires, "Expires"},
    Name{HeaderId::from, "From"},
    Name{HeaderId::geolocation, "Geolocation"},
    Name{HeaderId::history_info, "History-Info"},
    Name{HeaderId::identity, "Identity"},
    Name{HeaderId::max_forwards, "Max-Forwards"},
    Name{HeaderId::min_expires, "Min-Expires"},
    Name{HeaderId::min_se, "Min-SE"},
    Name{HeaderId::p_asserted_identity, "P-Asserted-Identity"},
    Name{HeaderId::p_preferred_identity, "P-Preferred-Identity"},
    Name{HeaderId::priority, "Priority"},
    Name{HeaderId::privacy, "Privacy"},
    Name{HeaderId::proxy_authenticate, "Proxy-Authenticate"},
    Name{HeaderId::proxy_authorization, "Proxy-Authorization"},
    Name{HeaderId::proxy_require, "Proxy-Require"},
    Name{HeaderId::rack, "RAck"},
    Name{HeaderId::reason, "Reason"},
    Name{HeaderId::record_route, "Record-Route"},
    Name{HeaderId::refer_sub, "Refer-Sub"},
    Name{HeaderId::refer_to, "Refer-To"},
    Name{HeaderId::referred_by, "Referred-By"},
    Name{HeaderId::remote_party_id, "Remote-Party-ID"},
    Name{HeaderId::replaces, "Replaces"},
    Name{HeaderId::require, "Require"},
    Name{HeaderId::retry_after, "Retry-After"},
    Name{HeaderId::route, "Route"},
    Name{HeaderId::rseq, "RSeq"},
    Name{HeaderId::server, "Server"},
    Name{HeaderId::session_expires, "Session-Expires"},
    Name{HeaderId::subject, "Subject"},
    Name{HeaderId::subscription_state, "Subscription-State"},
    Name{HeaderId::supported, "Supported"},
    Name{HeaderId::target_dialog, "Target-Dialog"},
    Name{HeaderId::timestamp, "Timestamp"},
    Name{HeaderId::to, "To"},
    Name{HeaderId::unsupported, "Unsupported"},
    Name{HeaderId::user_agent, "User-Agent"},
    Name{HeaderId::user_to_user, "User-to-User"},
    Name{HeaderId::via, "Via"},
    Name{HeaderId::warning, "Warning"},
    Name{HeaderId::www_authenticate, "WWW-Authenticate"},
    Name{HeaderId::x_baton_hangup_code, "X-Baton-Hangup-Code"},
};
static_assert(names.size() == static_cast<std::size_t>(HeaderId::x_baton_hangup_code) + 1);

constexpr bool in_order() {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (static_cast<std::size_t>(names[i].id) != i) return false;
  }
  return true;
}
static_assert(in_order());

constexpr HeaderId compact(char letter) {
  switch (text::lower(letter)) {
    case 'b':
      return HeaderId::referred_by;
    case 'c':
      return HeaderId::content_type;
    case 'e':
      return HeaderId::content_encoding;
    case 'f':
      return HeaderId::from;
    case 'i':
      return HeaderId::call_id;
    case 'k':
      return HeaderId::supported;
    case 'l':
      return HeaderId::content_length;
    case 'm':
      return HeaderId::contact;
    case 'o':
      return HeaderId::event;
    case 'r':
      return HeaderId::refer_to;
    case 's':
      return HeaderId::subject;
    case 't':
      return HeaderId::to;
    case 'u':
      return HeaderId::allow_events;
    case 'v':
      return HeaderId::via;
    case 'x':
      return HeaderId::session_expires;
    case 'y':
      return HeaderId::identity;
    default:
      return HeaderId::other;
  }
}

constexpr std::size_t buckets_count = 32;

constexpr std::size_t bucket_of(std::string_view name) {
  const auto first = static_cast<unsigned char>(text::lower(name.front()));
  const auto last = static_cast<unsigned char>(text::lower(name.back()));
  return (first * 5U + last + name.size() * 3U) % buckets_count;
}

// Chains through `next`, so that a name is compared with two or three others at most.
struct Index {
  std::array<std::uint8_t, buckets_count> first{};
  std::array<std::uint8_t, names.size()> next{};
};

constexpr Index index = [] {
  Index made;
  for (std::size_t i = names.size() - 1; i > 0; --i) {
    auto& first = made.first[bucket_of(names[i].text)];
    made.next[i] = first;
    first = static_cast<std::uint8_t>(i);
  }
  return made;
}();

}  // namespace

std::string_view canonical_name(HeaderId id) {
  return names[static_cast<std::size_t>(id)].text;
}

HeaderId parse_header_name(std::string_view name) {
  if (name.empty()) return HeaderId::other;
  if (name.size() == 1) return compact(name.front());
  for (std::size_t i = index.first[bucket_of(name)]; i != 0; i = index.next[i]) {
    if (names[i].text == name || text::equals_ignoring_case(names[i].text, name)) return names[i].id;
  }
  return HeaderId::other;
}

}  // namespace baton::sip
