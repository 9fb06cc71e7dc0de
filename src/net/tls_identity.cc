#include "net/tls_identity.h"

#include <openssl/x509v3.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "base/address.h"
#include "sip/text.h"
#include "sip/uri.h"

namespace baton::net {
namespace {

using Names = std::unique_ptr<GENERAL_NAMES, decltype(&GENERAL_NAMES_free)>;

// Null when the certificate has no subjectAltName, or one that can not be read.
Names alternative_names(const X509& certificate) {
  return {static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)),
          &GENERAL_NAMES_free};
}

// By its length: a NUL inside does not end it.
std::string text_of(const ASN1_STRING* string) {
  const auto* bytes = reinterpret_cast<const char*>(ASN1_STRING_get0_data(string));
  return {bytes, static_cast<std::size_t>(ASN1_STRING_length(string))};
}

// The host of "sip:example.com"; nothing for another scheme or a user's own URI.
std::optional<std::string> domain_of(const std::string& text) {
  const auto uri = sip::Uri::parse(text);
  if (!uri || uri->scheme != sip::Scheme::sip || text.find('@') != std::string::npos) return std::nullopt;
  return uri->host;
}

std::string common_name(const X509& certificate) {
  const X509_NAME* subject = X509_get_subject_name(&certificate);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at < 0) return {};
  return text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
}

bool has_address(const GENERAL_NAMES& names, const IpAddress& address) {
  const int length = address.v6 ? 16 : 4;
  for (int i = 0; i < sk_GENERAL_NAME_num(&names); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(&names, i);
    if (name->type != GEN_IPADD || ASN1_STRING_length(name->d.iPAddress) != length) continue;
    const unsigned char* bytes = ASN1_STRING_get0_data(name->d.iPAddress);
    if (std::equal(bytes, bytes + length, address.bytes.begin())) return true;
  }
  return false;
}

bool covers(std::string_view wildcard, std::string_view host) {
  if (!wildcard.starts_with("*.")) return false;
  const std::string_view rest = wildcard.substr(1);  // ".example.com"
  const bool broad = rest.find('.', 1) == std::string_view::npos || rest.find('*') != std::string_view::npos;
  const std::size_t dot = host.find('.');
  return !broad && dot != 0 && dot != std::string_view::npos && host.substr(dot) == rest;
}

}  // namespace

std::vector<std::string> sip_identities(const X509& certificate) {
  const Names names = alternative_names(certificate);
  if (!names) {
    // "If and only if the subjectAltName does not appear": one that is there and broken names nobody.
    if (X509_get_ext_by_NID(&certificate, NID_subject_alt_name, -1) >= 0) return {};
    const std::string name = common_name(certificate);
    return name.empty() ? std::vector<std::string>{} : std::vector<std::string>{name};
  }
  std::vector<std::string> domains, hosts;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_URI) {
      if (auto domain = domain_of(text_of(name->d.uniformResourceIdentifier))) domains.push_back(*domain);
    } else if (name->type == GEN_DNS) {
      hosts.push_back(text_of(name->d.dNSName));
    }
  }
  return domains.empty() ? hosts : domains;
}

bool is_for(const X509& certificate, std::string_view host, bool wildcards) {
  const std::vector<std::string> identities = sip_identities(certificate);
  if (const auto address = IpAddress::parse(host)) {
    const Names names = alternative_names(certificate);
    if (names && has_address(*names, *address)) return true;
    return names && std::any_of(identities.begin(), identities.end(), [&](const std::string& identity) {
             return IpAddress::parse(identity) == address;
           });
  }
  if (!host.empty() && host.back() == '.') host.remove_suffix(1);
  if (host.empty()) return false;
  const std::string wanted = sip::text::lowered(host);
  return std::any_of(identities.begin(), identities.end(), [&](const std::string& identity) {
    const std::string name = sip::text::lowered(identity);
    return name == wanted || (wildcards && covers(name, wanted));
  });
}

}  // namespace baton::net
