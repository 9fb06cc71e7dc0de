#include "call/hangup.h"

namespace baton::call {

std::string_view to_string(Hangup code) {
  switch (code) {
    case Hangup::none:
      return "";
    case Hangup::normal:
      return "normal_hangup";
    case Hangup::normal_callee:
      return "normal_hangup";
    case Hangup::rtp_timeout:
      return "rtp_timeout";
    case Hangup::transferred:
      return "transferred";
    case Hangup::bad_request:
      return "bad_request";
    case Hangup::unauthorized:
      return "unauthorized";
    case Hangup::insufficient_credits:
      return "insufficient_credits";
    case Hangup::forbidden:
      return "forbidden";
    case Hangup::trunk_not_found:
      return "trunk_not_found";
    case Hangup::route_not_found:
      return "route_not_found";
    case Hangup::destination_not_found:
      return "destination_not_found";
    case Hangup::destination_invalid:
      return "destination_invalid";
    case Hangup::unsupported_uri_scheme:
      return "unsupported_uri_scheme";
    case Hangup::uri_invalid:
      return "uri_invalid";
    case Hangup::proxy_auth_required:
      return "proxy_auth_required";
    case Hangup::request_timeout:
      return "request_timeout";
    case Hangup::unknown_caller_id:
      return "unknown_caller_id";
    case Hangup::temporarily_unavailable:
      return "temporarily_unavailable";
    case Hangup::call_does_not_exist:
      return "call_does_not_exist";
    case Hangup::loop_detected:
      return "loop_detected";
    case Hangup::too_many_hops:
      return "too_many_hops";
    case Hangup::user_busy:
      return "user_busy";
    case Hangup::sdp_not_acceptable:
      return "sdp_not_acceptable";
    case Hangup::request_terminated:
      return "request_terminated";
    case Hangup::request_pending:
      return "request_pending";
    case Hangup::user_cancelled:
      return "user_cancelled";
    case Hangup::barred_country:
      return "barred_country";
    case Hangup::no_more_destinations:
      return "no_more_destinations";
    case Hangup::not_implemented:
      return "not_implemented";
    case Hangup::cps_limit_reached:
      return "cps_limit_reached";
    case Hangup::concurrent_call_limit_exceeded:
      return "concurrent_call_limit_exceeded";
    case Hangup::server_timeout:
      return "server_timeout";
    case Hangup::nomedia:
      return "nomedia";
    case Hangup::internal_error:
      return "internal_error";
    case Hangup::bad_gateway:
      return "bad_gateway";
    case Hangup::unavailable:
      return "unavailable";
    case Hangup::busy_everywhere:
      return "busy_everywhere";
    case Hangup::declined:
      return "declined_from_carrier";
  }
  return "internal_error";
}

Hangup hangup_for_status(int status) {
  switch (status) {
    case 400:
      return Hangup::bad_request;
    case 401:
      return Hangup::unauthorized;
    case 402:
      return Hangup::insufficient_credits;
    case 403:
      return Hangup::forbidden;
    case 404:
      return Hangup::destination_not_found;
    case 407:
      return Hangup::proxy_auth_required;
    case 408:
      return Hangup::request_timeout;
    case 480:
      return Hangup::temporarily_unavailable;
    case 481:
      return Hangup::call_does_not_exist;
    case 482:
      return Hangup::loop_detected;
    case 483:
      return Hangup::too_many_hops;
    case 486:
      return Hangup::user_busy;
    case 487:
      return Hangup::request_terminated;
    case 488:
      return Hangup::sdp_not_acceptable;
    case 491:
      return Hangup::request_pending;
    case 501:
      return Hangup::not_implemented;
    case 502:
      return Hangup::bad_gateway;
    case 503:
      return Hangup::unavailable;
    case 504:
      return Hangup::server_timeout;
    case 600:
      return Hangup::busy_everywhere;
    case 603:
      return Hangup::declined;
    case 604:
      return Hangup::destination_not_found;
    case 606:
      return Hangup::sdp_not_acceptable;
    default:
      break;
  }
  if (status < 300) return Hangup::normal;
  if (status < 400) return Hangup::bad_gateway;
  if (status < 500) return Hangup::temporarily_unavailable;
  if (status < 600) return Hangup::internal_error;
  return Hangup::declined;
}

}  // namespace baton::call
