// Hang-up codes: the field's numbers for why a call ended or never came up, shown in CDRs and sent in
// X-Baton-Hangup-Code.
#pragma once

#include <string_view>

namespace baton::call {

enum class Hangup : int {
  none = 0,
  normal = 3000,
  normal_callee = 3010,
  rtp_timeout = 3020,
  transferred = 3050,
  bad_request = 4000,
  unauthorized = 4010,
  insufficient_credits = 4030,
  forbidden = 4060,
  trunk_not_found = 4070,
  route_not_found = 4080,
  destination_not_found = 4090,
  destination_invalid = 4120,
  proxy_auth_required = 4150,
  request_timeout = 4160,
  unknown_caller_id = 4190,
  unsupported_uri_scheme = 4230,
  uri_invalid = 4320,
  temporarily_unavailable = 4330,
  call_does_not_exist = 4360,
  loop_detected = 4370,
  too_many_hops = 4380,
  user_busy = 4410,
  sdp_not_acceptable = 4430,
  request_terminated = 4440,
  request_pending = 4500,
  user_cancelled = 4550,
  barred_country = 4560,
  no_more_destinations = 5000,
  not_implemented = 5020,
  cps_limit_reached = 5180,
  concurrent_call_limit_exceeded = 5190,
  server_timeout = 5200,
  nomedia = 5240,
  internal_error = 5250,
  bad_gateway = 5300,
  unavailable = 5350,
  busy_everywhere = 6000,
  declined = 6040,
};

[[nodiscard]] std::string_view to_string(Hangup code);
// The code for a final SIP status that came from outside.
[[nodiscard]] Hangup hangup_for_status(int status);

}  // namespace baton::call
