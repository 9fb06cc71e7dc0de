// Strings of the configuration to values, each mistake with its remedy. No function shows a password.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "base/time.h"
#include "config/config.h"
#include "net/tls_settings.h"
#include "trunk/model.h"

namespace baton::config {

struct Mistake {
  std::string what;
  std::string remedy;
};

template <typename T>
using Converted = Result<T, Mistake>;

[[nodiscard]] std::string shown(std::string_view text);  // quoted, cut to a bearable length

[[nodiscard]] Converted<Duration> to_duration(const std::string& text);  // "60s", "500ms", "2m", "1h"
[[nodiscard]] std::string write_duration(Duration duration);
[[nodiscard]] Converted<std::int64_t> to_micros_of_money(const std::string& text);  // "0.0125"
[[nodiscard]] Converted<std::string> to_number(const std::string& text);            // E.164
[[nodiscard]] Converted<std::string> to_prefix(const std::string& text);            // "+" and 1 to 15 digits
[[nodiscard]] Converted<std::string> to_country(const std::string& text);           // ISO 3166 alpha-2
[[nodiscard]] Converted<IpAddress> to_address(const std::string& text);
[[nodiscard]] Converted<SocketAddress> to_socket_address(const std::string& text);
[[nodiscard]] Converted<IpNetwork> to_network(
    const std::string& text);  // not the whole Internet, no host bits
[[nodiscard]] Converted<Transport> to_transport(const std::string& text);
[[nodiscard]] Converted<net::ClientCertificates> to_client_certificates(const std::string& text);
[[nodiscard]] Converted<std::string> to_peer_host(
    const std::string& text);  // a name or an address, lower case
[[nodiscard]] Converted<std::string> to_host_name(const std::string& text);  // lower case
[[nodiscard]] Converted<std::string> to_transfer_host(
    const std::string& text);  // lower case; public addresses too
[[nodiscard]] Converted<std::string> to_id(const std::string& text);
[[nodiscard]] Converted<std::string> to_domain_label(
    const std::string& text);  // an id that stands in a domain
[[nodiscard]] Converted<std::string> to_name(const std::string& text);
[[nodiscard]] Converted<std::string> to_path(const std::string& text);
[[nodiscard]] Converted<std::string> to_username(const std::string& text);
[[nodiscard]] Converted<std::string> to_password(const std::string& text);
[[nodiscard]] Converted<std::string> to_log_level(const std::string& text);
[[nodiscard]] Converted<trunk::TrunkDirection> to_direction(const std::string& text);
[[nodiscard]] Converted<trunk::TransferCallerId> to_transfer_caller_id(const std::string& text);
[[nodiscard]] Converted<trunk::LastBye> to_last_bye(const std::string& text);
// True for "continue", false for "end".
[[nodiscard]] Converted<bool> to_early_bye(const std::string& text);
// True for "return", false for "end".
[[nodiscard]] Converted<bool> to_on_target_hangup(const std::string& text);
[[nodiscard]] Converted<trunk::IdentityHeader> to_identity_header(const std::string& text);
[[nodiscard]] Converted<trunk::DiversionHeader> to_diversion_header(const std::string& text);
[[nodiscard]] Converted<trunk::ReliableProvisionals> to_reliable_provisionals(const std::string& text);
[[nodiscard]] Converted<sdp::Codec> to_codec(const std::string& text);  // "opus", "G722", "PCMU", "PCMA"
[[nodiscard]] Converted<Plane> to_plane(const std::string& text);
[[nodiscard]] Converted<trunk::DtmfStyle> to_dtmf_style(const std::string& text);
[[nodiscard]] Converted<trunk::HoldStyle> to_hold_style(const std::string& text);
[[nodiscard]] Converted<sip::DigestAlgorithm> to_digest_algorithm(const std::string& text);
[[nodiscard]] Converted<trunk::Srtp> to_srtp(const std::string& text);
[[nodiscard]] Converted<sdp::Suite> to_srtp_suite(const std::string& text);
[[nodiscard]] Converted<trunk::Uri> to_endpoint_uri(const std::string& text);  // may name a user
[[nodiscard]] Converted<trunk::Uri> to_gateway_uri(const std::string& text);   // may not

}  // namespace baton::config
