// The numeric hang-up codes this folder gives: finer than a SIP status, stable for those who count them.
#pragma once

namespace baton::trunk::hangup {

inline constexpr int bad_request = 4000;
inline constexpr int insufficient_credits = 4030;
inline constexpr int forbidden = 4060;
inline constexpr int destination_invalid = 4120;
inline constexpr int unsupported_uri_scheme = 4230;
inline constexpr int uri_invalid = 4320;
inline constexpr int barred_country = 4560;
inline constexpr int cps_limit_reached = 5180;
inline constexpr int concurrent_call_limit_exceeded = 5190;

}  // namespace baton::trunk::hangup
