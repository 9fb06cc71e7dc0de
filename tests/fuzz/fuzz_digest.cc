// Challenges and credentials of a peer: what reads is answered or verified, and only a right password is
// good.
#include <cstring>

#include "base/assert.h"
#include "fuzz/check.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace baton;
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (const auto challenge = sip::Challenge::parse(text)) fuzz::check_challenge(*challenge);
  const auto credentials = sip::DigestCredentials::parse(text);
  if (!credentials) return 0;
  const Time now = Time{} + 1h;
  sip::DigestServer server(std::string(32, 'k'));
  // Nobody who does not know the password gets in, whatever he writes.
  BATON_ASSERT(server.verify(now, *credentials, "realm", "a password that is not known", "INVITE",
                             "sip:a@b") != sip::DigestServer::Verdict::good);
  // What we answer ourselves is good once, and not again.
  for (const auto& challenge : server.challenges(now, "realm", false)) {
    const auto value =
        sip::answer_challenge(challenge, "user", text.substr(0, 64), "INVITE", "sip:a@b", "c", 1);
    const auto own = sip::DigestCredentials::parse(value);
    BATON_ASSERT(own);
    const auto first = server.verify(now, *own, "realm", text.substr(0, 64), "INVITE", "sip:a@b");
    BATON_ASSERT(server.verify(now, *own, "realm", text.substr(0, 64), "INVITE", "sip:a@b") !=
                 sip::DigestServer::Verdict::good);
    BATON_ASSERT(first != sip::DigestServer::Verdict::bad);
  }
  return 0;
}
