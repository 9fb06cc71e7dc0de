#include "sip/digest.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "sip/auth_params.h"
#include "sip/draft.h"
#include "sip/text.h"

namespace baton::sip {
namespace {

using text::bad;

std::string algorithm_text(DigestAlgorithm algorithm, bool session) {
  std::string out(to_string(algorithm));
  if (session) out.append("-sess");
  return out;
}

std::string count_text(std::uint32_t nc) {
  std::array<char, 9> out{};
  std::snprintf(out.data(), out.size(), "%08x", nc);
  return out.data();
}

}  // namespace

std::string_view to_string(DigestAlgorithm algorithm) {
  switch (algorithm) {
    case DigestAlgorithm::md5:
      return "MD5";
    case DigestAlgorithm::sha256:
      return "SHA-256";
    case DigestAlgorithm::sha512_256:
      return "SHA-512-256";
  }
  return "SHA-256";
}

Result<Challenge, ParseError> Challenge::parse(std::string_view value) {
  auto parameters = parse_digest_value(value);
  if (!parameters) return fail(parameters.error());
  Challenge challenge;
  const auto algorithm = parse_algorithm(take_parameter(*parameters, "algorithm"));
  if (!algorithm) return bad("Unknown digest algorithm");
  challenge.algorithm = algorithm->algorithm;
  challenge.session = algorithm->session;
  if (find_parameter(*parameters, "realm") == nullptr || find_parameter(*parameters, "nonce") == nullptr) {
    return bad("Digest challenge without realm or nonce");
  }
  challenge.realm = take_parameter(*parameters, "realm");
  challenge.nonce = take_parameter(*parameters, "nonce");
  challenge.opaque = take_parameter(*parameters, "opaque");
  // What is given back must be what was given: text that can not be written again is no challenge.
  for (const std::string* part : {&challenge.realm, &challenge.nonce, &challenge.opaque}) {
    const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
    if (std::any_of(part->begin(), part->end(), control))
      return bad("Control character in a digest challenge");
  }
  challenge.stale = text::equals_ignoring_case(take_parameter(*parameters, "stale"), "true");
  const std::string qop = take_parameter(*parameters, "qop");
  for (const auto option : split_commas(qop)) {
    if (text::equals_ignoring_case(option, "auth")) challenge.qop_auth = true;
    if (text::equals_ignoring_case(option, "auth-int")) challenge.qop_auth_int = true;
  }
  if (!qop.empty() && !challenge.qop_auth && !challenge.qop_auth_int) return bad("Unknown digest qop");
  return challenge;
}

std::string Challenge::to_string() const {
  std::string out = "Digest realm=" + quote(realm) + ", nonce=" + quote(nonce);
  if (!opaque.empty()) out.append(", opaque=").append(quote(opaque));
  if (stale) out.append(", stale=TRUE");
  out.append(", algorithm=").append(algorithm_text(algorithm, session));
  if (qop_auth && qop_auth_int) {
    out.append(", qop=\"auth,auth-int\"");
  } else if (qop_auth || qop_auth_int) {
    out.append(qop_auth ? ", qop=\"auth\"" : ", qop=\"auth-int\"");
  }
  return out;
}

Result<DigestCredentials, ParseError> DigestCredentials::parse(std::string_view value) {
  auto parameters = parse_digest_value(value);
  if (!parameters) return fail(parameters.error());
  DigestCredentials credentials;
  const auto algorithm = parse_algorithm(take_parameter(*parameters, "algorithm"));
  if (!algorithm || algorithm->session) return bad("Digest algorithm was not offered");
  credentials.algorithm = algorithm->algorithm;
  for (const std::string_view name : {"username", "realm", "nonce", "uri", "response"}) {
    if (find_parameter(*parameters, name) == nullptr) return bad("Digest credentials are incomplete");
  }
  credentials.username = take_parameter(*parameters, "username");
  credentials.realm = take_parameter(*parameters, "realm");
  credentials.nonce = take_parameter(*parameters, "nonce");
  credentials.uri = take_parameter(*parameters, "uri");
  credentials.response = take_parameter(*parameters, "response");
  credentials.opaque = take_parameter(*parameters, "opaque");
  credentials.cnonce = take_parameter(*parameters, "cnonce");
  credentials.qop = text::lowered(take_parameter(*parameters, "qop"));
  credentials.nc = take_parameter(*parameters, "nc");
  if (credentials.qop.empty()) return credentials;
  if (credentials.qop != "auth") return bad("Digest qop was not offered");
  if (credentials.cnonce.empty() || credentials.nc.size() != 8 ||
      !text::all(credentials.nc, text::Chars::hex)) {
    return bad("Malformed digest nonce count");
  }
  return credentials;
}

std::string answer_challenge(const Challenge& challenge, std::string_view username, std::string_view password,
                             std::string_view method, std::string_view request_uri, std::string_view cnonce,
                             std::uint32_t nc, std::string_view body) {
  const std::string count = count_text(nc);
  const std::string_view qop = challenge.qop_auth ? "auth" : challenge.qop_auth_int ? "auth-int" : "";
  const std::string response = digest_response({.algorithm = challenge.algorithm,
                                                .session = challenge.session,
                                                .username = username,
                                                .realm = challenge.realm,
                                                .password = password,
                                                .nonce = challenge.nonce,
                                                .nc = count,
                                                .cnonce = cnonce,
                                                .qop = qop,
                                                .method = method,
                                                .uri = request_uri,
                                                .body = body});
  if (response.empty()) return {};
  std::string out = "Digest username=" + quote(username) + ", realm=" + quote(challenge.realm) +
                    ", nonce=" + quote(challenge.nonce) + ", uri=" + quote(request_uri) + ", response=\"" +
                    response + "\", algorithm=" + algorithm_text(challenge.algorithm, challenge.session);
  if (!challenge.opaque.empty()) out.append(", opaque=").append(quote(challenge.opaque));
  if (!qop.empty() || challenge.session) out.append(", cnonce=").append(quote(cnonce));
  if (!qop.empty()) out.append(", qop=").append(qop).append(", nc=").append(count);
  return out;
}

}  // namespace baton::sip
