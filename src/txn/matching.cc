#include "txn/matching.h"

#include "base/ascii.h"

namespace baton::txn {
namespace {

constexpr std::string_view magic_cookie = "z9hg4bk";
constexpr char separator = '\n';  // in none of the parts: they are taken from one line each

void append_sent_by(std::string& key, const sip::Via& via) {
  ascii::append_lowered(key, via.host);
  key += ':';
  key += std::to_string(via.port != 0 ? via.port : default_port(via.transport));
}

std::string_view tag_of(const sip::NameAddr& address) {
  return address.tag();
}

}  // namespace

std::uint16_t default_port(std::string_view via_transport) {
  return via_transport == "TLS" ? 5061 : 5060;
}

std::string client_key(std::string_view branch, std::string_view method) {
  std::string key;
  key.reserve(branch.size() + method.size() + 1);
  ascii::append_lowered(key, branch);
  key += separator;
  key += method;
  return key;
}

bool names_us(const sip::Via& via, const SocketAddress& local, Transport transport) {
  const auto host = IpAddress::parse(via.host);
  const std::uint16_t port = via.port != 0 ? via.port : default_port(to_via_token(transport));
  return host == local.ip && port == local.port;
}

bool has_magic_branch(const sip::Message& request) {
  const std::string_view branch = request.top_via().branch();
  if (branch.size() <= magic_cookie.size()) return false;
  std::string start;
  ascii::append_lowered(start, branch.substr(0, magic_cookie.size()));
  return start == magic_cookie;
}

std::string server_key(const sip::Message& request, std::string_view method, std::string_view to_tag) {
  const sip::Via& via = request.top_via();
  std::string key;
  key.reserve(128);
  if (has_magic_branch(request)) {
    // Tokens compare without case (7.3.1).
    ascii::append_lowered(key, via.branch());
    key += separator;
    append_sent_by(key, via);
    key += separator;
    key += method;
    return key;
  }
  key += "2543";
  for (const std::string_view part :
       {request.request_uri(), to_tag, tag_of(request.from()), request.call_id(), method}) {
    key += separator;
    key += part;
  }
  key += separator;
  key += std::to_string(request.cseq().number);
  key += separator;
  key += via.to_string();
  return key;
}

std::string merge_key(const sip::Message& request) {
  std::string key(tag_of(request.from()));
  key += separator;
  key += request.call_id();
  key += separator;
  key += std::to_string(request.cseq().number);
  key += separator;
  key += request.method_text();
  return key;
}

}  // namespace baton::txn
