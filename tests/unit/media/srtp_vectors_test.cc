// The numbers that RFC 3711 Appendix B, RFC 6188 7.2 and RFC 7714 16 and 17 print.
#include <gtest/gtest.h>

#include <algorithm>
#include <string_view>

#include "media/relay/rtp.h"
#include "media/srtp/cipher.h"
#include "unit/media/libsrtp.h"

namespace baton::media::test {
namespace {

using sdp::Suite;

Bytes octets(std::string_view text) {
  Bytes bytes;
  int half = -1;
  for (const char c : text) {
    if (c == ' ') continue;
    const int digit = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
    if (half < 0) {
      half = digit;
    } else {
      bytes.push_back(static_cast<std::uint8_t>(half * 16 + digit));
      half = -1;
    }
  }
  return bytes;
}

template <std::size_t n>
Bytes first(const std::array<std::uint8_t, n>& bytes, std::size_t count = n) {
  return {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count)};
}

sdp::MasterKey master(std::string_view key, std::string_view salt) {
  Bytes bytes = octets(key);
  const Bytes behind = octets(salt);
  bytes.insert(bytes.end(), behind.begin(), behind.end());
  sdp::MasterKey master;
  std::copy(bytes.begin(), bytes.end(), master.bytes.begin());
  master.size = static_cast<std::uint8_t>(bytes.size());
  return master;
}

SrtpKeys session_keys(std::string_view key, std::string_view salt) {
  SrtpKeys keys;
  const Bytes k = octets(key), s = octets(salt);
  std::copy(k.begin(), k.end(), keys.cipher.begin());
  std::copy(s.begin(), s.end(), keys.salt.begin());
  keys.cipher_bytes = k.size();
  return keys;
}

// RFC 3711 B.3
TEST(SrtpVectors, KeyDerivation) {
  const auto keys =
      derive_srtp_keys(Suite::aes_cm_128_hmac_sha1_80,
                       master("E1F97A0D3E018BE0D64FA32C06DE4139", "0EC675AD498AFEEBB6960B3AABE6"), false);
  EXPECT_EQ(keys.cipher_bytes, 16U);
  EXPECT_EQ(first(keys.cipher, 16), octets("C61E7A93744F39EE10734AFE3FF7A087"));
  EXPECT_EQ(first(keys.salt), octets("30CBBC08863D8C85D49DB34A9AE1"));
  EXPECT_EQ(first(keys.authentication), octets("CEBE321F6FF7716B6FD4AB49AF256A15 6D38BAA4"));
}

// RFC 6188 7.2
TEST(SrtpVectors, KeyDerivation256) {
  const Bytes key = octets("f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6");
  const Bytes salt = octets("3b04803de51ee7c96423ab5b78d2");
  Bytes out(32);
  srtp_prf(key, salt, 0, out);
  EXPECT_EQ(out, octets("5ba1064e30ec51613cad926c5a28ef731ec7fb397f70a960653caf06554cd8c4"));
  out.resize(14);
  srtp_prf(key, salt, 2, out);
  EXPECT_EQ(out, octets("fa31791685ca444a9e07c6c64e93"));
}

// RFC 3711 B.2: the key stream is what a packet of zeros becomes. The first block of a packet begins at
// counter zero, as that of the vector does.
TEST(SrtpVectors, CounterMode) {
  const SrtpKeys keys = session_keys("2B7E151628AED2A6ABF7158809CF4F3C", "F0F1F2F3F4F5F6F7F8F9FAFBFCFD");
  SrtpCipher cipher(Suite::aes_cm_128_hmac_sha1_80, keys, false, SrtpCipher::Direction::encrypt);
  Bytes stream(1'044'512), tag(20);
  cipher.encrypt({stream.data(), 0, stream.size(), 0, 0, 0}, tag.data());
  const auto part = [&](std::size_t block) {
    return Bytes(stream.begin() + static_cast<std::ptrdiff_t>(block * 16),
                 stream.begin() + static_cast<std::ptrdiff_t>(block * 16 + 16));
  };
  EXPECT_EQ(part(0), octets("E03EAD0935C95E80E166B16DD92B4EB4"));
  EXPECT_EQ(part(1), octets("D23513162B02D0F72A43A2FE4A5F97AB"));
  EXPECT_EQ(part(2), octets("41E95B3BB0A2E8DD477901E4FCA894C0"));
  EXPECT_EQ(part(0xfeff), octets("EC8CDF7398607CB0F2D21675EA9EA1E4"));
  EXPECT_EQ(part(0xff00), octets("362B7C3C6773516318A077D7FC5073AE"));
  EXPECT_EQ(part(0xff01), octets("6A2CC3787889374FBEB4C81B17BA6C44"));
}

// RFC 2202 3, test 7 apart: its messages end in what we give as the word.
TEST(SrtpVectors, Hmac) {
  const Bytes key(20, 0x0b);
  const Bytes message = octets("48692054 686572 65");  // "Hi There"
  EXPECT_EQ(first(HmacSha1(key).of({message.data(), 4}, load32(message.data() + 4))),
            octets("b617318655057264e28bc0b6fb378c8ef146be00"));
  const Bytes other_key(20, 0xaa), fifty(50, 0xdd);
  EXPECT_EQ(first(HmacSha1(other_key).of({fifty.data(), 46}, 0xdddddddd)),
            octets("125d7342b9ac11cd91a39af48aa17b4f63f175d3"));
}

constexpr std::string_view gcm_salt = "517569642070726f2071756f";
constexpr std::string_view short_key = "000102030405060708090a0b0c0d0e0f";
constexpr std::string_view long_key = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

struct Vector {
  Suite suite;
  std::string_view key;
  bool rtcp;
  std::size_t clear;
  std::string_view plain, sealed;  // sealed: with the tag, without the ESRTCP word
  std::uint32_t ssrc;
  std::uint64_t index;
  std::uint32_t word;
};

constexpr std::string_view gallia =
    "8040f17b 8041f8d3 5501a0b2 47616c6c 69612065 7374206f 6d6e6973 20646976 69736120 696e2070 61727465"
    "73207472 6573";
constexpr std::string_view mars =
    "81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61 deadbeef deadbeef deadbeef"
    "deadbeef deadbeef";

const Vector vectors[] = {
    {Suite::aead_aes_128_gcm, short_key, false, 12, gallia,  // 16.1.1, 16.1.2
     "8040f17b 8041f8d3 5501a0b2 f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5 0d294e6f 42a5f47a 51c7d19b"
     "36de3adf 8833899d 7f27beb1 6a9152cf 765ee439 0cce",
     0x5501a0b2, 0xf17b, 0},
    {Suite::aead_aes_128_gcm, short_key, false, 50, gallia,  // 16.1.3, 16.1.4
     "8040f17b 8041f8d3 5501a0b2 47616c6c 69612065 7374206f 6d6e6973 20646976 69736120 696e2070 61727465"
     "73207472 65732249 3f82d2bc e397e9d7 9e3b19aa 4216",
     0x5501a0b2, 0xf17b, 0},
    {Suite::aead_aes_256_gcm, long_key, false, 12, gallia,  // 16.2.1, 16.2.2
     "8040f17b 8041f8d3 5501a0b2 32b1de78 a822fe12 ef9f78fa 332e33aa b1801238 9a58e2f3 b50b2a02 76ffae0f"
     "1ba63799 b87b7aa3 db36dfff d6b0f9bb 7878d7a7 6c13",
     0x5501a0b2, 0xf17b, 0},
    {Suite::aead_aes_128_gcm, short_key, true, 8, mars,  // 17.1
     "81c8000d 4d617273 63e94885 dcdab67c a727d766 2f6b7e99 7ff5c0f7 6c06f32d c676a5f1 730d6fda 4ce09b46"
     "86303ded 0bb9275b c84aa458 96cf4d2f c5abf872 45d9eade",
     0x4d617273, 0x5d4, 0x800005d4},
    {Suite::aead_aes_256_gcm, long_key, true, 8, mars,  // 17.2
     "81c8000d 4d617273 d50ae4d1 f5ce5d30 4ba297e4 7d470c28 2c3ece5d bffe0a50 a2eaa5c1 110555be 8415f658"
     "c61de047 6f1b6fad 1d1eb30c 4446839f 57ff6f6c b26ac3be",
     0x4d617273, 0x5d4, 0x800005d4},
    {Suite::aead_aes_128_gcm, short_key, true, 52, mars,  // 17.3
     "81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61 deadbeef deadbeef deadbeef"
     "deadbeef deadbeef 841dd968 3dd78ec9 2ae58790 125f62b3",
     0x4d617273, 0x5d4, 0x000005d4},
    {Suite::aead_aes_256_gcm, long_key, true, 52, mars,  // 17.4
     "81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61 deadbeef deadbeef deadbeef"
     "deadbeef deadbeef 91db4afb feee5a97 8fab4393 ed2615fe",
     0x4d617273, 0x5d4, 0x000005d4},
};

TEST(SrtpVectors, Gcm) {
  for (const Vector& vector : vectors) {
    SCOPED_TRACE(vector.sealed);
    const SrtpKeys keys = session_keys(vector.key, gcm_salt);
    const Bytes plain = octets(vector.plain), sealed = octets(vector.sealed);
    Bytes bytes = plain;
    bytes.resize(plain.size() + 16);
    const SrtpPacket packet{bytes.data(), vector.clear, plain.size(), vector.ssrc, vector.index, vector.word};
    std::uint8_t* const tag = bytes.data() + plain.size();
    SrtpCipher(vector.suite, keys, vector.rtcp, SrtpCipher::Direction::encrypt).encrypt(packet, tag);
    EXPECT_EQ(bytes, sealed);
    SrtpCipher opener(vector.suite, keys, vector.rtcp, SrtpCipher::Direction::decrypt);
    EXPECT_TRUE(opener.decrypt(packet, tag));
    bytes.resize(plain.size());
    EXPECT_EQ(bytes, plain);
    for (std::size_t at = 0; at < sealed.size(); ++at) {
      bytes = sealed;
      bytes[at] ^= 1;
      EXPECT_FALSE(
          opener.decrypt({bytes.data(), vector.clear, plain.size(), vector.ssrc, vector.index, vector.word},
                         bytes.data() + plain.size()))
          << at;
    }
  }
}

}  // namespace
}  // namespace baton::media::test
