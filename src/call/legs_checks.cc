// Legs: what a request may ask of us at all, before anybody looks at what it is about (RFC 3261 8.2).
#include <algorithm>
#include <vector>

#include "call/legs.h"
#include "sip/multipart.h"
#include "sip/text.h"

namespace baton::call {

using sip::text::lowered;

namespace {

bool is_sdp(const sip::Message& message) {
  return sip::TokenWithParameters::is(message.header(sip::HeaderId::content_type), "application/sdp");
}

// Nothing where the body is no multipart.
std::vector<sip::BodyPart> parts_of(const sip::Message& message) {
  const auto type = sip::TokenWithParameters::parse(message.header(sip::HeaderId::content_type));
  if (!type || !lowered(type->token).starts_with("multipart/")) return {};
  const std::string* boundary = sip::find_parameter(type->parameters, "boundary");
  return boundary == nullptr ? std::vector<sip::BodyPart>{} : sip::split_multipart(message.body(), *boundary);
}

// RFC 5621 8: the one that is a session description and nothing else.
bool is_session(const sip::BodyPart& part) {
  const bool session = part.disposition.empty() || part.disposition == "session";
  return part.type == "application/sdp" && session && !part.encoded;
}

// True when the body is nothing we could make use of. The parts beside a description of the session are for
// others (ISUP, a location, a card) unless they say that they must be understood: gateways often forget to
// say that they need not (RFC 5621 4).
bool is_foreign(const sip::Message& message) {
  if (message.body().empty() || is_sdp(message)) return false;
  const auto parts = parts_of(message);
  const bool required = std::any_of(parts.begin(), parts.end(), [](const sip::BodyPart& part) {
    return !is_session(part) && part.handling == "required";
  });
  return required || std::none_of(parts.begin(), parts.end(), is_session);
}

// RFC 3261 20.11: what need not be understood may be left out.
bool is_optional(const sip::Message& message) {
  const auto disposition =
      sip::TokenWithParameters::parse(message.header(sip::HeaderId::content_disposition));
  if (!disposition) return false;
  const std::string* handling = sip::find_parameter(disposition->parameters, "handling");
  return handling != nullptr && lowered(*handling) == "optional";
}

// True when the one who asks takes SDP for an answer; without an Accept it does (RFC 3261 20.1).
bool accepts_sdp(const sip::Message& invite) {
  if (!invite.has(sip::HeaderId::accept)) return true;
  for (const std::string_view range : {"application/sdp", "application/*", "*/*"}) {
    if (invite.lists(sip::HeaderId::accept, range)) return true;
  }
  return false;
}

}  // namespace

std::string_view sdp_of(const sip::Message& message) {
  if (is_sdp(message)) return message.body();
  for (const sip::BodyPart& part : parts_of(message)) {
    if (is_session(part)) return part.body;
  }
  return {};
}

std::string reasons_of(const sip::Message& message) {
  std::string all;
  for (const auto element : message.elements(sip::HeaderId::reason)) {
    if (!all.empty()) all += ", ";
    all += element;
  }
  return all;
}

bool Legs::refuse_unserved(const sip::Message& request, txn::TxnId txn, Leg* leg) {
  const sip::Method method = request.method();
  // Outside a dialog this has been looked at before; a REFER's requirements are part of the rules of
  // transfers.
  if (leg != nullptr && method != sip::Method::refer) {
    if (const std::string unsupported = unsupported_extensions(request); !unsupported.empty()) {
      respond(request, txn, {.status = 420}, leg, {{sip::HeaderId::unsupported, {}, unsupported}});
      return true;
    }
  }
  const bool negotiates =
      method == sip::Method::invite || method == sip::Method::update || method == sip::Method::prack;
  if (!negotiates) return false;
  const auto encoding = request.header(sip::HeaderId::content_encoding);
  const bool encoded = !encoding.empty() && lowered(encoding) != "identity";
  if ((encoded || is_foreign(request)) && !is_optional(request)) {
    respond(
        request, txn,
        {.status = 415, .text = "Only application/sdp is understood, alone or in multipart/mixed"}, leg,
        {{sip::HeaderId::accept, {}, accepted_types}, {sip::HeaderId::other, "Accept-Encoding", "identity"}});
    return true;
  }
  if (method == sip::Method::invite && !accepts_sdp(request)) {
    respond(request, txn,
            {.status = 406,
             .code = Hangup::bad_request,
             .text = "The session is described by application/sdp, which Accept excludes"},
            leg);
    return true;
  }
  return false;
}

}  // namespace baton::call
