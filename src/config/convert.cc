#include "config/convert.h"

#include <algorithm>
#include <charconv>

#include "base/ascii.h"
#include "config/number_plan.h"
#include "sip/uri.h"
#include "trunk/policy.h"

namespace baton::config {
namespace {

using ascii::is_digit;
using ascii::is_letter;

auto mistake(std::string what, std::string remedy) {
  return fail(Mistake{std::move(what), std::move(remedy)});
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < ' ' || c == 0x7f;
}

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

// RFC 1123 2.1: letters, digits and inner hyphens, 1 to 63 of them.
bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
         std::all_of(label.begin(), label.end(),
                     [](char c) { return is_letter(c) || is_digit(c) || c == '-'; });
}

// A name whose last label starts with a digit could be taken for an address (RFC 3261 25.1).
bool is_host_name(std::string_view name) {
  if (name.empty() || name.size() > 253 || trunk::is_disguised_address(name) || IpAddress::parse(name))
    return false;
  while (true) {
    const auto dot = name.find('.');
    if (!is_label(name.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    name.remove_prefix(dot + 1);
  }
}

struct Unit {
  std::string_view name;
  Duration size;
};
constexpr Unit units[] = {{"ms", 1ms}, {"s", 1s}, {"m", 1min}, {"h", 1h}};

IpNetwork without_host_bits(IpNetwork network) {
  const unsigned bits = network.base.v6 ? 128 : 32;
  for (unsigned bit = network.prefix_length; bit < bits; ++bit) {
    auto& byte = network.base.bytes[bit / 8];
    byte = static_cast<std::uint8_t>(byte & ~(0x80U >> (bit % 8)));
  }
  return network;
}

template <typename T>
struct Word {
  std::string_view text;
  T value;
};

template <typename T, std::size_t count>
Converted<T> to_word(const std::string& text, const Word<T> (&words)[count]) {
  std::string known;
  for (const Word<T>& word : words) {
    if (word.text == text) return word.value;
    known += (known.empty() ? "" : ", ") + shown(word.text);
  }
  return mistake(shown(text) + " is not known", "write one of " + known);
}

constexpr const char* uri_remedy =
    R"(write it as "sip:10.0.0.1:5060;transport=udp" or "sip:pbx.example.com")";

Converted<trunk::Uri> to_uri(const std::string& text) {
  const auto parsed = sip::Uri::parse(text);
  if (!parsed)
    return mistake(shown(text) + " is no SIP URI: " + std::string(parsed.error().reason), uri_remedy);
  const bool sips = parsed->scheme == sip::Scheme::sips;
  if (!sips && parsed->scheme != sip::Scheme::sip) {
    return mistake(shown(text) + " is not a sip: or sips: URI", uri_remedy);
  }
  if (!parsed->password.empty() || !parsed->headers.empty()) {
    return mistake("a password or header inside the URI is not used",
                   "leave it out; credentials have keys of their own");
  }
  trunk::Uri uri;
  uri.any_transport = true;
  for (const sip::UriParameter& parameter : parsed->parameters) {
    if (parameter.name != "transport") {
      return mistake("the URI parameter " + shown(parameter.name) + " is not used",
                     "leave it out; only transport is");
    }
    const auto transport = to_transport(parameter.value);
    if (!transport) return fail(transport.error());
    uri.transport = *transport;
    uri.any_transport = false;
    if (sips && *transport == Transport::udp) {
      return mistake(shown(text) + " asks for TLS by its scheme and for UDP by its transport",
                     "leave out the transport, or write sip:");
    }
  }
  if (sips) uri.transport = Transport::tls;
  uri.sips = sips;
  const auto ip = IpAddress::parse(parsed->host);
  if (ip ? ip->is_unspecified() : !is_host_name(parsed->host)) {
    return mistake("the host of " + shown(text) + " can not be called", uri_remedy);
  }
  uri.user = parsed->user;
  uri.host = parsed->host;
  uri.port = parsed->port;
  return uri;
}

}  // namespace

std::string shown(std::string_view text) {
  constexpr std::size_t shown_bytes_max = 80;
  std::string out = "\"";
  for (const char c : text.substr(0, shown_bytes_max)) out += is_control(c) ? '?' : c;
  return out + (text.size() > shown_bytes_max ? "...\"" : "\"");
}

Converted<Duration> to_duration(const std::string& text) {
  const auto* const end = text.data() + text.size();
  std::uint32_t count = 0;
  const auto [unit_at, error] = std::from_chars(text.data(), end, count);
  const std::string_view unit(unit_at, static_cast<std::size_t>(end - unit_at));
  constexpr std::uint32_t count_max = 999'999'999;  // of hours, this still fits a Duration
  if (error == std::errc{} && count <= count_max) {
    for (const Unit& known : units) {
      if (known.name == unit) return count * known.size;
    }
  }
  return mistake(shown(text) + " is not a duration",
                 R"(write a whole number and ms, s, m or h, as in "60s" or "500ms")");
}

std::string write_duration(Duration duration) {
  if (duration == Duration::zero()) return "0s";
  for (std::size_t i = std::size(units); i-- > 0;) {
    if (duration % units[i].size == Duration::zero()) {
      return std::to_string(duration / units[i].size) + std::string(units[i].name);
    }
  }
  return std::to_string(duration / units[0].size) + std::string(units[0].name);
}

Converted<std::int64_t> to_micros_of_money(const std::string& text) {
  constexpr std::size_t whole_digits_max = 9;
  constexpr std::size_t fraction_digits_max = 6;
  const auto dot = text.find('.');
  const std::string whole = text.substr(0, dot);
  std::string fraction = dot == std::string::npos ? "" : text.substr(dot + 1);
  const bool fraction_fine =
      dot == std::string::npos || (all_digits(fraction) && fraction.size() <= fraction_digits_max);
  if (!all_digits(whole) || whole.size() > whole_digits_max || !fraction_fine) {
    return mistake(shown(text) + " is not an amount of money",
                   R"(write up to 9 digits, a point and up to 6 decimals, as in "0.0125")");
  }
  fraction.resize(fraction_digits_max, '0');
  std::int64_t micros = 0;
  const std::string digits = whole + fraction;
  std::from_chars(digits.data(), digits.data() + digits.size(), micros);
  return micros;
}

Converted<std::string> to_number(const std::string& text) {
  const bool plain = text.size() >= 2 && text.front() == '+' && all_digits(std::string_view(text).substr(1));
  if (auto e164 = plain ? sip::to_e164(text) : std::nullopt) return std::move(*e164);
  return mistake(shown(text) + " is not an E.164 number",
                 R"(write + and 7 to 15 digits, as in "+14155551234")");
}

Converted<std::string> to_prefix(const std::string& text) {
  if (text.size() >= 2 && text.size() <= 16 && text.front() == '+' &&
      all_digits(std::string_view(text).substr(1))) {
    return text;
  }
  return mistake(shown(text) + " is not the start of an E.164 number",
                 R"(write + and 1 to 15 digits, as in "+44")");
}

Converted<std::string> to_country(const std::string& text) {
  if (number_plan()->knows_country(text)) return text;
  return mistake(shown(text) + " is no country code",
                 R"(write the two capital letters of ISO 3166, as in "US" or "GB")");
}

Converted<IpAddress> to_address(const std::string& text) {
  if (const auto ip = IpAddress::parse(text)) return *ip;
  return mistake(shown(text) + " is not an IP address", R"(write it as "192.0.2.10" or "2001:db8::10")");
}

Converted<SocketAddress> to_socket_address(const std::string& text) {
  const auto address = SocketAddress::parse(text);
  if (address && address->port != 0) return *address;
  return mistake(shown(text) + " is not an address and port",
                 R"(write it as "192.0.2.10:5060" or "[2001:db8::10]:5060")");
}

Converted<IpNetwork> to_network(const std::string& text) {
  const auto network = IpNetwork::parse(text);
  if (!network) {
    return mistake(shown(text) + " is not an IP network",
                   R"(write it as "192.0.2.0/24", or one address as "192.0.2.10")");
  }
  if (network->prefix_length == 0) {
    return mistake(shown(text) + " lets the whole Internet in", "name the networks that may send");
  }
  const IpNetwork whole = without_host_bits(*network);
  if (whole != *network) {
    return mistake(shown(text) + " has bits set beyond its prefix length",
                   "write \"" + whole.base.to_string() + "/" + std::to_string(whole.prefix_length) +
                       "\" for the network or \"" + network->base.to_string() + "\" for the one address");
  }
  return *network;
}

Converted<Transport> to_transport(const std::string& text) {
  const auto transport = parse_transport(text);
  if (!transport) return mistake(shown(text) + " is no transport", R"(write "udp", "tcp" or "tls")");
  return *transport;
}

Converted<net::ClientCertificates> to_client_certificates(const std::string& text) {
  static constexpr Word<net::ClientCertificates> words[] = {{"none", net::ClientCertificates::not_asked},
                                                            {"optional", net::ClientCertificates::optional},
                                                            {"required", net::ClientCertificates::required}};
  return to_word(text, words);
}

Converted<std::string> to_peer_host(const std::string& text) {
  if (const auto ip = IpAddress::parse(text)) return ip->to_string();
  return to_host_name(text);
}

Converted<std::string> to_host_name(const std::string& text) {
  if (is_host_name(text)) return ascii::lowered(text);
  return mistake(shown(text) + " is not a host name", R"(write a DNS name, as in "sip.example.com")");
}

Converted<std::string> to_transfer_host(const std::string& text) {
  const auto ip = IpAddress::parse(text);
  if (ip && !ip->is_public()) {
    return mistake(shown(text) + " is a private or reserved address, to which nothing is ever transferred",
                   "remove it; give the target a number on a trunk of yours instead");
  }
  if (ip) return ascii::lowered(text);
  return to_host_name(text);
}

Converted<std::string> to_id(const std::string& text) {
  if (!text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
        return is_letter(c) || is_digit(c) || c == '-' || c == '_' || c == '.';
      })) {
    return text;
  }
  return mistake(shown(text) + " can not be an id", "use 1 to 64 letters, digits, '-', '_' and '.'");
}

