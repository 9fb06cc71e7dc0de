// HTTP digest for SIP (RFC 3261 22, RFC 7616, RFC 8760): MD5, SHA-256, SHA-512-256; qop=auth.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "sip/error.h"

namespace baton::sip {

enum class DigestAlgorithm : std::uint8_t { md5, sha256, sha512_256 };
[[nodiscard]] std::string_view to_string(DigestAlgorithm algorithm);  // "MD5", "SHA-256", "SHA-512-256"

// One WWW-Authenticate or Proxy-Authenticate value, taken apart.
struct Challenge {
  std::string realm;
  std::string nonce;
  std::string opaque;
  DigestAlgorithm algorithm = DigestAlgorithm::md5;
  bool session = false;       // "-sess"
  bool qop_auth = false;      // qop lists "auth"
  bool qop_auth_int = false;  // qop lists "auth-int"; answered with it only when "auth" is not offered
  bool stale = false;

  // An error for other schemes and for algorithms we do not have: try the next one (RFC 8760 2.4).
  [[nodiscard]] static Result<Challenge, ParseError> parse(std::string_view value);
  [[nodiscard]] std::string to_string() const;
};

// One Authorization or Proxy-Authorization value, taken apart.
struct DigestCredentials {
  std::string username, realm, nonce, uri, response, opaque, cnonce, qop, nc;
  DigestAlgorithm algorithm = DigestAlgorithm::md5;

  [[nodiscard]] static Result<DigestCredentials, ParseError> parse(std::string_view value);
};

// Client side: the value of the Authorization header that answers `challenge`. `nc` counts uses of the nonce
// from 1; `cnonce` is a fresh token. `body` counts for auth-int alone. Empty when the machine's OpenSSL
// refuses the algorithm (MD5 under FIPS).
[[nodiscard]] std::string answer_challenge(const Challenge& challenge, std::string_view username,
                                           std::string_view password, std::string_view method,
                                           std::string_view request_uri, std::string_view cnonce,
                                           std::uint32_t nc, std::string_view body = {});

// Server side. Stateless nonces: a time stamp and a counter under an HMAC of a secret, so they can not be
// made up, used after their life or from another `source` than the one challenged (any text; empty is one); a
// bounded window of used (nonce, nc) pairs stops replay within it. Owned by one shard; shards that share a
// secret read each other's nonces but not each other's window.
class DigestServer {
 public:
  // `secret`: at least 32 unguessable bytes, from outside the machine.
  DigestServer(std::string secret, Duration nonce_life = 300s);

  // One challenge per algorithm, in that order (RFC 8760 2.3 wants the strongest first; peers that look at
  // the first alone may want another). They share one fresh nonce.
  [[nodiscard]] std::vector<Challenge> challenges(
      Time now, std::string_view realm, bool stale,
      const std::vector<DigestAlgorithm>& algorithms = {DigestAlgorithm::sha512_256, DigestAlgorithm::sha256,
                                                        DigestAlgorithm::md5},
      std::string_view source = {}) const;
  // Whoever shows this nonce has seen a challenge that was sent to `source` not long ago.
  [[nodiscard]] bool issued(Time now, std::string_view nonce, std::string_view source) const;

  enum class Verdict : std::uint8_t { good, stale, bad, replayed };
  // `password` of the user the credentials name. Constant-time comparison. `stale`: the password is right but
  // the nonce too old or not ours (a restart): challenge again, saying so. `replayed` may be a peer that does
  // not count: challenge again as well. The window moves only for right passwords, so nobody else can flush
  // it.
  [[nodiscard]] Verdict verify(Time now, const DigestCredentials& credentials, std::string_view realm,
                               std::string_view password, std::string_view method,
                               std::string_view request_uri, std::string_view source = {});

 private:
  // What a nonce says about itself.
  struct Stamp {
    std::int64_t issued_us = 0;
    std::uint64_t serial = 0;
    auto operator<=>(const Stamp&) const = default;
  };
  // The highest count seen and a bit for each of the 64 up to it: datagrams overtake each other.
  struct Seen {
    std::uint32_t highest_nc = 0;
    std::uint64_t recent = 0;
  };
  [[nodiscard]] std::string make_nonce(Time now, std::string_view source) const;
  [[nodiscard]] std::optional<Stamp> read_nonce(std::string_view nonce, std::string_view source) const;
  [[nodiscard]] std::string seal(std::string_view stamp, std::string_view source) const;
  [[nodiscard]] bool is_fresh(Time now, Stamp stamp) const;
  [[nodiscard]] Verdict use(Time now, Stamp stamp, std::uint32_t nc);

  std::string secret_;
  Duration nonce_life_;
  mutable std::uint64_t serial_ = 0;  // tells nonces of one microsecond apart
  std::map<Stamp, Seen> seen_;        // oldest first
  Stamp forgotten_{};  // the newest nonce that fell out of a full window: it and older ones are stale
};

}  // namespace baton::sip
