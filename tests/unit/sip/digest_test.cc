#include "sip/digest.h"

#include <gtest/gtest.h>

namespace baton::sip {
namespace {

using Verdict = DigestServer::Verdict;

constexpr std::string_view realm = "trunk.example.com";
constexpr std::string_view uri = "sip:+15550001111@trunk.example.com";
const std::string secret = "0123456789abcdef0123456789abcdef";
const Time start = from_micros(1'700'000'000'000'000);

Challenge vector_challenge(DigestAlgorithm algorithm) {
  Challenge challenge;
  challenge.algorithm = algorithm;
  challenge.qop_auth = true;
  return challenge;
}

TEST(Digest, Rfc7616Vectors) {
  Challenge challenge = vector_challenge(DigestAlgorithm::md5);
  challenge.realm = "http-auth@example.org";
  challenge.nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
  challenge.opaque = "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS";
  const auto answer = [&] {
    return answer_challenge(challenge, "Mufasa", "Circle of Life", "GET", "/dir/index.html",
                            "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", 1);
  };
  EXPECT_NE(answer().find("response=\"8ca523f5e9506fed4657c9700eebdbec\""), std::string::npos) << answer();
  challenge.algorithm = DigestAlgorithm::sha256;
  EXPECT_NE(answer().find("response=\"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1\""),
            std::string::npos)
      << answer();
  EXPECT_NE(answer().find("algorithm=SHA-256, opaque=\"FQhe"), std::string::npos);
  EXPECT_NE(answer().find("qop=auth, nc=00000001"), std::string::npos);
}

// RFC 7616 3.9.2, with the user name and response that its erratum 4897 corrects.
TEST(Digest, Rfc7616Sha512) {
  Challenge challenge = vector_challenge(DigestAlgorithm::sha512_256);
  challenge.realm = "api@example.org";
  challenge.nonce = "5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK";
  const std::string answer = answer_challenge(challenge, "J\xc3\xa4s\xc3\xb8n Doe", "Secret, or not?", "GET",
                                              "/doe.json", "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v", 1);
  EXPECT_NE(answer.find("response=\"3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5\""),
            std::string::npos)
      << answer;
}

// RFC 2617 3.5, and the same inputs without qop (RFC 2069 style, as RFC 3261 22.4 keeps it).
TEST(Digest, OlderVectors) {
  Challenge challenge = vector_challenge(DigestAlgorithm::md5);
  challenge.realm = "testrealm@host.com";
  challenge.nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093";
  EXPECT_NE(answer_challenge(challenge, "Mufasa", "Circle Of Life", "GET", "/dir/index.html", "0a4f113b", 1)
                .find("6629fae49393a05397450978507c4ef1"),
            std::string::npos);
  challenge.qop_auth = false;
  const std::string old =
      answer_challenge(challenge, "Mufasa", "Circle Of Life", "GET", "/dir/index.html", "", 1);
  EXPECT_NE(old.find("670fd8c2df070c60b045671b8b24ff02"), std::string::npos) << old;
  EXPECT_EQ(old.find("nc="), std::string::npos);
}

TEST(Digest, ChallengeGrammar) {
  const auto challenge = Challenge::parse(
      "digest realm=\"a \\\"b\\\"\",nonce=\"n\" , opaque=\"\", stale=TRUE, algorithm=sha-256-SESS, "
      "qop=\"auth-int,auth\", domain=\"sip:x\",, charset=UTF-8");
  ASSERT_TRUE(challenge);
  EXPECT_EQ(challenge->realm, "a \"b\"");
  EXPECT_EQ(challenge->algorithm, DigestAlgorithm::sha256);
  EXPECT_TRUE(challenge->session);
  EXPECT_TRUE(challenge->qop_auth);
  EXPECT_TRUE(challenge->qop_auth_int);
  EXPECT_TRUE(challenge->stale);
  const auto again = Challenge::parse(challenge->to_string());
  ASSERT_TRUE(again);
  EXPECT_EQ(again->to_string(), challenge->to_string());
  EXPECT_EQ(Challenge::parse("Digest realm=\"a\", nonce=\"b\"")->algorithm, DigestAlgorithm::md5);
  EXPECT_EQ(Challenge::parse("Digest realm=\"a\", nonce=\"b\", algorithm=SHA-512-256")->algorithm,
            DigestAlgorithm::sha512_256);
  for (const char* value :
       {"", "Digest", "Basic realm=\"a\"", "Digest realm=\"a\"", "Digest nonce=\"a\"",
        "Digest realm=\"a, nonce=\"b\"", "Digest realm=\"a\" nonce=\"b\"",
        "Digest realm=\"a\", nonce=\"b\", algorithm=AKAv1-MD5",
        "Digest realm=\"a\", nonce=\"b\", algorithm=SHA-1", "Digest realm=\"a\", nonce=\"b\", qop=\"other\"",
        "Digest realm=\"a\", realm=\"c\", nonce=\"b\"", "Digest realm=\"a\", nonce=\"b\", =x",
        "Digest realm=\"a\", nonce=\"b\", x", "Digestrealm=\"a\", nonce=\"b\""}) {
    EXPECT_FALSE(Challenge::parse(value)) << value;
  }
}

TEST(Digest, CredentialsGrammar) {
  const std::string base = "Digest username=\"u\", realm=\"r\", nonce=\"n\", uri=\"sip:a\", response=\"00\"";
  EXPECT_TRUE(DigestCredentials::parse(base));
  EXPECT_TRUE(DigestCredentials::parse(base + ", qop=auth, cnonce=\"c\", nc=0000000a"));
  EXPECT_TRUE(DigestCredentials::parse(base + ", qop=\"AUTH\", cnonce=\"c\", nc=0000000A"));
  for (const char* more :
       {", qop=auth", ", qop=auth, nc=00000001", ", qop=auth, cnonce=\"c\", nc=1",
        ", qop=auth, cnonce=\"c\", nc=0000000g", ", qop=auth-int, cnonce=\"c\", nc=00000001",
        ", algorithm=MD5-sess", ", algorithm=foo"}) {
    EXPECT_FALSE(DigestCredentials::parse(base + more)) << more;
  }
  EXPECT_FALSE(DigestCredentials::parse("Digest username=\"u\", realm=\"r\", nonce=\"n\", uri=\"sip:a\""));
}

class Server : public testing::Test {
 protected:
  DigestCredentials answer(const Challenge& challenge, std::uint32_t nc, std::string_view password = "pw",
                           std::string_view cnonce = "c") {
    auto parsed =
        DigestCredentials::parse(answer_challenge(challenge, "bob", password, "INVITE", uri, cnonce, nc));
    EXPECT_TRUE(parsed);
    return parsed ? *parsed : DigestCredentials{};
  }
  Verdict verify(const DigestCredentials& credentials, Time now = start + 1s) {
    return server.verify(now, credentials, realm, "pw", "INVITE", uri);
  }
  Challenge fresh(Time now = start) { return server.challenges(now, realm, false).front(); }

  DigestServer server{secret};
};

TEST_F(Server, AcceptsEachAlgorithmItOffers) {
  const auto offered = server.challenges(start, realm, false);
  ASSERT_EQ(offered.size(), 3U);
  EXPECT_EQ(offered[0].algorithm, DigestAlgorithm::sha512_256);
  EXPECT_EQ(offered[1].algorithm, DigestAlgorithm::sha256);
  EXPECT_EQ(offered[2].algorithm, DigestAlgorithm::md5);
  std::uint32_t nc = 0;
  for (const auto& challenge : offered) {
    const auto parsed = Challenge::parse(challenge.to_string());
    ASSERT_TRUE(parsed);
    EXPECT_EQ(verify(answer(*parsed, ++nc)), Verdict::good);
  }
}

TEST_F(Server, RefusesWhatIsWrong) {
  EXPECT_EQ(verify(answer(fresh(), 1, "wrong")), Verdict::bad);
  const DigestCredentials good = answer(fresh(), 1);
  EXPECT_EQ(server.verify(start, good, "other", "pw", "INVITE", uri), Verdict::bad);
  EXPECT_EQ(server.verify(start, good, realm, "pw", "BYE", uri), Verdict::bad);
  EXPECT_EQ(server.verify(start, good, realm, "pw", "INVITE", "sip:+15550009999@trunk.example.com"),
            Verdict::bad);
  for (auto field : {&DigestCredentials::username, &DigestCredentials::cnonce, &DigestCredentials::response,
                     &DigestCredentials::nonce, &DigestCredentials::uri}) {
    DigestCredentials changed = good;
    (changed.*field) += "0";
    EXPECT_EQ(verify(changed), Verdict::bad);
  }
  // None of these used the nonce up.
  EXPECT_EQ(verify(good), Verdict::good);
}

TEST_F(Server, TargetMayDifferInWhatProxiesChange) {
  const DigestCredentials good = answer(fresh(), 1);
  EXPECT_EQ(server.verify(start, good, realm, "pw", "INVITE", std::string(uri) + ":5060;transport=tcp"),
            Verdict::good);
}

TEST_F(Server, ReplayIsSeen) {
  const Challenge challenge = fresh();
  EXPECT_EQ(verify(answer(challenge, 1)), Verdict::good);
  EXPECT_EQ(verify(answer(challenge, 1)), Verdict::replayed);
  EXPECT_EQ(verify(answer(challenge, 1, "pw", "d")), Verdict::replayed);
  EXPECT_EQ(verify(answer(challenge, 4)), Verdict::good);
  EXPECT_EQ(verify(answer(challenge, 2)), Verdict::good);  // datagrams overtake each other
  EXPECT_EQ(verify(answer(challenge, 2)), Verdict::replayed);
  EXPECT_EQ(verify(answer(challenge, 3)), Verdict::good);
  EXPECT_EQ(verify(answer(challenge, 1)), Verdict::replayed);
  EXPECT_EQ(verify(answer(challenge, 200)), Verdict::good);
  EXPECT_EQ(verify(answer(challenge, 100)), Verdict::replayed);
  EXPECT_EQ(verify(answer(challenge, 137)), Verdict::good);
  EXPECT_EQ(verify(answer(challenge, 136)), Verdict::replayed);
  EXPECT_EQ(verify(answer(challenge, 0xffffffff)), Verdict::good);
  EXPECT_EQ(verify(answer(challenge, 0)), Verdict::replayed);
}

TEST_F(Server, StaleNonces) {
  const Challenge challenge = fresh();
  EXPECT_EQ(verify(answer(challenge, 1), start + 300s), Verdict::good);
  EXPECT_EQ(verify(answer(challenge, 2), start + 301s), Verdict::stale);
  EXPECT_EQ(verify(answer(challenge, 2, "wrong"), start + 301s), Verdict::bad);
  EXPECT_EQ(verify(answer(fresh(start + 1000s), 1), start), Verdict::stale);

  DigestServer restarted("another secret, thirty-two bytes.");
  EXPECT_EQ(restarted.verify(start, answer(challenge, 3), realm, "pw", "INVITE", uri), Verdict::stale);
  Challenge made_up = challenge;
  made_up.nonce = std::string(64, 'z');
  EXPECT_EQ(verify(answer(made_up, 1)), Verdict::stale);
  made_up.nonce = challenge.nonce;
  made_up.nonce[15] = made_up.nonce[15] == '0' ? '1' : '0';
  EXPECT_EQ(verify(answer(made_up, 1)), Verdict::stale);
}

TEST_F(Server, ANonceIsGoodForTheSourceItWasSentTo) {
  const Challenge challenge =
      server.challenges(start, realm, false, {DigestAlgorithm::sha256}, "192.0.2.1").front();
  EXPECT_TRUE(server.issued(start, challenge.nonce, "192.0.2.1"));
  EXPECT_TRUE(server.issued(start + 300s, challenge.nonce, "192.0.2.1"));
  EXPECT_FALSE(server.issued(start + 301s, challenge.nonce, "192.0.2.1"));
  EXPECT_FALSE(server.issued(start, challenge.nonce, "192.0.2.11"));
  EXPECT_FALSE(server.issued(start, challenge.nonce, ""));
  EXPECT_FALSE(server.issued(start, "", "192.0.2.1"));
  EXPECT_FALSE(server.issued(start, std::string(64, '0'), "192.0.2.1"));
  const auto from = [&](std::string_view source) {
    return server.verify(start, answer(challenge, 1), realm, "pw", "INVITE", uri, source);
  };
  EXPECT_EQ(from("192.0.2.2"), Verdict::stale);
  EXPECT_EQ(from(""), Verdict::stale);
  EXPECT_EQ(from("192.0.2.1"), Verdict::good);
}

TEST_F(Server, NoncesOfOneInstantDiffer) {
  EXPECT_NE(fresh().nonce, fresh().nonce);
}

TEST_F(Server, WithoutQopANonceIsGoodOnce) {
  Challenge challenge = fresh();
  challenge.qop_auth = false;
  EXPECT_EQ(verify(answer(challenge, 1)), Verdict::good);
  EXPECT_EQ(verify(answer(challenge, 1)), Verdict::replayed);
}

TEST_F(Server, AFullWindowForgetsButDoesNotForgive) {
  const Challenge oldest = fresh();
  EXPECT_EQ(verify(answer(oldest, 1)), Verdict::good);
  const Challenge unused = fresh();
  for (int i = 0; i < 16'400; ++i) ASSERT_EQ(verify(answer(fresh(), 1)), Verdict::good);
  EXPECT_EQ(verify(answer(oldest, 1)), Verdict::stale);
  EXPECT_EQ(verify(answer(unused, 1)), Verdict::stale);
  EXPECT_EQ(verify(answer(fresh(), 1)), Verdict::good);
}

}  // namespace
}  // namespace baton::sip
