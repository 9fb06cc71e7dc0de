#include "txn/routing.h"

#include <algorithm>
#include <string_view>

#include "txn/matching.h"

namespace baton::txn {
namespace {

bool asks_for_rport(const sip::Via& via) {
  return sip::find_parameter(via.parameters, "rport") != nullptr;
}

}  // namespace

Destination response_destination(const sip::Message& request, const Source& source) {
  const sip::Via& via = request.top_via();
  Destination to;
  to.transport = source.transport;
  to.local = source.local;
  to.flow = source.flow;
  to.remote.ip = source.remote.ip;
  if (source.transport == Transport::udp && asks_for_rport(via)) {
    to.remote.port = source.remote.port;
  } else {
    to.remote.port = via.port != 0 ? via.port : default_port(to_via_token(source.transport));
  }
  if (source.transport == Transport::tls) to.tls_name = via.host;
  return to;
}

std::vector<std::string> response_vias(const sip::Message& request, const Source& source) {
  const auto elements = request.elements(sip::HeaderId::via);
  std::vector<std::string> vias(elements.begin(), elements.end());
  const sip::Via& top = request.top_via();
  const bool rport = asks_for_rport(top);
  const bool forged = sip::find_parameter(top.parameters, "received") != nullptr;
  const bool same_host = IpAddress::parse(top.host) == source.remote.ip;
  if (vias.empty() || (same_host && !rport && !forged)) return vias;
  // RFC 3581 4: with rport comes received, also when it says what the sent-by says.
  vias.front() = top.stamped(source.remote.ip.to_string(), rport ? source.remote.port : std::uint16_t{0});
  return vias;
}

void set_vias(sip::Draft& response, const std::vector<std::string>& vias) {
  response.remove(sip::HeaderId::via);
  for (const std::string& via : vias) response.add(sip::HeaderId::via, via);
}

}  // namespace baton::txn
