#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <cstdio>
#include <limits>

#include "base/assert.h"
#include "sip/auth_params.h"
#include "sip/digest.h"
#include "sip/text.h"
#include "sip/uri.h"

namespace baton::sip {
namespace {

constexpr std::size_t seen_max = 16'384;
constexpr std::size_t secret_bytes_min = 32;
constexpr std::size_t stamp_length = 32;  // two 64-bit numbers in hex
constexpr std::size_t seal_length = 32;   // 128 bits of the HMAC in hex

bool same_secret_text(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::uint64_t parse_hex(std::string_view text) {
  std::uint64_t value = 0;
  for (const char c : text) value = value << 4 | static_cast<std::uint64_t>(text::hex_value(c));
  return value;
}

// RFC 3261 22.4: proxies on the way may have changed parameters, port or scheme of the Request-URI, so who is
// asked for counts, and nothing else.
bool same_target(std::string_view digest_uri, std::string_view request_uri) {
  if (digest_uri == request_uri) return true;
  const auto a = Uri::parse(digest_uri);
  const auto b = Uri::parse(request_uri);
  return a && b && a->user == b->user && a->host == b->host;
}

}  // namespace

DigestServer::DigestServer(std::string secret, Duration nonce_life)
    : secret_(std::move(secret)), nonce_life_(nonce_life) {
  BATON_ASSERT(secret_.size() >= secret_bytes_min);
  BATON_ASSERT(nonce_life_ > Duration::zero());
}

std::vector<Challenge> DigestServer::challenges(Time now, std::string_view realm, bool stale,
                                                const std::vector<DigestAlgorithm>& algorithms,
                                                std::string_view source) const {
  const std::string nonce = make_nonce(now, source);
  std::vector<Challenge> offered;
  for (const DigestAlgorithm algorithm : algorithms) {
    Challenge challenge;
    challenge.realm = realm;
    challenge.nonce = nonce;
    challenge.algorithm = algorithm;
    challenge.qop_auth = true;
    challenge.stale = stale;
    offered.push_back(std::move(challenge));
  }
  return offered;
}

DigestServer::Verdict DigestServer::verify(Time now, const DigestCredentials& credentials,
                                           std::string_view realm, std::string_view password,
                                           std::string_view method, std::string_view request_uri,
                                           std::string_view source) {
  if (credentials.realm != realm) return Verdict::bad;
  const std::string expected = digest_response({.algorithm = credentials.algorithm,
                                                .session = false,
                                                .username = credentials.username,
                                                .realm = realm,
                                                .password = password,
                                                .nonce = credentials.nonce,
                                                .nc = credentials.nc,
                                                .cnonce = credentials.cnonce,
                                                .qop = credentials.qop,
                                                .method = method,
                                                .uri = credentials.uri,
                                                .body = {}});
  if (expected.empty() || !same_secret_text(expected, text::lowered(credentials.response)))
    return Verdict::bad;
  if (!same_target(credentials.uri, request_uri)) return Verdict::bad;
  const auto stamp = read_nonce(credentials.nonce, source);
  if (!stamp) return Verdict::stale;
  // Peers from before RFC 2617 do not count, so their nonces are good once.
  const auto nc = credentials.qop.empty() ? 1U : static_cast<std::uint32_t>(parse_hex(credentials.nc));
  return use(now, *stamp, nc);
}

bool DigestServer::issued(Time now, std::string_view nonce, std::string_view source) const {
  const auto stamp = read_nonce(nonce, source);
  return stamp && is_fresh(now, *stamp);
}

bool DigestServer::is_fresh(Time now, Stamp stamp) const {
  const Duration age = now - from_micros(stamp.issued_us);
  return age <= nonce_life_ && age >= -nonce_life_ && stamp > forgotten_;
}

DigestServer::Verdict DigestServer::use(Time now, Stamp stamp, std::uint32_t nc) {
  if (!is_fresh(now, stamp)) return Verdict::stale;
  if (nc == 0) return Verdict::replayed;
  const auto [entry, fresh] = seen_.try_emplace(stamp);
  Seen& seen = entry->second;
  if (nc > seen.highest_nc) {
    const std::uint32_t step = nc - seen.highest_nc;
    seen.recent = (step < 64 ? seen.recent << step : 0) | 1;
    seen.highest_nc = nc;
  } else {
    const std::uint32_t back = seen.highest_nc - nc;
    if (back >= 64 || (seen.recent >> back & 1) != 0) return Verdict::replayed;
    seen.recent |= std::uint64_t{1} << back;
  }
  if (seen_.size() > seen_max) {
    forgotten_ = seen_.begin()->first;
    seen_.erase(seen_.begin());
  }
  return Verdict::good;
}

std::string DigestServer::make_nonce(Time now, std::string_view source) const {
  std::array<char, stamp_length + 1> stamp{};
  std::snprintf(stamp.data(), stamp.size(), "%016llx%016llx", static_cast<unsigned long long>(to_micros(now)),
                static_cast<unsigned long long>(++serial_));
  std::string nonce = stamp.data();
  nonce.append(seal(nonce, source));
  return nonce;
}

std::optional<DigestServer::Stamp> DigestServer::read_nonce(std::string_view nonce,
                                                            std::string_view source) const {
  if (nonce.size() != stamp_length + seal_length) return std::nullopt;
  const std::string_view stamp = nonce.substr(0, stamp_length);
  if (!same_secret_text(seal(stamp, source), nonce.substr(stamp_length))) return std::nullopt;
  return Stamp{static_cast<std::int64_t>(parse_hex(stamp.substr(0, 16))), parse_hex(stamp.substr(16))};
}

std::string DigestServer::seal(std::string_view stamp, std::string_view source) const {
  // The stamp has a fixed length, so nothing can move from one to the other.
  const std::string text = std::string(stamp).append(source);
  std::array<unsigned char, EVP_MAX_MD_SIZE> raw{};
  unsigned length = 0;
  const auto* done =
      HMAC(EVP_sha256(), secret_.data(), static_cast<int>(secret_.size()),
           reinterpret_cast<const unsigned char*>(text.data()), text.size(), raw.data(), &length);
  BATON_ASSERT(done != nullptr && length >= seal_length / 2);
  std::string out;
  for (std::size_t i = 0; i < seal_length / 2; ++i) {
    out.push_back("0123456789abcdef"[raw[i] >> 4]);
    out.push_back("0123456789abcdef"[raw[i] & 15]);
  }
  return out;
}

}  // namespace baton::sip
