// Messages for the tests of this folder.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace baton::sip::test {

// A file of the fuzzing seeds. The RFC 4475 messages are kept there bit for bit; those of RFC 5118 with CRLFs
// and with the lengths and last lines its archive has wrong put right.
inline std::string corpus_file(const std::string& name) {
  const auto folder = std::filesystem::path(__FILE__).parent_path() / "../../fuzz/corpus/fuzz_message";
  std::ifstream file(folder / name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// A whole request with `extra` header lines (each with its CRLF) before Content-Length.
inline std::string request(const std::string& method = "INVITE", const std::string& extra = {},
                           const std::string& body = {}) {
  return method +
         " sip:+15550001111@trunk.example.com SIP/2.0\r\n"
         "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKabc;rport\r\n"
         "Max-Forwards: 70\r\n"
         "From: \"Alice\" <sip:alice@example.com>;tag=a1\r\n"
         "To: <sip:+15550001111@trunk.example.com>\r\n"
         "Call-ID: call-1@192.0.2.1\r\n"
         "CSeq: 1 " +
         method + "\r\n" + extra + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

inline std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

}  // namespace baton::sip::test
