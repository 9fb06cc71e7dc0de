// Legs: what a request may ask of us at all, before anybody looks at what it is about (RFC 3261 8.2).
#include "call/legs.h"
#include "sip/text.h"

namespace baton::call {

using sip::text::lowered;

namespace {

std::string content_type(const sip::Message& message) {
  const auto type = sip::TokenWithParameters::parse(message.header(sip::HeaderId::content_type));
  return type ? lowered(type->token) : std::string{};
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
  return content_type(message) == "application/sdp" ? message.body() : std::string_view{};
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
  const bool foreign = !request.body().empty() && content_type(request) != "application/sdp";
  if ((encoded || foreign) && !is_optional(request)) {
    respond(request, txn, {.status = 415, .text = "Only application/sdp is understood"}, leg,
            {{sip::HeaderId::accept, {}, "application/sdp"},
             {sip::HeaderId::other, "Accept-Encoding", "identity"}});
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
