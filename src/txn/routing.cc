#include "txn/routing.h"

#include <algorithm>
#include <string_view>

#include "txn/matching.h"

namespace baton::txn {
namespace {

void set_parameter(sip::Parameters& parameters, std::string_view name, std::string value) {
  const auto found = std::find_if(parameters.begin(), parameters.end(),
                                  [&](const sip::Parameter& parameter) { return parameter.name == name; });
  if (found != parameters.end()) {
    found->value = std::move(value);
  } else {
    parameters.push_back({std::string(name), std::move(value)});
  }
}

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
  std::vector<std::string> vias;
  for (const std::string_view element : request.elements(sip::HeaderId::via)) {
    vias.emplace_back(element);
  }
  sip::Via top = request.top_via();
  const bool rport = asks_for_rport(top);
  const bool forged = sip::find_parameter(top.parameters, "received") != nullptr;
  const bool same_host = IpAddress::parse(top.host) == source.remote.ip;
  if (vias.empty() || (same_host && !rport && !forged)) return vias;
  // RFC 3581 4: with rport comes received, also when it says what the sent-by says.
  set_parameter(top.parameters, "received", source.remote.ip.to_string());
  if (rport) set_parameter(top.parameters, "rport", std::to_string(source.remote.port));
  vias.front() = top.to_string();
  return vias;
}

void set_vias(sip::Draft& response, const std::vector<std::string>& vias) {
  response.remove(sip::HeaderId::via);
  for (const std::string& via : vias) response.add(sip::HeaderId::via, via);
}

}  // namespace baton::txn
