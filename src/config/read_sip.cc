#include "config/read_settings.h"

namespace baton::config {

trunk::SipSettings read_sip(const Section& section, trunk::SipSettings sip, bool has_logins) {
  constexpr Duration least = 90s;  // RFC 4028 4
  constexpr Duration most = 24h;
  sip.session_expires = section.duration("session_expires", 0s, most, sip.session_expires);
  if (sip.session_expires != 0s && sip.session_expires < least) {
    section.problem("session_expires", "a session timer is at least 90 s (RFC 4028 4)",
                    R"(write "90s" or more, or "0s" for none)");
  }
  sip.min_se = section.duration("min_se", least, most, sip.min_se);
  if (sip.session_expires >= least && sip.session_expires < sip.min_se) {
    section.problem("min_se", "min_se is longer than the session_expires that is asked for",
                    "make session_expires as long, or min_se shorter");
  }
  sip.reliable_provisionals =
      section.value_or("reliable_provisionals", to_reliable_provisionals, sip.reliable_provisionals);
  sip.hold = section.value_or("hold", to_hold_style, sip.hold);
  sip.failover_after = section.duration("failover_after", 0s, 32s, sip.failover_after);
  if (sip.failover_after != 0s && sip.failover_after < 1s) {
    section.problem("failover_after", "a target needs a second at least to answer over a lossy way",
                    R"(write "1s" or more, or "0s" to wait as long as the transaction does)");
  }
  sip.srtp = section.value_or("srtp", to_srtp, sip.srtp);
  if (section.has("srtp_suites")) {
    sip.srtp_suites = section.values("srtp_suites", to_srtp_suite);
    if (!section.has_items("srtp_suites")) {
      section.problem("srtp_suites", "without a suite nothing can be encrypted",
                      R"(write for example srtp_suites = ["AES_CM_128_HMAC_SHA1_80"], or srtp = "off")");
    }
  }
  sip.dtmf = section.value_or("dtmf", to_dtmf_style, sip.dtmf);
  if (!has_logins || !section.has("auth_algorithms")) return sip;
  sip.auth_algorithms = section.values("auth_algorithms", to_digest_algorithm);
  if (!section.has_items("auth_algorithms")) {
    section.problem("auth_algorithms", "without an algorithm nobody can log in",
                    R"(write for example auth_algorithms = ["MD5", "SHA-256"])");
  }
  return sip;
}

}  // namespace baton::config
