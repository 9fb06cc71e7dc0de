// auth-param lists of challenges and credentials (RFC 7616 3.3, 3.4), and the hashes both sides compute.
// Used inside this folder only.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "sip/digest.h"
#include "sip/header.h"

namespace baton::sip {

// "Digest" and what follows, names in lower case, values unquoted; each name at most once.
[[nodiscard]] Result<Parameters, ParseError> parse_digest_value(std::string_view value);
[[nodiscard]] std::string take_parameter(Parameters& parameters, std::string_view name);  // empty when absent

struct AlgorithmName {
  DigestAlgorithm algorithm = DigestAlgorithm::md5;
  bool session = false;
};
[[nodiscard]] std::optional<AlgorithmName> parse_algorithm(std::string_view name);  // empty name: MD5

// What goes into the response besides the user's secret; RFC 7616 3.4.1.
struct DigestInput {
  DigestAlgorithm algorithm = DigestAlgorithm::md5;
  bool session = false;
  std::string_view username, realm, password, nonce, nc, cnonce, qop, method, uri, body;
};
// Lower-case hex; empty when OpenSSL refuses the algorithm.
[[nodiscard]] std::string digest_response(const DigestInput& input);

}  // namespace baton::sip
