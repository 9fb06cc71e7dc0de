// What the targets hold against what they read: values that are written must read back equal.
#pragma once

#include <string>
#include <string_view>

#include "base/ascii.h"
#include "base/assert.h"
#include "base/limits.h"
#include "sip/digest.h"
#include "sip/header.h"
#include "sip/uri.h"

namespace baton::fuzz {

inline bool same(const std::vector<sip::UriParameter>& a, const std::vector<sip::UriParameter>& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].name != b[i].name || a[i].value != b[i].value) return false;
  }
  return true;
}

inline bool has_line_break(std::string_view text) {
  return text.find_first_of("\r\n") != std::string_view::npos;
}

inline void check_uri(const sip::Uri& uri) {
  const std::string text = uri.to_string();
  BATON_ASSERT(!has_line_break(text) && text.find('\0') == std::string::npos);
  const auto again = sip::Uri::parse(text);
  // Escaping triples a length, and one that was at the limit may be refused for it.
  if (!again && again.error().status == 414) return;
  BATON_ASSERT(again);
  BATON_ASSERT(again->scheme == uri.scheme && again->scheme_text == uri.scheme_text);
  BATON_ASSERT(again->user == uri.user && again->password == uri.password);
  BATON_ASSERT(again->host == uri.host && again->port == uri.port);
  BATON_ASSERT(same(again->parameters, uri.parameters) && same(again->headers, uri.headers));
  BATON_ASSERT(again->to_string() == text);
  BATON_ASSERT(again->transport() == uri.transport());
  const auto plain = sip::Uri::parse(uri.to_string(false));
  BATON_ASSERT(plain && plain->headers.empty() && plain->equivalent(*again));
}

// Control characters in quoted text are dropped when it is written, so it is the second writing that must
// stay.
template <typename T>
void check_rewrite(const T& value) {
  const std::string text = value.to_string();
  BATON_ASSERT(!has_line_break(text) && text.find('\0') == std::string::npos);
  const auto again = T::parse(text);
  if (!again && again.error().status == 414) return;
  BATON_ASSERT(again);
  BATON_ASSERT(again->to_string() == text);
}

inline void check_name_addr(const sip::NameAddr& address) {
  check_uri(address.uri);
  check_rewrite(address);
  if (const auto again = sip::NameAddr::parse(address.to_string()))
    BATON_ASSERT(again->tag() == address.tag());
}

inline void check_via(const sip::Via& via) {
  check_rewrite(via);
  BATON_ASSERT(sip::Via::parse(via.to_string())->branch() == via.branch());
}

inline void check_challenge(const sip::Challenge& challenge) {
  check_rewrite(challenge);
  const std::string answer =
      sip::answer_challenge(challenge, "user", "pass", "INVITE", "sip:a@b", "cnonce", 1);
  BATON_ASSERT(!has_line_break(answer));
  if (!challenge.session && (challenge.qop_auth || !challenge.qop_auth_int)) {
    BATON_ASSERT(sip::DigestCredentials::parse(answer));
  }
}

// What a message is matched by is what the whole header says, and what the one refuses the other does.
inline void check_heads(std::string_view text) {
  const auto address = sip::NameAddr::parse(text);
  const auto address_head = sip::NameAddr::read_head(text);
  BATON_ASSERT(address.has_value() == address_head.has_value());
  if (!address) {
    BATON_ASSERT(address.error().reason == address_head.error().reason);
  } else if (!address_head->masked) {
    BATON_ASSERT(address_head->tag == address->tag());
  }
  const auto via = sip::Via::parse(text);
  const auto via_head = sip::Via::read_head(text);
  BATON_ASSERT(via.has_value() == via_head.has_value());
  if (!via) {
    BATON_ASSERT(via.error().reason == via_head.error().reason);
    return;
  }
  std::string stamped;
  sip::append_stamped_via(stamped, text, IpAddress::v4(192, 0, 2, 1), 5060);
  // A Via with as many parameters as may be has no room for "received"; its sender reads it, not the server.
  BATON_ASSERT(via->parameters.size() == limits::uri_parameters_max || sip::Via::parse(stamped));
  const sip::ViaHead whole = via->head();
  if (via_head->masked) return;
  BATON_ASSERT(whole.branch == via_head->branch && whole.port == via_head->port);
  BATON_ASSERT(whole.rport == via_head->rport && whole.received == via_head->received);
  BATON_ASSERT(ascii::equals_ignoring_case(whole.host, via_head->host));
  BATON_ASSERT(ascii::equals_ignoring_case(whole.transport, via_head->transport));
}

// Every grammar on the same text; whatever reads must write.
inline void check_all_grammars(std::string_view text) {
  if (const auto uri = sip::Uri::parse(text)) check_uri(*uri);
  if (const auto address = sip::NameAddr::parse(text)) check_name_addr(*address);
  if (const auto via = sip::Via::parse(text)) check_via(*via);
  check_heads(text);
  if (const auto cseq = sip::CSeq::parse(text))
    BATON_ASSERT(cseq->number < 0x8000'0000U && !cseq->method_text.empty());
  if (const auto token = sip::TokenWithParameters::parse(text)) BATON_ASSERT(!token->token.empty());
  if (const auto challenge = sip::Challenge::parse(text)) check_challenge(*challenge);
  if (const auto credentials = sip::DigestCredentials::parse(text)) {
    BATON_ASSERT(credentials->qop.empty() || (credentials->nc.size() == 8 && !credentials->cnonce.empty()));
  }
  if (const auto number = sip::to_e164(text)) BATON_ASSERT(number->size() >= 8 && number->size() <= 16);
  BATON_ASSERT(sip::percent_decode(text).size() <= text.size());
  for (const auto element : sip::split_commas(text)) BATON_ASSERT(!element.empty());
}

}  // namespace baton::fuzz