Converted<std::string> to_domain_label(const std::string& text) {
  if (is_label(text) && text == ascii::lowered(text)) return text;
  return mistake(shown(text) + " can not be a trunk id, which is the first part of the trunk's domain",
                 "use 1 to 63 small letters, digits and inner hyphens");
}

Converted<std::string> to_name(const std::string& text) {
  if (text.size() <= 128 && std::none_of(text.begin(), text.end(), is_control)) return text;
  return mistake(shown(text) + " can not be a name", "use up to 128 bytes without control characters");
}

Converted<std::string> to_path(const std::string& text) {
  if (!text.empty() && text.find('\0') == std::string::npos) return text;
  return mistake(shown(text) + " is no file name", R"(write the name of a file, as in "baton.db")");
}

Converted<std::string> to_username(const std::string& text) {
  // A colon would end the name in the digest's A1 (RFC 7616 3.4.2).
  if (!text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
        return c > ' ' && c <= '~' && c != ':' && c != '"' && c != '\\';
      })) {
    return text;
  }
  return mistake(shown(text) + " can not be a user name",
                 "use 1 to 64 printable ASCII characters without space, colon, quote and backslash");
}

Converted<std::string> to_password(const std::string& text) {
  if (!text.empty() && text.size() <= 128 && std::none_of(text.begin(), text.end(), is_control)) return text;
  return mistake("the password is empty, too long or has control characters", "use 1 to 128 printable bytes");
}

