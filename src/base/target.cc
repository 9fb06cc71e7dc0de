#include "base/target.h"

namespace baton {

std::string Target::to_string() const {
  return std::string(baton::to_string(transport)) + " " + address.to_string();
}

Transport transport_without_records(const Lookup& lookup) {
  if (lookup.sips) return Transport::tls;
  return lookup.transport.value_or(Transport::udp);
}

std::optional<Target> literal_target(const Lookup& lookup) {
  const auto ip = IpAddress::parse(lookup.host);
  if (!ip) return std::nullopt;
  const Transport transport = transport_without_records(lookup);
  return Target{transport, {*ip, lookup.port != 0 ? lookup.port : default_sip_port(transport)}};
}

}  // namespace baton
