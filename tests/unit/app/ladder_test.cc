// The ladder as an operator sees it.
#include "app/ladder.h"

#include <gtest/gtest.h>

#include "app/text.h"
#include "unit/app/app_testing.h"

namespace baton::app::testing {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

// The arrow's label on the only message line of a ladder.
std::string label_in(const Script& script) {
  const auto lines = lines_of(ladder(script.messages, {.columns = 160, .unicode = false}));
  EXPECT_GE(lines.size(), 4U);
  std::string line = lines.back().substr(10);
  line.erase(0, line.find_first_not_of(" |<-"));
  return line.substr(0, line.find_last_not_of(" |>-") + 1);
}

TEST(Ladder, ATransferredCall) {
  const std::string expected = R"(
            caller (udp)                       Baton                     endpoint (udp)                  target (udp)
           192.0.2.1:5060                                               198.51.100.7:5080               192.0.2.9:5060
                  │                              │                              │                              │
    0.000         │─ INVITE [SDP] ──────────────▶│                              │                              │
    0.001         │◀ 100 Trying (INVITE) ────────│                              │                              │
    0.002         │                              │─ INVITE [SDP] ──────────────▶│                              │
    0.502         │                              │─ INVITE [again] ────────────▶│                              │
    0.510         │                              │◀ 180 Ringing (INVITE) ───────│                              │
    0.511         │◀ 180 Ringing (INVITE) ───────│                              │                              │
    0.900         │                              │◀ 200 OK (INVITE) [SDP] ──────│                              │
    0.901         │◀ 200 OK (INVITE) [SDP] ──────│                              │                              │
    0.950         │─ ACK ───────────────────────▶│                              │                              │
    0.951         │                              │─ ACK ───────────────────────▶│                              │
    5.000         │                              │◀ REFER → +14155551234 ───────│                              │
    5.001         │                              │─ 202 Accepted (REFER) ──────▶│                              │
    5.002         │                              │─ NOTIFY 100 Trying ─────────▶│                              │
    5.003         │                              │─ INVITE [SDP] ───────────────┼─────────────────────────────▶│
    5.010         │                              │◀ 200 OK (NOTIFY) ────────────│                              │
    5.100         │                              │◀ 180 Ringing (INVITE) ───────┼──────────────────────────────│
    5.101         │                              │─ NOTIFY 180 Ringing ────────▶│                              │
    5.110         │                              │◀ 200 OK (NOTIFY) ────────────│                              │
    9.000         │                              │◀ 200 OK (INVITE) [SDP] ──────┼──────────────────────────────│
    9.001         │                              │─ ACK ────────────────────────┼─────────────────────────────▶│
    9.002         │                              │─ NOTIFY 200 OK ─────────────▶│                              │
    9.010         │                              │◀ 200 OK (NOTIFY) ────────────│                              │
    9.011         │                              │─ BYE ───────────────────────▶│                              │
    9.020         │                              │◀ 200 OK (BYE) ───────────────│                              │
   61.000         │─ BYE ───────────────────────▶│                              │                              │
   61.001         │◀ 200 OK (BYE) ───────────────│                              │                              │
   61.002         │                              │─ BYE ────────────────────────┼─────────────────────────────▶│
   61.010         │                              │◀ 200 OK (BYE) ───────────────┼──────────────────────────────│
)";
  EXPECT_EQ("\n" + ladder(transferred_call(), {.columns = 120}), expected);
}

