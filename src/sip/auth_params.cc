#include "sip/auth_params.h"

#include <openssl/evp.h>

#include <array>

#include "base/limits.h"
#include "sip/text.h"

namespace baton::sip {
namespace {

using text::bad;
using text::Chars;
using text::Cursor;

Result<Parameter, ParseError> auth_parameter(Cursor& cursor) {
  Parameter parameter{text::lowered(cursor.take(Chars::token)), {}};
  if (parameter.name.empty() || !cursor.eat_separator('=')) return bad("Malformed digest parameter");
  if (cursor.peek() == '"') {
    auto value = cursor.quoted();
    if (!value) return bad("Unbalanced quotes in a digest value");
    parameter.value = std::move(*value);
  } else {
    parameter.value = cursor.take(Chars::loose_value);
  }
  return parameter;
}

const EVP_MD* digest_of(DigestAlgorithm algorithm) {
  switch (algorithm) {
    case DigestAlgorithm::md5:
      return EVP_md5();
    case DigestAlgorithm::sha256:
      return EVP_sha256();
    case DigestAlgorithm::sha512_256:
      return EVP_sha512_256();
  }
  return EVP_sha256();
}

std::string hash(DigestAlgorithm algorithm, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> raw{};
  unsigned length = 0;
  if (EVP_Digest(text.data(), text.size(), raw.data(), &length, digest_of(algorithm), nullptr) != 1)
    return {};
  std::string out;
  out.reserve(2 * std::size_t{length});
  for (unsigned i = 0; i < length; ++i) {
    out.push_back("0123456789abcdef"[raw[i] >> 4]);
    out.push_back("0123456789abcdef"[raw[i] & 15]);
  }
  return out;
}

std::string joined(std::initializer_list<std::string_view> parts) {
  std::string out;
  for (const auto part : parts) out.append(part).push_back(':');
  out.pop_back();
  return out;
}

}  // namespace

Result<Parameters, ParseError> parse_digest_value(std::string_view value) {
  if (value.size() > limits::header_bytes_max) return bad("Digest value too long");
  Cursor cursor(value);
  cursor.skip_white();
  if (!text::equals_ignoring_case(cursor.take(Chars::token), "Digest") || !cursor.skip_white()) {
    return bad("Not a digest value");
  }
  Parameters parameters;
  for (;;) {
    while (cursor.eat_separator(',')) continue;  // empty list elements are nothing
    cursor.skip_white();
    if (cursor.at_end()) return parameters;
    if (parameters.size() == limits::uri_parameters_max) return bad("Too many digest parameters");
    auto parameter = auth_parameter(cursor);
    if (!parameter) return fail(parameter.error());
    if (find_parameter(parameters, parameter->name) != nullptr) return bad("Digest parameter given twice");
    parameters.push_back(std::move(*parameter));
    cursor.skip_white();
    if (!cursor.at_end() && cursor.peek() != ',') return bad("Malformed digest value");
  }
}

std::string take_parameter(Parameters& parameters, std::string_view name) {
  for (auto& parameter : parameters) {
    if (parameter.name == name) return std::move(parameter.value);
  }
  return {};
}

std::optional<AlgorithmName> parse_algorithm(std::string_view name) {
  AlgorithmName parsed;
  constexpr std::string_view suffix = "-sess";
  if (name.size() > suffix.size() &&
      text::equals_ignoring_case(name.substr(name.size() - suffix.size()), suffix)) {
    parsed.session = true;
    name.remove_suffix(suffix.size());
  }
  if (name.empty()) return parsed;  // RFC 7616 3.3
  for (const auto algorithm : {DigestAlgorithm::md5, DigestAlgorithm::sha256, DigestAlgorithm::sha512_256}) {
    parsed.algorithm = algorithm;
    if (text::equals_ignoring_case(name, to_string(algorithm))) return parsed;
  }
  return std::nullopt;
}

std::string digest_response(const DigestInput& in) {
  const auto h = [&in](std::string_view text) { return hash(in.algorithm, text); };
  // "joined" leaves the first part's emptiness out, so the parts that may be empty never come first.
  std::string secret =
      h(std::string(in.username).append(":").append(in.realm).append(":").append(in.password));
  if (secret.empty()) return {};
  if (in.session) secret = h(joined({secret, in.nonce, in.cnonce}));
  const std::string request =
      in.qop == "auth-int" ? h(joined({in.method, in.uri, h(in.body)})) : h(joined({in.method, in.uri}));
  if (in.qop.empty()) return h(joined({secret, in.nonce, request}));
  return h(joined({secret, in.nonce, in.nc, in.cnonce, in.qop, request}));
}

}  // namespace baton::sip
