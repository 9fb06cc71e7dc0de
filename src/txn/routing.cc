#include "txn/routing.h"

#include <string_view>
#include <utility>

#include "base/ascii.h"
#include "txn/matching.h"

namespace baton::txn {
Destination response_destination(const sip::Message& request, const Source& source) {
  const sip::ViaHead via = request.via_head();
  Destination to;
  to.transport = source.transport;
  to.local = source.local;
  to.flow = source.flow;
  to.remote.ip = source.remote.ip;
  if (source.transport == Transport::udp && via.rport) {
    to.remote.port = source.remote.port;
  } else {
    to.remote.port = via.port != 0 ? via.port : default_port(to_via_token(source.transport));
  }
  if (source.transport == Transport::tls) to.tls_name = ascii::lowered(via.host);
  return to;
}

void append_response_vias(std::string& lines, const sip::Message& request, const Source& source) {
  const sip::ViaHead top = request.via_head();
  const bool same_host = IpAddress::parse(top.host) == source.remote.ip;
  // RFC 3581 4: with rport comes received, also when it says what the sent-by says.
  bool stamp = !same_host || top.rport || top.received;
  for (const auto& entry : request.entries()) {
    if (entry.id != sip::HeaderId::via) continue;
    std::string_view list = request.value_of(entry);
    while (const auto via = sip::take_element(list)) {
      lines += "Via: ";
      if (std::exchange(stamp, false)) {
        sip::append_stamped_via(lines, *via, source.remote.ip,
                                top.rport ? source.remote.port : std::uint16_t{0});
      } else {
        lines += *via;
      }
      lines += "\r\n";
    }
  }
}

}  // namespace baton::txn
