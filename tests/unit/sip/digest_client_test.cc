#include "sip/digest_client.h"

#include <gtest/gtest.h>

#include "base/rng.h"

namespace baton::sip {
namespace {

Message refusal(int status, const std::string& challenges) {
  return *Message::parse("SIP/2.0 " + std::to_string(status) +
                         " X\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n"
                         "From: <sip:a@192.0.2.1>;tag=a\r\nTo: <sip:b@192.0.2.2>;tag=b\r\nCall-ID: c\r\n"
                         "CSeq: 2 INVITE\r\n" +
                         challenges + "\r\n");
}

std::string challenge(const std::string& header, const std::string& realm, const std::string& nonce,
                      const std::string& algorithm, bool stale = false) {
  return header + ": Digest realm=\"" + realm + "\", nonce=\"" + nonce +
         "\", qop=\"auth\", algorithm=" + algorithm + (stale ? ", stale=true" : "") + "\r\n";
}

const std::string www = "WWW-Authenticate";
const std::string proxy = "Proxy-Authenticate";

class Client : public ::testing::Test {
 protected:
  std::vector<DigestCredentials> sign(HeaderId id = HeaderId::authorization) {
    Draft draft = Draft::request(Method::bye, "sip:b@192.0.2.2");
    client.sign(draft, "user", "secret", rng);
    client.sign(draft, "user", "secret", rng);  // the second replaces the first
    std::vector<DigestCredentials> all;
    for (const auto& field : draft.fields()) {
      if (field.id == id) all.push_back(*DigestCredentials::parse(field.value));
    }
    return all;
  }
  DigestClient client;
  Rng rng{1};
};

TEST_F(Client, StrongestChallengeIsAnsweredWhateverStandsFirst) {
  EXPECT_TRUE(client.empty());
  ASSERT_TRUE(
      client.take(refusal(401, challenge(www, "r", "n1", "MD5") + challenge(www, "r", "n2", "SHA-256") +
                                   challenge(www, "r", "n3", "TIGER-9") + www + ": Basic realm=\"r\"\r\n"),
                  0));
  const auto all = sign();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].nonce, "n2");
  EXPECT_EQ(all[0].algorithm, DigestAlgorithm::sha256);
}

TEST_F(Client, UnknownSchemesAloneAreNothingToAnswer) {
  EXPECT_FALSE(client.take(refusal(401, www + ": Basic realm=\"r\"\r\n"), 0));
  EXPECT_FALSE(client.take(refusal(401, ""), 0));
  EXPECT_TRUE(client.empty());
}

TEST_F(Client, NonceIsUsedAgainAndCounted) {
  ASSERT_TRUE(client.take(refusal(401, challenge(www, "r", "n1", "MD5")), 0));
  EXPECT_EQ(sign().at(0).nc, "00000002");
  EXPECT_EQ(sign().at(0).nc, "00000004");
  ASSERT_TRUE(client.take(refusal(401, challenge(www, "r", "n2", "MD5")), 1)) << "another request";
  EXPECT_EQ(sign().at(0).nonce, "n2");
  EXPECT_EQ(sign().at(0).nc, "00000004");
}

TEST_F(Client, RefusedAnswerIsNotRepeatedUnlessTheNonceWasStale) {
  ASSERT_TRUE(client.take(refusal(401, challenge(www, "r", "n1", "MD5")), 7));
  EXPECT_FALSE(client.take(refusal(401, challenge(www, "r", "n2", "MD5")), 7));
  EXPECT_TRUE(client.take(refusal(401, challenge(www, "r", "n2", "MD5", true)), 7));
}

TEST_F(Client, ProxiesAndTheServerEachGetTheirOwn) {
  ASSERT_TRUE(client.take(refusal(407, challenge(proxy, "p", "n1", "MD5")), 0));
  ASSERT_TRUE(client.take(refusal(407, challenge(proxy, "q", "n2", "MD5")), 0));
  ASSERT_TRUE(client.take(refusal(401, challenge(www, "r", "n3", "MD5")), 0));
  EXPECT_EQ(sign().size(), 1U);
  EXPECT_EQ(sign(HeaderId::proxy_authorization).size(), 2U);
}

TEST_F(Client, RealmsAreBounded) {
  for (int i = 0; i < 4; ++i) {
    EXPECT_TRUE(client.take(refusal(407, challenge(proxy, "p" + std::to_string(i), "n", "MD5")), 0));
  }
  EXPECT_FALSE(client.take(refusal(407, challenge(proxy, "p9", "n", "MD5")), 0));
}

TEST(Credentials, AreThoseHeadersAndNoOthers) {
  Draft from = Draft::request(Method::invite, "sip:b@192.0.2.2");
  from.add(HeaderId::authorization, "Digest a=b").add(HeaderId::proxy_authorization, "Digest c=d");
  from.add(HeaderId::subject, "x");
  const auto credentials = credentials_of(from);
  ASSERT_EQ(credentials.size(), 2U);
  EXPECT_EQ(credentials[0].value, "Digest a=b");
  EXPECT_EQ(credentials[1].value, "Digest c=d");
}

}  // namespace
}  // namespace baton::sip