// The endpoint calls out, is challenged, and its transfer fails; another party, another width, no Unicode.
TEST(Ladder, AnOutboundCallInAscii) {
  Script s(Transport::tcp);
  s.in("endpoint", 0, invite()).out("endpoint", 1, response("407 Proxy Authentication Required"));
  s.in("endpoint", 2, request("ACK", 1))
      .in("endpoint", 30, invite().text() + " ")
      .out("callee", 31, invite());
  s.in("callee", 700, with_sdp(response("183 Session Progress")));
  s.out("endpoint", 701, with_sdp(response("183 Session Progress")));
  s.in("callee", 1'500, with_sdp(response("200 OK")));
  s.in("endpoint", 9'000, request("REFER", 3, "Refer-To: <tel:+1-415-555-1234>\r\n"));
  s.out("target", 9'002, invite()).in("target", 9'400, response("486 Busy Here"));
  s.out("endpoint", 9'401, notify(2, "486 Busy Here", "terminated;reason=noresource"));
  s.in("callee", 3'612'000, request("BYE", 2));
  const std::string expected = R"(
            endpoint (tcp)               Baton               callee (tcp)            target (tcp)
           198.51.100.7:5080                                192.0.2.9:5060          192.0.2.9:5060
                   |                       |                       |                       |
    0.000          |- INVITE [SDP] ------->|                       |                       |
    0.001          |< 407 Proxy ~ (INVITE) |                       |                       |
    0.002          |- ACK ---------------->|                       |                       |
    0.030          |- INVITE [SDP] ------->|                       |                       |
    0.031          |                       |- INVITE [SDP] ------->|                       |
    0.700          |                       |< 183 (INVITE) [SDP] --|                       |
    0.701          |< 183 (INVITE) [SDP] --|                       |                       |
    1.500          |                       |< 200 (INVITE) [SDP] --|                       |
    9.000          |- REFER -> +14155551~ >|                       |                       |
    9.002          |                       |- INVITE [SDP] --------+---------------------->|
    9.400          |                       |< 486 Busy Here (INVITE) ----------------------|
    9.401          |< NOTIFY 486 Busy Here |                       |                       |
 3612.000          |                       |< BYE -----------------|                       |
)";
  EXPECT_EQ("\n" + ladder(s.messages, {.columns = 100, .unicode = false}), expected);
}

TEST(Ladder, Labels) {
  EXPECT_EQ(label_in(Script().in("caller", 0, invite())), "INVITE [SDP]");
  Wire again = invite();
  again.in_dialog = true;
  EXPECT_EQ(label_in(Script().in("caller", 0, again)), "re-INVITE [SDP]");
  EXPECT_EQ(label_in(Script().in("caller", 0, request("UPDATE", 3))), "UPDATE");
  EXPECT_EQ(label_in(Script().in("caller", 0, response("200 OK", "3 UPDATE"))), "200 OK (UPDATE)");
  EXPECT_EQ(label_in(Script().in("caller", 0, response("200 ", "3 UPDATE"))), "200 (UPDATE)");
  EXPECT_EQ(label_in(Script().in("caller", 0, request("FROB", 3))), "FROB");
  EXPECT_EQ(label_in(Script().in("caller", 0, request("NOTIFY", 3))), "NOTIFY");
  EXPECT_EQ(label_in(Script().in("caller", 0, notify(3, "503 Service Unavailable", "terminated"))),
            "NOTIFY 503 Service Unavailable");
  EXPECT_EQ(label_in(Script().in("caller", 0, request("REFER", 3, "Refer-To: sip:+1415@example.com\r\n"))),
            "REFER -> +1415");
  EXPECT_EQ(
      label_in(Script().in("caller", 0,
                           request("REFER", 3, "Refer-To: <sip:bob@h.example?Replaces=c%3Bto-tag%3D1>\r\n"))),
      "REFER -> bob [Replaces]");
  EXPECT_EQ(label_in(Script().in("caller", 0, request("REFER", 3, "Refer-To: <sip:h.example>\r\n"))),
            "REFER -> h.example");
  EXPECT_EQ(label_in(Script().in("caller", 0, request("REFER", 3, "Refer-To: <<<\r\n"))), "REFER -> ?");
  EXPECT_EQ(label_in(Script().in("caller", 0, request("REFER", 3))), "REFER -> ?");
  Wire multipart = invite();
  multipart.type = "multipart/mixed;boundary=x";
  multipart.body = "--x\r\nContent-Type: application/SDP\r\n\r\nv=0\r\n--x--\r\n";
  EXPECT_EQ(label_in(Script().in("caller", 0, multipart)), "INVITE [SDP]");
  multipart.body = "--x\r\nContent-Type: text/plain\r\n\r\nhi\r\n--x--\r\n";
  EXPECT_EQ(label_in(Script().in("caller", 0, multipart)), "INVITE");
  EXPECT_EQ(label_in(Script().in("caller", 0, "GET / HTTP/1.1\r\n\r\n")), "GET / HTTP/1.1 [malformed]");
  EXPECT_EQ(label_in(Script().in("caller", 0, "")), "[malformed]");
}

TEST(Ladder, ARetransmissionIsOneOnlyOnTheSameSide) {
  Script s;
  const std::string bytes = request("BYE", 9).text();
  s.in("caller", 0, bytes).out("caller", 1, bytes).in("endpoint", 2, bytes).in("caller", 500, bytes);
  const auto lines = lines_of(ladder(s.messages, {.unicode = false}));
  ASSERT_EQ(lines.size(), 7U);
  for (std::size_t i = 3; i < 6; ++i) EXPECT_EQ(lines[i].find("[again]"), std::string::npos) << lines[i];
  EXPECT_NE(lines[6].find("BYE [again]"), std::string::npos) << lines[6];
}

TEST(Ladder, NoMessagesNoLadder) {
  EXPECT_EQ(ladder({}, {}), "");
}

TEST(Ladder, OnePartyAlone) {
  const auto lines =
      lines_of(ladder(Script().in("caller", 0, request("OPTIONS", 1)).messages, {.unicode = false}));
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_NE(lines[0].find("Baton"), std::string::npos);
}

TEST(Ladder, FitsEveryWidthAndEverySetOfParties) {
  for (std::size_t columns = 100; columns <= 160; ++columns) {
    for (const bool unicode : {false, true}) {
      for (const std::string& line :
           lines_of(ladder(transferred_call(), {.columns = columns, .unicode = unicode}))) {
        EXPECT_LE(columns_of(line), columns) << line;
      }
    }
  }
}

// A chain of transfers has more columns than fit; it becomes wider, not garbled.
TEST(Ladder, AChainOfTwentyTransfers) {
  Script s;
  s.in("caller", 0, invite()).out("endpoint", 1, invite());
  for (int i = 2; i <= 21; ++i) s.out("target " + std::to_string(i), i, invite());
  const auto lines = lines_of(ladder(s.messages, {.columns = 100, .unicode = false}));
  EXPECT_NE(lines[0].find("target 21 (udp)"), std::string::npos);
  EXPECT_EQ(lines.back().back(), '|');
  EXPECT_NE(lines.back().find("- INVITE [SDP] "), std::string::npos);
}

TEST(Ladder, NothingOfAPeerReachesTheTerminalRaw) {
  Script s;
  s.in("caller\x1b[2J", 0, response("200 \x1b]0;owned\x07\xff\xe2\x80\xae"));
  s.in("caller\x1b[2J", 1,
       "\x1b[31mINVITE\x1b[0m \x9b"
       "2J\r\n\r\n");
  s.in("", 2, request("REFER", 2, "Refer-To: <sip:%1b[2J%0a@h.example>\r\n"));
  for (const std::string& text : {ladder(s.messages, {}), messages_as_text(s.messages, {})}) {
    for (const char c : text) EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20) << text;
    EXPECT_EQ(text.find('\x7f'), std::string::npos);
    EXPECT_EQ(text.find("\xe2\x80\xae"), std::string::npos);
  }
}

TEST(Ladder, ColoursAddNoWidth) {
  const std::string with = ladder(transferred_call(), {.colour = true});
  std::string stripped;
  for (std::size_t i = 0; i < with.size(); ++i) {
    if (with[i] == '\x1b') {
      i = with.find('m', i);
    } else {
      stripped += with[i];
    }
  }
  EXPECT_EQ(stripped, ladder(transferred_call(), {}));
  EXPECT_NE(with, stripped);
}

TEST(Ladder, WholeMessages) {
  Script s;
  s.in("endpoint", 0, request("REFER", 7, "Refer-To: <sip:+14155551234@x.example>\r\n"));
  s.out("endpoint", 12, std::string("SIP/2.0 202 Accepted\r\nX: \x01\xff\r\n\r\n"));
  EXPECT_EQ(
      messages_as_text(s.messages, {.unicode = false}),
      "    0.000  2026-11-18T11:06:40.000000Z  udp  endpoint 198.51.100.7:5080 -> Baton 203.0.113.10:5060\n"
      "REFER sip:baton@203.0.113.10 SIP/2.0\n"
      "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1;rport\n"
      "Max-Forwards: 70\n"
      "From: <sip:+14155550100@192.0.2.1>;tag=a\n"
      "To: <sip:+442071838750@203.0.113.10>;tag=b\n"
      "Call-ID: c1\n"
      "CSeq: 7 REFER\n"
      "Refer-To: <sip:+14155551234@x.example>\n"
      "Content-Length: 0\n"
      "\n"
      "\n"
      "    0.012  2026-11-18T11:06:40.012000Z  udp  Baton 203.0.113.10:5060 -> endpoint 198.51.100.7:5080\n"
      "SIP/2.0 202 Accepted\n"
      "X: \\x01\\xFF\n"
      "\n"
      "\n");
}

}  // namespace
}  // namespace baton::app::testing
