#include "load/compose.h"

#include <utility>

namespace baton::bench {
namespace {

void number(std::string& out, std::uint64_t value) {
  std::array<char, 20> digits{};
  std::size_t at = digits.size();
  do {
    digits[--at] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value != 0);
  out.append(digits.data() + at, digits.size() - at);
}

void line(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

void head(std::string& out, const Place& place, const Leg& leg, std::string_view method, std::string_view uri,
          std::uint64_t branch) {
  out.append(method).append(" ").append(uri).append(" SIP/2.0\r\nVia: SIP/2.0/").append(place.transport);
  out.append(" ").append(place.at).append(";branch=z9hG4bK").append(place.run);
  number(out, branch);
  out.append("\r\nMax-Forwards: 70\r\n");
  line(out, "From", leg.ours);
  line(out, "To", leg.server);
  line(out, "Call-ID", leg.call_id);
  out.append("CSeq: ");
  number(out, leg.cseq);
  out.append(" ").append(method).append("\r\n");
}

void body(std::string& out, std::string_view sdp) {
  if (!sdp.empty()) out.append("Content-Type: application/sdp\r\n");
  out.append("Content-Length: ");
  number(out, sdp.size());
  out.append("\r\n\r\n").append(sdp);
}

}  // namespace

Place place_of(const Wire::Options& wire, Role role, std::uint16_t media_port, std::string run) {
  const std::string& ip = wire.addresses[static_cast<std::size_t>(role)];
  Place place;
  place.run = std::move(run);
  place.at = ip + ":" + std::to_string(wire.port);
  switch (wire.transport) {
    case Transport::udp:
      place.transport = "UDP";
      break;
    case Transport::tcp:
      place.transport = "TCP", place.parameter = ";transport=tcp";
      break;
    case Transport::tls:
      place.transport = "TLS", place.parameter = ";transport=tls";
      break;
  }
  place.sdp = "v=0\r\no=load 1 1 IN IP4 " + ip + "\r\ns=-\r\nc=IN IP4 " + ip + "\r\nt=0 0\r\nm=audio " +
              std::to_string(media_port) +
              " RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
              "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n";
  return place;
}

void write_invite(std::string& out, const Place& place, const Leg& leg, std::string_view uri,
                  std::string_view user, std::uint64_t branch) {
  head(out, place, leg, "INVITE", uri, branch);
  out.append("Contact: <sip:").append(user).append("@").append(place.at);
  out.append(place.parameter).append(">\r\n");
  out.append("Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, NOTIFY, REFER, UPDATE\r\nSupported: timer\r\n");
  body(out, place.sdp);
}

void write_request(std::string& out, const Place& place, const Leg& leg, std::string_view method,
                   std::uint64_t branch, std::string_view extra, std::string_view content) {
  head(out, place, leg, method, leg.contact, branch);
  out.append(leg.routes).append(extra);
  if (content.empty()) return body(out, {});
  out.append("Content-Length: ");
  number(out, content.size());
  out.append("\r\n\r\n").append(content);
}

void write_response(std::string& out, const Message& request, std::string_view status, std::string_view to,
                    std::string_view contact, std::string_view sdp) {
  out.append("SIP/2.0 ").append(status).append("\r\n");
  for (const std::string_view via : request.vias) line(out, "Via", via);
  for (const std::string_view route : request.record_routes) line(out, "Record-Route", route);
  line(out, "From", request.from);
  line(out, "To", to.empty() ? request.to : to);
  line(out, "Call-ID", request.call_id);
  line(out, "CSeq", request.cseq);
  if (!contact.empty()) line(out, "Contact", contact);
  body(out, sdp);
}

}  // namespace baton::bench
