// Whom a certificate is for, as SIP reads it (RFC 5922 7.1, 7.2).
#pragma once

#include <openssl/x509.h>

#include <string>
#include <string_view>
#include <vector>

namespace baton::net {

// The SIP domain identities: hosts of sip: URIs without a user, else DNS names, of subjectAltName; the CN
// only where there is no subjectAltName. As written, wildcards too, which match nothing.
[[nodiscard]] std::vector<std::string> sip_identities(const X509& certificate);

// Whether it is for `host`, a DNS name or an address (with or without brackets). Names compare whole and
// without case. An address matches an iPAddress of subjectAltName too: RFC 5922 knows only domains, and a
// gateway without a name has nothing else to show.
// With `wildcards` a name of the certificate whose first label is "*" stands for any one label there (RFC
// 6125 6.4.3), where at least two more follow. RFC 5922 7.2 knows no such thing: it is the operator's wish.
[[nodiscard]] bool is_for(const X509& certificate, std::string_view host, bool wildcards = false);

}  // namespace baton::net
