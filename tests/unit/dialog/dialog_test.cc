#include "dialog/dialog.h"

#include <gtest/gtest.h>

namespace baton::dialog {
namespace {

const Source udp_source{Transport::udp, *SocketAddress::parse("192.0.2.1:5060"),
                        *SocketAddress::parse("203.0.113.9:5062"), 0};

sip::Message parse(const std::string& text) {
  auto message = sip::Message::parse(text);
  EXPECT_TRUE(message) << (message ? "" : message.error().reason);
  return *message;
}

sip::Message invite(const std::string& contact, const std::string& extra = {}) {
  return parse(
      "INVITE sip:+15551230001@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 203.0.113.9:5062;branch=z9hG4bK1\r\n"
      "From: \"A\" <sip:a@far.example>;tag=ft\r\nTo: <sip:+15551230001@192.0.2.1>\r\nCall-ID: c1\r\n"
      "CSeq: 41 INVITE\r\nContact: " +
      contact + "\r\n" + extra + "Content-Length: 0\r\n\r\n");
}

TEST(Dialog, OfACalleeMirrorsTheInvite) {
  Dialog dialog = Dialog::from_invite(invite("<sip:a@203.0.113.9:5070>"), "lt", udp_source);
  const sip::Draft bye = dialog.request(sip::Method::bye);
  EXPECT_EQ(bye.request_uri(), "sip:a@203.0.113.9:5070");
  EXPECT_EQ(bye.header(sip::HeaderId::from), "<sip:+15551230001@192.0.2.1>;tag=lt");
  EXPECT_EQ(bye.header(sip::HeaderId::to), "\"A\" <sip:a@far.example>;tag=ft");
  EXPECT_EQ(bye.header(sip::HeaderId::cseq), "1 BYE");
  EXPECT_EQ(dialog.next_hop.remote.to_string(), "203.0.113.9:5070");
}

// RFC 3261 12.1.1: the callee's route set is Record-Route in order; the first one is the next hop.
TEST(Dialog, OfACalleeRoutesThroughTheRecordedProxies) {
  Dialog dialog = Dialog::from_invite(
      invite("<sip:a@203.0.113.9>", "Record-Route: <sip:203.0.113.20;lr>, <sip:203.0.113.21;lr>\r\n"), "lt",
      udp_source);
  const sip::Draft bye = dialog.request(sip::Method::bye);
  EXPECT_EQ(bye.header(sip::HeaderId::route), "<sip:203.0.113.20;lr>");
  EXPECT_EQ(dialog.next_hop.remote.to_string(), "203.0.113.20:5060");
}

// RFC 3261 12.2.1.1
TEST(Dialog, AStrictRouterTakesTheRequestUriAndTheTargetComesLast) {
  Dialog dialog = Dialog::from_invite(invite("<sip:a@203.0.113.9>", "Record-Route: <sip:203.0.113.20>\r\n"),
                                      "lt", udp_source);
  const sip::Draft bye = dialog.request(sip::Method::bye);
  EXPECT_EQ(bye.request_uri(), "sip:203.0.113.20");
  EXPECT_EQ(bye.header(sip::HeaderId::route), "<sip:a@203.0.113.9>");
}

TEST(Dialog, APrivateContactBehindNatIsReachedAtItsSource) {
  const Dialog dialog = Dialog::from_invite(invite("<sip:a@10.0.0.7:5060>"), "lt", udp_source);
  EXPECT_EQ(dialog.next_hop.remote.to_string(), "203.0.113.9:5062");
}

TEST(Dialog, AContactThatIsANameIsReachedWhereThePeerWasHeard) {
  const Dialog dialog = Dialog::from_invite(invite("<sip:a@phone.example>"), "lt", udp_source);
  EXPECT_EQ(dialog.next_hop.remote.to_string(), "203.0.113.9:5062");
  EXPECT_EQ(dialog.remote_target, "sip:a@phone.example");
}

// RFC 5922 7.3: what a certificate must name is what was asked for.
TEST(Dialog, OverTlsTheNameToVerifyIsTheOneThatWasAskedFor) {
  Source source = udp_source;
  source.transport = Transport::tls;
  source.flow = 7;
  // Called by somebody, we would ask for its Contact.
  Dialog callee = Dialog::from_invite(invite("<sip:a@203.0.113.9;transport=tls>"), "lt", source);
  EXPECT_EQ(callee.next_hop.tls_name, "203.0.113.9");
  EXPECT_EQ(callee.next_hop.remote.to_string(), "203.0.113.9:5061");
  EXPECT_EQ(callee.next_hop.flow, 7U);
  callee = Dialog::from_invite(invite("<sip:a@phone.example;transport=tls>"), "lt", source);
  EXPECT_EQ(callee.next_hop.tls_name, "phone.example");
  // Whom we called is who we asked for, wherever its Contact is.
  Dialog caller;
  caller.next_hop.tls_name = "far.example";
  caller.refresh_target(invite("<sips:a@203.0.113.8;transport=tcp>"), source);
  EXPECT_EQ(caller.next_hop.tls_name, "far.example");
  EXPECT_EQ(caller.next_hop.remote.to_string(), "203.0.113.8:5061");
  EXPECT_EQ(caller.next_hop.transport, Transport::tls);
}

// RFC 3261 12.1.1
TEST(Dialog, IsSipsWhenTheCallerAskedForIt) {
  Source source = udp_source;
  source.transport = Transport::tls;
  const auto is_sips = [&](const std::string& contact, const std::string& extra = "") {
    return Dialog::from_invite(invite(contact, extra), "lt", source).sips;
  };
  EXPECT_FALSE(is_sips("<sip:a@203.0.113.9;transport=tls>"));
  EXPECT_TRUE(is_sips("<sips:a@203.0.113.9>"));
  EXPECT_TRUE(is_sips("<sip:a@203.0.113.9>", "Record-Route: <sips:203.0.113.20;lr>\r\n"));
  EXPECT_FALSE(is_sips("<sips:a@203.0.113.9>", "Record-Route: <sip:203.0.113.20;lr>\r\n"));
  source.transport = Transport::udp;
  EXPECT_FALSE(is_sips("<sips:a@203.0.113.9>"));
}

TEST(Dialog, SipsIsTlsWhateverTransportItNames) {
  const auto to = literal_destination(*sip::Uri::parse("sips:203.0.113.8;transport=tcp"));
  ASSERT_TRUE(to);
  EXPECT_EQ(to->transport, Transport::tls);
  EXPECT_EQ(to->remote.to_string(), "203.0.113.8:5061");
}

TEST(Dialog, RequestsMustBeInOrder) {
  Dialog dialog = Dialog::from_invite(invite("<sip:a@203.0.113.9>"), "lt", udp_source);
  const auto bye = [](int cseq) {
    return parse(
        "BYE sip:x@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 203.0.113.9;branch=z9hG4bK2\r\n"
        "From: <sip:a@far.example>;tag=ft\r\nTo: <sip:x@192.0.2.1>;tag=lt\r\nCall-ID: c1\r\nCSeq: " +
        std::to_string(cseq) + " BYE\r\nContent-Length: 0\r\n\r\n");
  };
  EXPECT_TRUE(dialog.matches_request(bye(42)));
  EXPECT_FALSE(dialog.accept_cseq(bye(41)));
  EXPECT_TRUE(dialog.accept_cseq(bye(50)));
  EXPECT_FALSE(dialog.accept_cseq(bye(50)));
}

TEST(Dialog, OfACallerReversesTheRecordedRoute) {
  Dialog dialog;
  dialog.call_id = "c1";
  dialog.local_tag = "lt";
  dialog.establish(parse("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n"
                         "Record-Route: <sip:203.0.113.21;lr>, <sip:203.0.113.20;lr>\r\n"
                         "From: <sip:b@192.0.2.1>;tag=lt\r\nTo: <sip:a@far.example>;tag=rt\r\nCall-ID: c1\r\n"
                         "CSeq: 1 INVITE\r\nContact: <sip:a@203.0.113.9>\r\nContent-Length: 0\r\n\r\n"),
                   udp_source);
  EXPECT_EQ(dialog.remote_tag, "rt");
  ASSERT_EQ(dialog.route_set.size(), 2U);
  EXPECT_EQ(dialog.route_set.front(), "<sip:203.0.113.20;lr>");
  EXPECT_EQ(dialog.next_hop.remote.to_string(), "203.0.113.20:5060");
}

// RFC 3261 13.2.2.4: the ACK has the INVITE's number, whatever was sent since.
TEST(Dialog, AckCarriesTheNumberOfItsInvite) {
  Dialog dialog = Dialog::from_invite(invite("<sip:a@203.0.113.9>"), "lt", udp_source);
  (void)dialog.request(sip::Method::notify);
  EXPECT_EQ(dialog.ack(1).header(sip::HeaderId::cseq), "1 ACK");
}

}  // namespace
}  // namespace baton::dialog
