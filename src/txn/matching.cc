#include "txn/matching.h"

#include "base/ascii.h"

namespace baton::txn {
namespace {

constexpr std::string_view magic_cookie = "z9hg4bk";
constexpr char separator = '\n';  // in none of the parts: they are taken from one line each

void append_sent_by(std::string& key, const sip::ViaHead& via) {
  ascii::append_lowered(key, via.host);
  key += ':';
  key += std::to_string(via.port != 0 ? via.port : default_port(via.transport));
}

}  // namespace

std::uint16_t default_port(std::string_view via_transport) {
  return ascii::equals_ignoring_case(via_transport, "TLS") ? 5061 : 5060;
}

void append_client_key(std::string& key, std::string_view branch, std::string_view method) {
  ascii::append_lowered(key, branch);
  key += separator;
  key += method;
}

bool names_us(const sip::ViaHead& via, const SocketAddress& local, Transport transport) {
  const auto host = IpAddress::parse(via.host);
  const std::uint16_t port = via.port != 0 ? via.port : default_port(to_via_token(transport));
  return host == local.ip && port == local.port;
}

bool has_magic_branch(const sip::Message& request) {
  const std::string_view branch = request.via_head().branch;
  return branch.size() > magic_cookie.size() &&
         ascii::equals_ignoring_case(branch.substr(0, magic_cookie.size()), magic_cookie);
}

void append_server_key(std::string& key, const sip::Message& request, std::string_view method,
                       std::string_view to_tag) {
  if (has_magic_branch(request)) {
    const sip::ViaHead via = request.via_head();
    // Tokens compare without case (7.3.1).
    ascii::append_lowered(key, via.branch);
    key += separator;
    append_sent_by(key, via);
    key += separator;
    key += method;
    return;
  }
  key += "2543";
  for (const std::string_view part :
       {request.request_uri(), to_tag, request.from_tag(), request.call_id(), method}) {
    key += separator;
    key += part;
  }
  key += separator;
  key += std::to_string(request.cseq().number);
  key += separator;
  key += request.top_via().to_string();
}

void append_merge_key(std::string& key, const sip::Message& request) {
  key += request.from_tag();
  key += separator;
  key += request.call_id();
  key += separator;
  key += std::to_string(request.cseq().number);
  key += separator;
  key += request.method_text();
}

}  // namespace baton::txn
