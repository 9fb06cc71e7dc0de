// A call as the traces hold it, written short.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "call/records.h"

namespace baton::app::testing {

inline constexpr char sdp[] =
    "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";

struct Wire {
  std::string start;  // "INVITE sip:a@b SIP/2.0" or "SIP/2.0 200 OK"
  std::string cseq = "1 INVITE";
  std::string extra{};  // header lines, each with its CRLF
  std::string type{};   // Content-Type
  std::string body{};
  bool in_dialog = false;

  [[nodiscard]] std::string text() const {
    std::string out = start + "\r\n";
    out += "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1;rport\r\n";
    out += "Max-Forwards: 70\r\n";
    out += "From: <sip:+14155550100@192.0.2.1>;tag=a\r\n";
    out += std::string("To: <sip:+442071838750@203.0.113.10>") + (in_dialog ? ";tag=b" : "") + "\r\n";
    out += "Call-ID: c1\r\nCSeq: " + cseq + "\r\n" + extra;
    if (!type.empty()) out += "Content-Type: " + type + "\r\n";
    return out + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }
};

inline Wire invite() {
  return {.start = "INVITE sip:+442071838750@203.0.113.10 SIP/2.0", .type = "application/sdp", .body = sdp};
}
inline Wire response(const std::string& status, const std::string& cseq = "1 INVITE") {
  return {.start = "SIP/2.0 " + status, .cseq = cseq, .in_dialog = true};
}
inline Wire with_sdp(Wire wire) {
  wire.type = "application/sdp";
  wire.body = sdp;
  return wire;
}
inline Wire request(const std::string& method, unsigned number, const std::string& extra = "") {
  return {.start = method + " sip:baton@203.0.113.10 SIP/2.0",
          .cseq = std::to_string(number) + " " + method,
          .extra = extra,
          .in_dialog = true};
}
inline Wire notify(unsigned number, const std::string& status, const std::string& state) {
  Wire wire = request("NOTIFY", number, "Event: refer\r\nSubscription-State: " + state + "\r\n");
  wire.type = "message/sipfrag;version=2.0";
  wire.body = "SIP/2.0 " + status + "\r\n";
  return wire;
}

class Script {
 public:
  explicit Script(Transport transport = Transport::udp) : transport_(transport) {}

  Script& in(const std::string& party, std::int64_t at_ms, const std::string& bytes) {
    return add(party, at_ms, false, bytes);
  }
  Script& out(const std::string& party, std::int64_t at_ms, const std::string& bytes) {
    return add(party, at_ms, true, bytes);
  }
  Script& in(const std::string& party, std::int64_t at_ms, const Wire& wire) {
    return in(party, at_ms, wire.text());
  }
  Script& out(const std::string& party, std::int64_t at_ms, const Wire& wire) {
    return out(party, at_ms, wire.text());
  }

  std::vector<call::TraceMessage> messages{};

 private:
  Script& add(const std::string& party, std::int64_t at_ms, bool sent, const std::string& bytes) {
    call::TraceMessage message;
    message.root_call_uuid = "1b9d6bcd-0000-4000-8000-000000000001";
    message.party = party;
    message.sequence = messages.size() + 1;
    message.at = from_micros(1'795'000'000'000'000 + at_ms * 1'000);
    message.sent = sent;
    message.transport = transport_;
    message.local = *SocketAddress::parse("203.0.113.10:5060");
    const char* remote = party == "caller"     ? "192.0.2.1:5060"
                         : party == "endpoint" ? "198.51.100.7:5080"
                                               : "192.0.2.9:5060";
    message.remote = *SocketAddress::parse(remote);
    message.bytes = bytes;
    messages.push_back(std::move(message));
    return *this;
  }
  Transport transport_;
};

// A caller, an agent that hands it over, a human who answers; one INVITE is repeated on the way.
inline std::vector<call::TraceMessage> transferred_call(Transport transport = Transport::udp) {
  Script s(transport);
  s.in("caller", 0, invite()).out("caller", 1, response("100 Trying"));
  s.out("endpoint", 2, invite()).out("endpoint", 502, invite());
  s.in("endpoint", 510, response("180 Ringing")).out("caller", 511, response("180 Ringing"));
  s.in("endpoint", 900, with_sdp(response("200 OK"))).out("caller", 901, with_sdp(response("200 OK")));
  s.in("caller", 950, request("ACK", 1)).out("endpoint", 951, request("ACK", 1));
  s.in("endpoint", 5'000, request("REFER", 7, "Refer-To: <sip:+14155551234@front-desk.trunks.example>\r\n"));
  s.out("endpoint", 5'001, response("202 Accepted", "7 REFER"));
  s.out("endpoint", 5'002, notify(3, "100 Trying", "active;expires=90"));
  s.out("target", 5'003, invite());
  s.in("endpoint", 5'010, response("200 OK", "3 NOTIFY"));
  s.in("target", 5'100, response("180 Ringing"));
  s.out("endpoint", 5'101, notify(4, "180 Ringing", "active;expires=89"));
  s.in("endpoint", 5'110, response("200 OK", "4 NOTIFY"));
  s.in("target", 9'000, with_sdp(response("200 OK"))).out("target", 9'001, request("ACK", 1));
  s.out("endpoint", 9'002, notify(5, "200 OK", "terminated;reason=noresource"));
  s.in("endpoint", 9'010, response("200 OK", "5 NOTIFY"));
  s.out("endpoint", 9'011, request("BYE", 6)).in("endpoint", 9'020, response("200 OK", "6 BYE"));
  s.in("caller", 61'000, request("BYE", 2)).out("caller", 61'001, response("200 OK", "2 BYE"));
  s.out("target", 61'002, request("BYE", 2)).in("target", 61'010, response("200 OK", "2 BYE"));
  return s.messages;
}

}  // namespace baton::app::testing