Converted<std::string> to_log_level(const std::string& text) {
  static constexpr Word<std::string_view> words[] = {
      {"debug", "debug"}, {"info", "info"}, {"warning", "warning"}, {"error", "error"}};
  const auto word = to_word(text, words);
  if (!word) return fail(word.error());
  return std::string(*word);
}

Converted<trunk::TrunkDirection> to_direction(const std::string& text) {
  static constexpr Word<trunk::TrunkDirection> words[] = {{"inbound", trunk::TrunkDirection::inbound},
                                                          {"outbound", trunk::TrunkDirection::outbound}};
  return to_word(text, words);
}

Converted<trunk::IdentityHeader> to_identity_header(const std::string& text) {
  static constexpr Word<trunk::IdentityHeader> words[] = {
      {"p-asserted-identity", trunk::IdentityHeader::asserted},
      {"p-preferred-identity", trunk::IdentityHeader::preferred},
      {"remote-party-id", trunk::IdentityHeader::remote_party_id},
      {"none", trunk::IdentityHeader::none}};
  return to_word(text, words);
}

Converted<trunk::DiversionHeader> to_diversion_header(const std::string& text) {
  static constexpr Word<trunk::DiversionHeader> words[] = {
      {"none", trunk::DiversionHeader::none},
      {"diversion", trunk::DiversionHeader::diversion},
      {"history-info", trunk::DiversionHeader::history_info},
      {"both", trunk::DiversionHeader::both}};
  return to_word(text, words);
}

