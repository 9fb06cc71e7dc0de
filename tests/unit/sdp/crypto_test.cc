#include "sdp/crypto.h"

#include <gtest/gtest.h>

#include <numeric>
#include <set>

#include "sdp/session.h"

namespace baton::sdp {
namespace {

// RFC 4568 6.1
const std::string sample = "1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj";

MasterKey counting(Suite suite) {
  MasterKey key;
  key.size = static_cast<std::uint8_t>(master_bytes(suite));
  std::iota(key.bytes.begin(), key.bytes.begin() + key.size, std::uint8_t{200});
  return key;
}

std::string line(Suite suite, unsigned tag = 1) {
  return write_crypto({tag, suite, counting(suite)});
}

std::string offer(const std::string& protocol, const std::vector<std::string>& cryptos,
                  const std::string& more = {}) {
  std::string text =
      "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 " + protocol +
      " 0\r\n";
  for (const std::string& crypto : cryptos) text += "a=crypto:" + crypto + "\r\n";
  return text + more;
}

TEST(Crypto, SampleOfTheRfc) {
  const auto crypto = read_crypto(sample + "|2^20 WSH=64");
  ASSERT_TRUE(crypto);
  EXPECT_EQ(crypto->tag, 1U);
  EXPECT_EQ(crypto->suite, Suite::aes_cm_128_hmac_sha1_80);
  const std::string key(crypto->key.bytes.begin(), crypto->key.bytes.begin() + crypto->key.size);
  EXPECT_EQ(key, "wDfvg&T+)xG7@fb5jU,RaA}\\|p0%*#");
  EXPECT_EQ(write_crypto(*crypto), sample);
}

TEST(Crypto, EverySuiteIsReadAsItIsWritten) {
  const std::size_t sizes[] = {44, 28, 30, 30};
  for (const Suite suite : all_suites) {
    const Crypto crypto{999'999'999, suite, counting(suite)};
    const auto read = read_crypto(write_crypto(crypto));
    ASSERT_TRUE(read) << write_crypto(crypto);
    EXPECT_EQ(*read, crypto);
    EXPECT_EQ(read->key.size, sizes[static_cast<std::size_t>(suite)]);
    EXPECT_EQ(find_suite(to_string(suite)), suite);
  }
}

TEST(Crypto, PaddingMayBeLeftOut) {
  const std::string padded = line(Suite::aead_aes_128_gcm);
  ASSERT_TRUE(padded.ends_with("=="));
  const auto read = read_crypto(padded.substr(0, padded.size() - 2));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->key, counting(Suite::aead_aes_128_gcm));
  EXPECT_FALSE(read_crypto(padded.substr(0, padded.size() - 1)));
}

TEST(Crypto, LifetimesAndParameters) {
  for (const char* good :
       {"|2^20", "|2^48", "|2^0", "|1", "|281474976710656", " WSH=128", "|2^31 WSH=64 -future=1", " -x"}) {
    EXPECT_TRUE(read_crypto(sample + good)) << good;
  }
  for (const char* bad : {"|",
                          "|0",
                          "|010",
                          "|2^49",
                          "|2^",
                          "|2^1x",
                          "|281474976710657",
                          "|99999999999999999999",
                          "|-1",
                          "|1:4",
                          "|2^20|1:4",
                          "|2^20|1:129",
                          ";inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj",
                          " KDR=1",
                          " UNENCRYPTED_SRTP",
                          " UNENCRYPTED_SRTCP",
                          " UNAUTHENTICATED_SRTP",
                          " FEC_ORDER=SRTP_FEC",
                          " FEC_KEY=inline:AAAA",
                          " WSH=",
                          " WSH=x",
                          " -",
                          " unheard-of",
                          "=",
                          "A"}) {
    EXPECT_FALSE(read_crypto(sample + bad)) << bad;
  }
}

TEST(Crypto, BadLines) {
  const std::string key = "inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj";
  for (const std::string& bad : std::vector<std::string>{
           "", "1", "1 AES_CM_128_HMAC_SHA1_80", "x AES_CM_128_HMAC_SHA1_80 " + key,
           "1000000000 AES_CM_128_HMAC_SHA1_80 " + key, "01 AES_CM_128_HMAC_SHA1_80 " + key,
           "1 F8_128_HMAC_SHA1_80 " + key, "1 aes_cm_128_hmac_sha1_80 " + key, "1 AEAD_AES_128_GCM " + key,
           "1 AEAD_AES_256_GCM " + key, "1 AES_CM_128_HMAC_SHA1_80 uri:http://192.0.2.1/key",
           "1 AES_CM_128_HMAC_SHA1_80 inline:", "1 AES_CM_128_HMAC_SHA1_80 inline:d0Rmdmcm",
           "1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSo*",
           "1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSo=",
           "1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSojAAAA",
           // the last letter's low bits belong to no octet
           "1 AEAD_AES_128_GCM inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=="}) {
    EXPECT_FALSE(read_crypto(bad)) << bad;
  }
}

TEST(Crypto, DerivedKeysDiffer) {
  const std::string secret(32, 's');
  std::set<std::string> seen;
  for (const Suite suite : all_suites) {
    for (const char* purpose : {"one", "two"}) {
      const MasterKey key = derive_key(secret, purpose, suite);
      EXPECT_EQ(key.size, master_bytes(suite));
      EXPECT_EQ(key, derive_key(secret, purpose, suite));
      EXPECT_NE(key, derive_key(std::string(32, 't'), purpose, suite));
      seen.emplace(key.bytes.begin(), key.bytes.begin() + 28);
    }
  }
  EXPECT_EQ(seen.size(), 8U);
}

TEST(Crypto, KeysAreMasked) {
  const std::string body = offer("RTP/SAVP", {sample + "|2^20", line(Suite::aead_aes_256_gcm, 2)});
  std::string masked = body;
  mask_keys(masked);
  EXPECT_EQ(masked.size(), body.size());
  EXPECT_EQ(masked.find("d0Rm"), std::string::npos);
  EXPECT_NE(masked.find("inline:" + std::string(40, '*') + "|2^20\r\n"), std::string::npos) << masked;
  EXPECT_NE(masked.find("inline:" + std::string(60, '*') + "\r\n"), std::string::npos) << masked;
  EXPECT_NE(masked.find("m=audio 4000 RTP/SAVP 0"), std::string::npos);
  std::string again = masked;
  mask_keys(again);
  EXPECT_EQ(again, masked);
  std::string odd = "INLINE:abc FEC_KEY=InLine:def:inline:";
  mask_keys(odd);
  EXPECT_EQ(odd, "INLINE:*** FEC_KEY=InLine:***:inline:");
}

// ---- In descriptions ----

constexpr SrtpUse off = SrtpUse::off, optional = SrtpUse::optional, required = SrtpUse::required;

struct Read {
  bool served, secure, encrypted;
  int warning;
  bool operator==(const Read&) const = default;
};

Read read(const std::string& body, SrtpUse use) {
  const auto audio = read_description(body, {.use = use});
  if (!audio) {
    EXPECT_EQ(audio.error().status, 488);
    return {false, false, false, audio.error().warning};
  }
  return {true, audio->secure, !audio->crypto.empty(), 0};
}

TEST(CryptoInDescription, EveryProfileUnderEveryRule) {
  const Read plain{true, false, false, 0}, secure{true, true, true, 0}, opportunistic{true, false, true, 0};
  const auto refused = [](int warning) { return Read{false, false, false, warning}; };
  for (const std::string& f : std::vector<std::string>{"", "F"}) {
    const std::string avp = offer("RTP/AVP" + f, {}), savp = offer("RTP/SAVP" + f, {sample}),
                      both = offer("RTP/AVP" + f, {sample}), keyless = offer("RTP/SAVP" + f, {}),
                      strange = offer("RTP/SAVP" + f, {"1 AES_192_CM_HMAC_SHA1_80 inline:AAAA"});
    EXPECT_EQ(read(avp, off), plain);
    EXPECT_EQ(read(avp, optional), plain);
    EXPECT_EQ(read(avp, required), refused(302));
    EXPECT_EQ(read(savp, off), refused(302));
    EXPECT_EQ(read(savp, optional), secure);
    EXPECT_EQ(read(savp, required), secure);
    EXPECT_EQ(read(both, off), plain);
    EXPECT_EQ(read(both, optional), opportunistic);
    EXPECT_EQ(read(both, required), opportunistic);
    EXPECT_EQ(read(keyless, optional), refused(399));
    EXPECT_EQ(read(keyless, required), refused(399));
    EXPECT_EQ(read(strange, optional), refused(399));
  }
  EXPECT_EQ(read(offer("UDP/TLS/RTP/SAVP", {sample}), optional), refused(302));
  EXPECT_EQ(read(offer("RTP/AVP", {"1 AES_CM_128_HMAC_SHA1_80 inline:bad"}), optional), plain);
}

TEST(CryptoInDescription, AnEncryptedLineBeforeAPlainOne) {
  const std::string two = offer("RTP/AVP", {}, "m=audio 4002 RTP/SAVP 0\r\na=crypto:" + sample + "\r\n");
  EXPECT_EQ(read_description(two, {.use = off})->rtp.port, 4000);
  EXPECT_EQ(read_description(two, {.use = optional})->rtp.port, 4002);
  EXPECT_EQ(read_description(two, {.use = required})->rtp.port, 4002);
  EXPECT_EQ(read_description(two, {.use = optional})->audio_line, 1U);
  EXPECT_EQ(read_description(two, {.use = optional})->lines.size(), 2U);
}

TEST(CryptoInDescription, OnlyTheSuitesOfTheRulesInThePeersOrder) {
  const std::string body =
      offer("RTP/SAVP", {line(Suite::aes_cm_128_hmac_sha1_32, 1), line(Suite::aead_aes_256_gcm, 2),
                         "3 F8_128_HMAC_SHA1_80 inline:AAAA", line(Suite::aes_cm_128_hmac_sha1_80, 4),
                         line(Suite::aead_aes_128_gcm, 4)});
  const auto tags = [&](const SrtpRules& rules) {
    std::vector<std::uint32_t> found;
    const auto audio = read_description(body, rules);
    for (const Crypto& crypto : audio->crypto) found.push_back(crypto.tag);
    return found;
  };
  EXPECT_EQ(tags({}), (std::vector<std::uint32_t>{1, 2, 4}));
  EXPECT_EQ(tags({.suites = {Suite::aead_aes_128_gcm, Suite::aead_aes_256_gcm}}),
            (std::vector<std::uint32_t>{2}))
      << "a tag that is there twice names the first";
}

TEST(CryptoInDescription, ManyLinesAreBounded) {
  std::vector<std::string> many;
  for (unsigned tag = 1; tag <= 400; ++tag) many.push_back(line(Suite::aead_aes_128_gcm, tag));
  EXPECT_EQ(read_description(offer("RTP/SAVP", many))->crypto.size(), 32U);
}

LocalAudio local(bool secure, std::vector<Crypto> crypto) {
  LocalAudio audio;
  audio.rtp = *SocketAddress::parse("203.0.113.5:20000");
  audio.formats = {{Codec::pcmu, 0}};
  audio.secure = secure;
  audio.crypto = std::move(crypto);
  return audio;
}

TEST(CryptoInDescription, OursReadsBack) {
  std::vector<Crypto> crypto;
  for (const Suite suite : all_suites) {
    crypto.push_back({static_cast<std::uint32_t>(crypto.size() + 1), suite, counting(suite)});
  }
  for (const bool secure : {true, false}) {
    const auto read = read_description(write_offer(local(secure, crypto)));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->secure, secure);
    EXPECT_EQ(read->crypto, crypto);
  }
  EXPECT_EQ(write_offer(local(false, {})).find("crypto"), std::string::npos);
}

TEST(CryptoInDescription, AnswersKeepTheProfileOfTheOffer) {
  for (const char* protocol : {"RTP/AVP", "RTP/AVPF", "RTP/SAVP", "RTP/SAVPF"}) {
    const auto remote = read_description(offer(protocol, {sample}));
    ASSERT_TRUE(remote);
    const std::string answer = write_answer(local(false, {{1, Suite::aes_cm_128_hmac_sha1_80, {}}}), *remote);
    EXPECT_NE(answer.find("m=audio 20000 " + std::string(protocol) + " 0\r\n"), std::string::npos) << answer;
    EXPECT_NE(answer.find("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:"), std::string::npos) << answer;
    for (const bool secure : {true, false}) {
      const std::string again = write_reoffer(local(secure, {}), *remote);
      const std::string expected =
          std::string(secure ? "RTP/SAVP" : "RTP/AVP") + (std::string(protocol).ends_with("F") ? "F" : "");
      EXPECT_NE(again.find("m=audio 20000 " + expected + " 0\r\n"), std::string::npos) << again;
    }
  }
}

}  // namespace
}  // namespace baton::sdp
