#include "config/schema.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <vector>

namespace baton::config {
namespace {

using Keys = std::string_view;

constexpr Keys file_keys[] = {"server",  "tls",   "media",  "store",   "log",     "dns",       "limits",
                              "account", "trunk", "number", "carrier", "profile", "recording", "metrics"};
constexpr Keys server_keys[] = {"domain_suffix", "drain_timeout", "listen"};
constexpr Keys listen_keys[] = {"transport", "bind",      "advertise",          "certificate",
                                "key",       "client_ca", "client_certificates"};
constexpr Keys tls_keys[] = {"ca", "wildcards", "unverified"};
constexpr Keys media_keys[] = {"plane",
                               "bind",
                               "advertise",
                               "bind6",
                               "advertise6",
                               "port_min",
                               "port_max",
                               "port_rest",
                               "threads",
                               "silence_timeout",
                               "rtpengine",
                               "rtpengine_outside",
                               "rtpengine_inside",
                               "rtpengine_dtmf_log"};
constexpr Keys store_keys[] = {"path", "trace"};
constexpr Keys metrics_keys[] = {"bind"};
constexpr Keys dns_keys[] = {"servers"};
constexpr Keys limits_keys[] = {
    "stranger_rate", "stranger_refusals", "failed_logins", "failed_logins_per_trunk",
    "window",        "silence",           "overload_delay"};
constexpr Keys log_keys[] = {"level"};
constexpr Keys account_keys[] = {"id", "name", "cps_max", "cps_wait", "concurrent_max", "balance", "geo"};
constexpr Keys geo_keys[] = {"allow_all", "allowed_countries", "blocked_countries", "allowed_prefixes",
                             "blocked_prefixes"};
constexpr Keys trunk_keys[] = {"id",
                               "profile",
                               "account",
                               "name",
                               "direction",
                               "enabled",
                               "cps_max",
                               "concurrent_max",
                               "primary",
                               "primary_username",
                               "primary_password",
                               "fallback",
                               "fallback_username",
                               "fallback_password",
                               "answer_timeout",
                               "acl",
                               "credentials",
                               "transfer",
                               "identity",
                               "sip",
                               "hold_music",
                               "unavailable_announcement",
                               "recording",
                               "media"};
constexpr Keys recording_keys[] = {"directory"};
constexpr Keys trunk_recording_keys[] = {"enabled", "through_transfers"};
constexpr Keys credentials_keys[] = {"username", "password"};
constexpr Keys transfer_keys[] = {"enabled",      "accept_code",   "ring_timeout",     "comfort_after",
                                  "depth_max",    "allowed_hosts", "caller_id",        "fixed_caller_id",
                                  "copy_headers", "attended",      "notify_id_first",  "notify_progress",
                                  "last_bye",     "early_bye",     "on_target_hangup", "fallback_targets",
                                  "announcement"};
constexpr Keys identity_keys[] = {"accept", "reveal_anonymous", "header", "diversion"};
constexpr Keys trunk_sip_keys[] = {
    "session_expires", "min_se", "reliable_provisionals", "hold",           "dtmf",
    "failover_after",  "srtp",   "srtp_suites",           "auth_algorithms"};
constexpr Keys carrier_sip_keys[] = {
    "session_expires", "min_se", "reliable_provisionals", "hold", "dtmf", "failover_after", "srtp",
    "srtp_suites"};
constexpr Keys leg_media_keys[] = {"codecs", "renegotiate"};
constexpr Keys number_keys[] = {"e164", "trunk", "record"};
constexpr Keys carrier_keys[] = {"id",
                                 "profile",
                                 "name",
                                 "gateways",
                                 "username",
                                 "password",
                                 "sources",
                                 "prefixes",
                                 "priority",
                                 "rate_per_minute",
                                 "trusted_to_transfer",
                                 "strip_plus",
                                 "identity",
                                 "sip",
                                 "media"};

// What is a matter of dialect; whom to trust and whom to call is each trunk's own.
constexpr Keys profile_keys[] = {"id", "based_on", "transfer", "identity", "sip", "media"};
constexpr Keys profile_transfer_keys[] = {"accept_code",     "attended", "copy_headers", "notify_id_first",
                                          "notify_progress", "last_bye", "early_bye"};
constexpr Keys profile_identity_keys[] = {"header", "diversion"};

constexpr SectionSchema sections[] = {
    {"", file_keys},
    {"server", server_keys},
    {"server.listen", listen_keys},
    {"tls", tls_keys},
    {"media", media_keys},
    {"store", store_keys},
    {"recording", recording_keys},
    {"metrics", metrics_keys},
    {"log", log_keys},
    {"dns", dns_keys},
    {"limits", limits_keys},
    {"account", account_keys},
    {"account.geo", geo_keys},
    {"trunk", trunk_keys},
    {"trunk.credentials", credentials_keys},
    {"trunk.transfer", transfer_keys},
    {"trunk.identity", identity_keys},
    {"trunk.sip", trunk_sip_keys},
    {"trunk.media", leg_media_keys},
    {"trunk.recording", trunk_recording_keys},
    {"profile", profile_keys},
    {"profile.transfer", profile_transfer_keys},
    {"profile.identity", profile_identity_keys},
    {"profile.sip", trunk_sip_keys},
    {"profile.media", leg_media_keys},
    {"number", number_keys},
    {"carrier", carrier_keys},
    {"carrier.identity", identity_keys},
    {"carrier.sip", carrier_sip_keys},
    {"carrier.media", leg_media_keys},
};

const SectionSchema* find_section(std::string_view path) {
  const auto* found = std::find_if(std::begin(sections), std::end(sections),
                                   [&](const auto& one) { return one.path == path; });
  return found == std::end(sections) ? nullptr : found;
}

// Levenshtein's distance: letters to add, drop or change.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t above = row[j + 1];
      row[j + 1] = std::min({above + 1, row[j] + 1, diagonal + (a[i] == b[j] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row.back();
}

std::string quoted(std::string_view text) {
  return '"' + std::string(text) + '"';
}

}  // namespace

std::span<const SectionSchema> schema() {
  return sections;
}

bool knows_key(std::string_view path, std::string_view key) {
  const SectionSchema* section = find_section(path);
  return section != nullptr &&
         std::find(section->keys.begin(), section->keys.end(), key) != section->keys.end();
}

std::string suggest_key(std::string_view path, std::string_view unknown) {
  const SectionSchema* section = find_section(path);
  if (section == nullptr) return "remove it";
  constexpr std::size_t unknown_bytes_max = 64;  // nobody mistypes a longer one
  if (unknown.size() <= unknown_bytes_max) {
    const auto nearest = std::min_element(section->keys.begin(), section->keys.end(),
                                          [&](std::string_view a, std::string_view b) {
                                            return edit_distance(a, unknown) < edit_distance(b, unknown);
                                          });
    const std::size_t distance = edit_distance(*nearest, unknown);
    const bool shares_letters = distance < std::min(nearest->size(), unknown.size());
    if (shares_letters && distance <= std::max<std::size_t>(2, nearest->size() / 3)) {
      return "did you mean " + quoted(*nearest) + "?";
    }
  }
  for (const SectionSchema& other : sections) {
    if (!other.path.empty() && knows_key(other.path, unknown)) {
      return quoted(unknown) + " belongs to the section " + quoted(other.path);
    }
  }
  std::string known = "remove it; known here:";
  for (const std::string_view key : section->keys) known += ' ' + std::string(key);
  return known;
}

}  // namespace baton::config