Converted<trunk::TransferCallerId> to_transfer_caller_id(const std::string& text) {
  static constexpr Word<trunk::TransferCallerId> words[] = {
      {"by_direction", trunk::TransferCallerId::by_direction},
      {"transferee", trunk::TransferCallerId::transferee},
      {"transferor", trunk::TransferCallerId::transferor},
      {"fixed", trunk::TransferCallerId::fixed}};
  return to_word(text, words);
}

Converted<trunk::LastBye> to_last_bye(const std::string& text) {
  static constexpr Word<trunk::LastBye> words[] = {{"server", trunk::LastBye::server},
                                                   {"transferor", trunk::LastBye::transferor},
                                                   {"either", trunk::LastBye::either}};
  return to_word(text, words);
}

Converted<bool> to_early_bye(const std::string& text) {
  static constexpr Word<bool> words[] = {{"end", false}, {"continue", true}};
  return to_word(text, words);
}

Converted<bool> to_on_target_hangup(const std::string& text) {
  static constexpr Word<bool> words[] = {{"end", false}, {"return", true}};
  return to_word(text, words);
}

Converted<trunk::ReliableProvisionals> to_reliable_provisionals(const std::string& text) {
  static constexpr Word<trunk::ReliableProvisionals> words[] = {
      {"off", trunk::ReliableProvisionals::off},
      {"supported", trunk::ReliableProvisionals::supported},
      {"required", trunk::ReliableProvisionals::required}};
  return to_word(text, words);
}

Converted<Plane> to_plane(const std::string& text) {
  static constexpr Word<Plane> words[] = {{"relay", Plane::relay}, {"rtpengine", Plane::rtpengine}};
  return to_word(text, words);
}

Converted<trunk::DtmfStyle> to_dtmf_style(const std::string& text) {
  static constexpr Word<trunk::DtmfStyle> words[] = {{"auto", trunk::DtmfStyle::automatic},
                                                     {"rfc4733", trunk::DtmfStyle::telephone_events},
                                                     {"inband", trunk::DtmfStyle::in_band},
                                                     {"info", trunk::DtmfStyle::info}};
  return to_word(text, words);
}

Converted<trunk::HoldStyle> to_hold_style(const std::string& text) {
  static constexpr Word<trunk::HoldStyle> words[] = {{"anchored", trunk::HoldStyle::anchored},
                                                     {"relayed", trunk::HoldStyle::relayed}};
  return to_word(text, words);
}

Converted<sdp::Codec> to_codec(const std::string& text) {
  static constexpr Word<sdp::Codec> words[] = {{"opus", sdp::Codec::opus},
                                               {"G722", sdp::Codec::g722},
                                               {"PCMU", sdp::Codec::pcmu},
                                               {"PCMA", sdp::Codec::pcma}};
  return to_word(text, words);
}

Converted<sip::DigestAlgorithm> to_digest_algorithm(const std::string& text) {
  static constexpr Word<sip::DigestAlgorithm> words[] = {{"MD5", sip::DigestAlgorithm::md5},
                                                         {"SHA-256", sip::DigestAlgorithm::sha256},
                                                         {"SHA-512-256", sip::DigestAlgorithm::sha512_256}};
  return to_word(text, words);
}

Converted<trunk::Srtp> to_srtp(const std::string& text) {
  static constexpr Word<trunk::Srtp> words[] = {{"auto", trunk::Srtp::by_transport},
                                                {"off", trunk::Srtp::off},
                                                {"optional", trunk::Srtp::optional},
                                                {"required", trunk::Srtp::required}};
  return to_word(text, words);
}

Converted<sdp::Suite> to_srtp_suite(const std::string& text) {
  static constexpr Word<sdp::Suite> words[] = {
      {"AEAD_AES_256_GCM", sdp::Suite::aead_aes_256_gcm},
      {"AEAD_AES_128_GCM", sdp::Suite::aead_aes_128_gcm},
      {"AES_CM_128_HMAC_SHA1_80", sdp::Suite::aes_cm_128_hmac_sha1_80},
      {"AES_CM_128_HMAC_SHA1_32", sdp::Suite::aes_cm_128_hmac_sha1_32}};
  return to_word(text, words);
}

Converted<trunk::Uri> to_endpoint_uri(const std::string& text) {
  return to_uri(text);
}

Converted<trunk::Uri> to_gateway_uri(const std::string& text) {
  auto uri = to_uri(text);
  if (uri && !uri->user.empty()) {
    return mistake(shown(text) + " names a user, which the dialled number takes the place of",
                   "leave out everything up to and including the @");
  }
  return uri;
}

}  // namespace baton::config
