// SRTP keys in session descriptions: the crypto attribute (RFC 4568) with the suites of RFC 4568 6.2 and
// RFC 7714 14.1.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/inline_list.h"

namespace baton::sdp {

enum class Suite : std::uint8_t {
  aead_aes_256_gcm,
  aead_aes_128_gcm,
  aes_cm_128_hmac_sha1_80,
  aes_cm_128_hmac_sha1_32,
};
inline constexpr std::array all_suites = {Suite::aead_aes_256_gcm, Suite::aead_aes_128_gcm,
                                          Suite::aes_cm_128_hmac_sha1_80, Suite::aes_cm_128_hmac_sha1_32};

using Suites = InlineList<Suite, all_suites.size()>;  // none twice

[[nodiscard]] std::string_view to_string(Suite suite);  // "AES_CM_128_HMAC_SHA1_80"
[[nodiscard]] std::optional<Suite> find_suite(std::string_view name);
[[nodiscard]] std::size_t master_bytes(Suite suite);  // of key and salt together

// Master key and salt, one after the other, as long as the suite wants them.
struct MasterKey {
  static constexpr std::size_t bytes_max = 44;
  std::array<std::uint8_t, bytes_max> bytes{};
  std::uint8_t size = 0;
  bool operator==(const MasterKey&) const = default;
};

// One crypto attribute: what its writer encrypts with.
struct Crypto {
  std::uint32_t tag = 1;
  Suite suite = Suite::aes_cm_128_hmac_sha1_80;
  MasterKey key;
  bool operator==(const Crypto&) const = default;
};

// What may be agreed on with a peer.
enum class SrtpUse : std::uint8_t {
  off,       // RTP alone; keys in a description over RTP/AVP are ignored
  optional,  // SRTP when the peer can do it; our own offers say so over RTP/AVP (RFC 8643)
  required,  // SRTP or no audio
};
struct SrtpRules {
  SrtpUse use = SrtpUse::optional;
  Suites suites{all_suites.begin(), all_suites.end()};  // in the order of our offers

  [[nodiscard]] bool allows(Suite suite) const { return use != SrtpUse::off && suites.contains(suite); }
};

// The value of a crypto attribute, "1 AES_CM_128_HMAC_SHA1_80 inline:…|2^20". Nothing when it is not valid or
// asks for something that is not done here: another suite, several keys or a master key identifier (6.1), any
// session parameter but WSH and those that may be ignored (6.3).
[[nodiscard]] std::optional<Crypto> read_crypto(std::string_view value);
[[nodiscard]] std::string write_crypto(const Crypto& crypto);  // the value

// A key for one suite that follows from `secret` and `purpose` alone and can not be told from random without
// the secret (HMAC-SHA-512). `secret` is at least 32 unguessable octets; a purpose is never used twice.
[[nodiscard]] MasterKey derive_key(std::string_view secret, std::string_view purpose, Suite suite);

// Puts '*' for every character of a key that an "inline:" announces, for logs and traces; the length stays.
void mask_keys(std::string& text);

}  // namespace baton::sdp
