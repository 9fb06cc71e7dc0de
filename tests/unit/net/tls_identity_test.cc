#include "net/tls_identity.h"

#include <gtest/gtest.h>

#include "unit/net/certificates.h"

namespace baton::net {
namespace {

using Strings = std::vector<std::string>;

Strings identities(const std::string& names, const std::string& common_name = "cn.example") {
  return sip_identities(*Pair({.common_name = common_name, .names = names}).certificate);
}
bool matches(const std::string& names, std::string_view host, const std::string& common_name = "cn.example") {
  return is_for(*Pair({.common_name = common_name, .names = names}).certificate, host);
}

bool matches_wildcard(const std::string& names, std::string_view host) {
  return is_for(*Pair({.names = names}).certificate, host, true);
}

// RFC 5922 7.1
TEST(TlsIdentity, SipUrisGoBeforeDnsNamesAndThoseBeforeTheCommonName) {
  EXPECT_EQ(identities("URI:sip:a.example,DNS:b.example,URI:sip:c.example"),
            (Strings{"a.example", "c.example"}));
  EXPECT_EQ(identities("DNS:b.example,DNS:c.example"), (Strings{"b.example", "c.example"}));
  EXPECT_EQ(identities(""), Strings{"cn.example"});
  EXPECT_EQ(identities("", ""), Strings{});
  // A subjectAltName without a SIP identity says that there is none.
  EXPECT_EQ(identities("email:a@b.example"), Strings{});
}

TEST(TlsIdentity, OnlySipUrisWithoutAUserAreDomains) {
  EXPECT_EQ(identities("URI:sip:bob@a.example,URI:https://b.example,URI:sips:c.example,DNS:d.example"),
            Strings{"d.example"});
  EXPECT_EQ(identities("URI:SIP:a.example"), Strings{"a.example"});
}

// RFC 5922 7.2
TEST(TlsIdentity, NamesCompareWholeAndWithoutCase) {
  EXPECT_TRUE(matches("DNS:Sip.Example.COM", "sip.example.com"));
  EXPECT_TRUE(matches("DNS:sip.example.com", "SIP.example.com."));
  EXPECT_FALSE(matches("DNS:example.com", "sip.example.com"));
  EXPECT_FALSE(matches("DNS:sip.example.com", "example.com"));
  EXPECT_FALSE(matches("DNS:.example.com", "sip.example.com"));
  EXPECT_FALSE(matches("DNS:a.example", ""));
  EXPECT_TRUE(matches("", "cn.example"));
  EXPECT_FALSE(matches("DNS:a.example", "cn.example"));
}

TEST(TlsIdentity, AWildcardMatchesNothing) {
  EXPECT_FALSE(matches("DNS:*.example.com", "sip.example.com"));
  EXPECT_FALSE(matches("DNS:*.com", "example.com"));
}

TEST(TlsIdentity, AWildcardStandsForOneLabelWhereTheOperatorWantsIt) {
  EXPECT_TRUE(matches_wildcard("DNS:*.example.com", "sip.example.com"));
  EXPECT_TRUE(matches_wildcard("DNS:*.Example.com", "SIP.example.com."));
  EXPECT_TRUE(matches_wildcard("DNS:sip.example.com", "sip.example.com"));
  EXPECT_FALSE(matches_wildcard("DNS:*.example.com", "example.com"));
  EXPECT_FALSE(matches_wildcard("DNS:*.example.com", "a.b.example.com"));
  EXPECT_FALSE(matches_wildcard("DNS:*.com", "example.com"));
  EXPECT_FALSE(matches_wildcard("DNS:*", "com"));
  EXPECT_FALSE(matches_wildcard("DNS:s*.example.com", "sip.example.com"));
  EXPECT_FALSE(matches_wildcard("DNS:*.*.example.com", "a.b.example.com"));
  EXPECT_FALSE(matches_wildcard("DNS:*.example.com", ".example.com"));
}

TEST(TlsIdentity, AnAddressNeedsAnAddress) {
  EXPECT_TRUE(matches("IP:192.0.2.1,DNS:a.example", "192.0.2.1"));
  EXPECT_FALSE(matches("IP:192.0.2.1,DNS:a.example", "192.0.2.2"));
  EXPECT_TRUE(matches("IP:2001:db8::1", "2001:db8:0::1"));
  EXPECT_TRUE(matches("IP:2001:db8::1", "[2001:db8::1]"));
  EXPECT_TRUE(matches("URI:sip:192.0.2.1", "192.0.2.1"));
  EXPECT_FALSE(matches("", "192.0.2.1", "192.0.2.1"));
  EXPECT_FALSE(matches("IP:192.0.2.1", "a.example"));
}

}  // namespace
}  // namespace baton::net
