#include "sdp/crypto.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <cstring>

#include "base/assert.h"
#include "sip/text.h"

namespace baton::sdp {
namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view key_method = "inline:";
constexpr unsigned lifetime_bits_max = 48;  // packets under one key (RFC 3711 9.2, RFC 7714 14.1)
constexpr std::uint32_t tag_max = 999'999'999;

std::string_view next_word(std::string_view& rest) {
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  const std::string_view word = rest.substr(0, rest.find(' '));
  rest.remove_prefix(word.size());
  return word;
}

// RFC 4648 4, with exactly the octets that the suite wants. Padding may be left out (RFC 4568 6.1 discards
// it); bits that belong to no octet must be zero.
bool read_key(std::string_view text, std::size_t size, MasterKey& key) {
  const std::size_t letters = (size * 8 + 5) / 6;
  const std::size_t padding = (4 - letters % 4) % 4;
  if (text.size() != letters && text.size() != letters + padding) return false;
  if (text.substr(letters).find_first_not_of('=') != std::string_view::npos) return false;
  std::uint32_t bits = 0;
  unsigned held = 0;
  std::size_t at = 0;
  for (const char c : text.substr(0, letters)) {
    const auto value = alphabet.find(c);
    if (value == std::string_view::npos) return false;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    held += 6;
    if (held < 8) continue;
    held -= 8;
    key.bytes[at++] = static_cast<std::uint8_t>(bits >> held);
  }
  key.size = static_cast<std::uint8_t>(at);
  return at == size && (bits & ((1U << held) - 1)) == 0;
}

std::string write_key(const MasterKey& key) {
  std::string text;
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (std::size_t i = 0; i < key.size; ++i) {
    bits = bits << 8 | key.bytes[i];
    for (held += 8; held >= 6;) {
      held -= 6;
      text += alphabet[bits >> held & 0x3f];
    }
  }
  if (held != 0) text += alphabet[bits << (6 - held) & 0x3f];
  text.append((4 - text.size() % 4) % 4, '=');
  return text;
}

// How many packets its writer uses a key for. It is the writer's affair to replace it in time, so only
// nonsense matters here.
bool is_lifetime(std::string_view text) {
  const bool power = text.starts_with("2^");
  if (power) text.remove_prefix(2);
  if (text.starts_with('0') && !(power && text == "0")) return false;
  return sip::text::parse_decimal(text, power ? lifetime_bits_max : std::uint64_t{1} << lifetime_bits_max)
      .has_value();
}

// RFC 4568 6.3.6 and 6.3.7: a hint about the replay window, and what its writer lets us ignore.
bool may_be_ignored(std::string_view parameter) {
  if (parameter.starts_with("WSH=")) return sip::text::parse_decimal(parameter.substr(4), 0xffff).has_value();
  return parameter.starts_with('-') && parameter.size() > 1;
}

}  // namespace

std::string_view to_string(Suite suite) {
  switch (suite) {
    case Suite::aead_aes_256_gcm:
      return "AEAD_AES_256_GCM";
    case Suite::aead_aes_128_gcm:
      return "AEAD_AES_128_GCM";
    case Suite::aes_cm_128_hmac_sha1_80:
      return "AES_CM_128_HMAC_SHA1_80";
    case Suite::aes_cm_128_hmac_sha1_32:
      return "AES_CM_128_HMAC_SHA1_32";
  }
  return "AES_CM_128_HMAC_SHA1_80";
}

std::optional<Suite> find_suite(std::string_view name) {
  for (const Suite suite : all_suites) {
    if (name == to_string(suite)) return suite;
  }
  return std::nullopt;
}

std::size_t master_bytes(Suite suite) {
  switch (suite) {
    case Suite::aead_aes_256_gcm:
      return 32 + 12;
    case Suite::aead_aes_128_gcm:
      return 16 + 12;
    case Suite::aes_cm_128_hmac_sha1_80:
    case Suite::aes_cm_128_hmac_sha1_32:
      return 16 + 14;
  }
  return 16 + 14;
}

std::optional<Crypto> read_crypto(std::string_view value) {
  Crypto crypto;
  const std::string_view tag_text = next_word(value);
  const auto tag = sip::text::parse_decimal(tag_text, tag_max);
  const auto suite = find_suite(next_word(value));
  std::string_view key = next_word(value);
  // It is compared as a number, so it has to be written in the one way there is (9.1).
  if (!tag || (tag_text.size() > 1 && tag_text.starts_with('0'))) return std::nullopt;
  if (!suite || !key.starts_with(key_method)) return std::nullopt;
  crypto.tag = static_cast<std::uint32_t>(*tag);
  crypto.suite = *suite;
  key.remove_prefix(key_method.size());
  // A second bar begins a master key identifier, which would be in every packet; a semicolon another key.
  const auto bar = key.find('|');
  if (bar != std::string_view::npos && !is_lifetime(key.substr(bar + 1))) return std::nullopt;
  if (!read_key(key.substr(0, bar), master_bytes(*suite), crypto.key)) return std::nullopt;
  for (std::string_view word = next_word(value); !word.empty(); word = next_word(value)) {
    if (!may_be_ignored(word)) return std::nullopt;
  }
  return crypto;
}

std::string write_crypto(const Crypto& crypto) {
  std::string text = std::to_string(crypto.tag);
  text += ' ';
  text += to_string(crypto.suite);
  text += ' ';
  text += key_method;
  return text + write_key(crypto.key);
}

MasterKey derive_key(std::string_view secret, std::string_view purpose, Suite suite) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  const std::string text = std::string(to_string(suite)) + '\n' + std::string(purpose);
  BATON_ASSERT(::HMAC(::EVP_sha512(), secret.data(), static_cast<int>(secret.size()),
                      reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(),
                      &size) != nullptr);
  MasterKey key;
  key.size = static_cast<std::uint8_t>(master_bytes(suite));
  BATON_ASSERT(size >= key.size);
  std::memcpy(key.bytes.data(), digest.data(), key.size);
  return key;
}

void mask_keys(std::string& text) {
  for (std::size_t colon = text.find(':'); colon != std::string::npos; colon = text.find(':', colon + 1)) {
    const std::size_t length = key_method.size();
    if (colon + 1 < length) continue;
    if (!sip::text::equals_ignoring_case(std::string_view(text).substr(colon + 1 - length, length),
                                         key_method))
      continue;
    for (std::size_t at = colon + 1; at < text.size(); ++at) {
      if (alphabet.find(text[at]) == std::string_view::npos && text[at] != '=') break;
      text[at] = '*';
    }
  }
}

}  // namespace baton::sdp
