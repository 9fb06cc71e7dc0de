#include "call/reason.h"

#include <algorithm>
#include <charconv>

#include "sip/header.h"

namespace baton::call {
namespace {

struct Cause {
  int number;
  int status;  // 0: the call ended well
  const char* text;
};

constexpr Cause causes[] = {
    {1, 404, "Unallocated number"},
    {2, 404, "No route to network"},
    {3, 404, "No route to destination"},
    {16, 0, "Normal call clearing"},
    {17, 486, "User busy"},
    {18, 408, "No user responding"},
    {19, 480, "No answer from the user"},
    {20, 480, "Subscriber absent"},
    {21, 403, "Call rejected"},
    {22, 410, "Number changed"},
    {23, 410, "Redirection to new destination"},
    {25, 482, "Exchange routing error"},
    {26, 404, "Non-selected user clearing"},
    {27, 502, "Destination out of order"},
    {28, 484, "Address incomplete"},
    {29, 501, "Facility rejected"},
    {31, 0, "Normal, unspecified"},
    {34, 503, "No circuit available"},
    {38, 503, "Network out of order"},
    {41, 503, "Temporary failure"},
    {42, 503, "Switching equipment congestion"},
    {47, 503, "Resource unavailable"},
    {55, 403, "Incoming calls barred"},
    {57, 403, "Bearer capability not authorized"},
    {58, 503, "Bearer capability not presently available"},
    {63, 405, "Service or option not available"},
    {65, 488, "Bearer capability not implemented"},
    {70, 488, "Only restricted digital information available"},
    {79, 501, "Service or option not implemented"},
    {87, 403, "User not member of closed user group"},
    {88, 503, "Incompatible destination"},
    {102, 504, "Recovery on timer expiry"},
    {111, 500, "Protocol error"},
    {127, 500, "Interworking, unspecified"},
};

const Cause* find_cause(int number) {
  const auto* found = std::find_if(std::begin(causes), std::end(causes),
                                   [number](const Cause& cause) { return cause.number == number; });
  return found == std::end(causes) ? nullptr : found;
}

std::optional<int> cause_of(std::string_view element, std::string_view protocol) {
  const auto reason = sip::TokenWithParameters::parse(element);
  if (!reason || reason->token.size() != protocol.size()) return std::nullopt;
  const bool same = std::equal(protocol.begin(), protocol.end(), reason->token.begin(), [](char a, char b) {
    return a == (b >= 'a' && b <= 'z' ? static_cast<char>(b - 32) : b);
  });
  const std::string* text = same ? sip::find_parameter(reason->parameters, "cause") : nullptr;
  if (text == nullptr) return std::nullopt;
  int cause = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), cause);
  const bool number = error == std::errc{} && end == text->data() + text->size();
  if (!number || cause < 1 || cause > 699) return std::nullopt;
  return cause;
}

}  // namespace

std::optional<int> q850_cause(std::string_view reason) {
  for (const auto element : sip::split_commas(reason)) {
    if (const auto cause = cause_of(element, "Q.850"); cause && *cause <= 127) return cause;
  }
  return std::nullopt;
}

std::optional<int> q850_cause(const sip::Message& message) {
  for (const auto& entry : message.entries()) {
    if (entry.id != sip::HeaderId::reason) continue;
    if (const auto cause = q850_cause(message.value_of(entry))) return cause;
  }
  return std::nullopt;
}

int q850_for_status(int status) {
  switch (status) {
    case 401:
    case 402:
    case 403:
    case 407:
    case 603:
      return 21;
    case 404:
    case 485:
    case 604:
      return 1;
    case 405:
      return 63;
    case 406:
    case 415:
    case 501:
      return 79;
    case 408:
      return 19;
    case 410:
      return 22;
    case 480:
      return 18;
    case 482:
    case 483:
      return 25;
    case 484:
      return 28;
    case 486:
    case 600:
      return 17;
    case 487:
      return 16;
    case 488:
    case 606:
      return 65;
    case 502:
      return 38;
    case 504:
      return 102;
    case 400:
    case 481:
    case 500:
    case 503:
      return 41;
    default:
      break;
  }
  if (status < 300) return 16;
  return status >= 600 ? 21 : 127;
}

std::optional<int> status_for_q850(int number) {
  const Cause* cause = find_cause(number);
  if (cause != nullptr) return cause->status != 0 ? std::optional<int>(cause->status) : std::nullopt;
  // An unknown one counts as the last of its class (RFC 3398 7.2.4.1, Q.850).
  if (number < 32) return 480;
  if (number < 64) return 503;
  return 500;
}

int q850_for_hangup(Hangup code) {
  switch (code) {
    case Hangup::rtp_timeout:
    case Hangup::unavailable:
    case Hangup::nomedia:
    case Hangup::internal_error:
      return 41;
    case Hangup::request_timeout:
    case Hangup::server_timeout:
      return 102;
    case Hangup::sdp_not_acceptable:
      return 65;
    default:
      return 16;
  }
}

std::string q850_reason(int number) {
  std::string reason = "Q.850;cause=" + std::to_string(number);
  if (const Cause* cause = find_cause(number)) reason += ";text=\"" + std::string(cause->text) + "\"";
  return reason;
}

std::string relayed_reason(std::string_view reason) {
  if (const auto cause = q850_cause(reason)) return q850_reason(*cause);
  for (const auto element : sip::split_commas(reason)) {
    if (const auto status = cause_of(element, "SIP"); status && *status >= 100) {
      return "SIP;cause=" + std::to_string(*status) + ", " + q850_reason(q850_for_status(*status));
    }
  }
  return q850_reason(16);
}

}  // namespace baton::call
