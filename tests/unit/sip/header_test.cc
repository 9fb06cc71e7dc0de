#include "sip/header.h"

#include <gtest/gtest.h>

#include "sip/text.h"

namespace baton::sip {
namespace {

TEST(HeaderName, EveryNameFindsItself) {
  for (unsigned i = 1; i <= static_cast<unsigned>(HeaderId::x_baton_hangup_code); ++i) {
    const auto id = static_cast<HeaderId>(i);
    const std::string name(canonical_name(id));
    ASSERT_FALSE(name.empty());
    EXPECT_EQ(parse_header_name(name), id) << name;
    EXPECT_EQ(parse_header_name(text::lowered(name)), id) << name;
  }
  EXPECT_EQ(canonical_name(HeaderId::other), "");
}

TEST(HeaderName, CompactForms) {
  EXPECT_EQ(parse_header_name("i"), HeaderId::call_id);
  EXPECT_EQ(parse_header_name("V"), HeaderId::via);
  EXPECT_EQ(parse_header_name("r"), HeaderId::refer_to);
  EXPECT_EQ(parse_header_name("b"), HeaderId::referred_by);
  EXPECT_EQ(parse_header_name("x"), HeaderId::session_expires);
  EXPECT_EQ(parse_header_name("o"), HeaderId::event);
  EXPECT_EQ(parse_header_name("z"), HeaderId::other);
  EXPECT_EQ(parse_header_name(""), HeaderId::other);
  EXPECT_EQ(parse_header_name("X-Other"), HeaderId::other);
}

TEST(NameAddr, ItsHeadIsWhatTheWholeSays) {
  for (const char* text :
       {"<sip:a@b>", "sip:a@b;tag=7", " \"A, <B\" <sips:a:p@[2001:db8::1]:5061;x=%41?h=1>;Tag=7.x;q",
        "A B <tel:+1>", "<x:%41>;tag=\"7\"", "<sip:a@b>;tag=\"\\7\""}) {
    const auto whole = NameAddr::parse(text);
    const auto head = NameAddr::read_head(text);
    ASSERT_TRUE(whole && head) << text;
    EXPECT_TRUE(head->masked || head->tag == whole->tag()) << text;
  }
  EXPECT_TRUE(NameAddr::read_head("<sip:a@b>;tag=\"\\7\"")->masked);
  for (const char* text :
       {"", "<sip:a@b", "<sip:a@b>;tag", "<sip:a@b>;tag=", "<sip:a@b>;tag=1;tag=1", "<sip:a@b>;tag=\"a b\"",
        "<sip:a@b>;tag=\"\\\"\"", "<sip:a@b>x", "<sip:a@b:0>", "<sip:a%4@b>", "<sip:@b>", "<sip:a@b;=1>",
        "<sip:a@b?x>", "<tel:x>", "a, <sip:a@b>", "sip:a@b,c", "\"a <sip:a@b>", "<:a>", "<1x:a>"}) {
    const auto whole = NameAddr::parse(text);
    const auto head = NameAddr::read_head(text);
    ASSERT_TRUE(!whole && !head) << text;
    EXPECT_EQ(whole.error().reason, head.error().reason) << text;
  }
}

TEST(Via, ItsHeadIsWhatTheWholeSays) {
  for (const char* text :
       {"SIP/2.0/UDP h;branch=z9hG4bKx;rport", "sip / 2.0 / tcp H:5070 ; RECEIVED = 192.0.2.1 ; Branch=a",
        "SIP/2.0/TLS [2001:DB8::1]:5061;rport=7;branch=\"a\"", "SIP/2.0/UDP 192.0.2.1"}) {
    const auto whole = Via::parse(text);
    const auto head = Via::read_head(text);
    ASSERT_TRUE(whole && head) << text;
    const ViaHead said = whole->head();
    EXPECT_FALSE(head->masked) << text;
    EXPECT_EQ(text::lowered(head->host), said.host) << text;
    EXPECT_TRUE(text::equals_ignoring_case(head->transport, said.transport)) << text;
    EXPECT_EQ(head->branch, said.branch) << text;
    EXPECT_EQ(head->port, said.port) << text;
    EXPECT_EQ(head->rport, said.rport) << text;
    EXPECT_EQ(head->received, said.received) << text;
  }
  EXPECT_TRUE(Via::read_head("SIP/2.0/UDP [2001:db8:::1];branch=a")->masked);
  EXPECT_TRUE(Via::read_head("SIP/2.0/UDP h;branch=\"\\a\"")->masked);
  for (const char* text :
       {"", "SIP/2.0/UDP", "SIP/2.0/UDP ", "SIP/3.0/UDP h", "SIP/2.0/UDP h:0", "SIP/2.0/UDP h_;x=\"",
        "SIP/2.0/UDP h;branch", "SIP/2.0/UDP h;branch=a;branch=b", "SIP/2.0/UDP [::1", "HTTP/2.0/UDP h"}) {
    const auto whole = Via::parse(text);
    const auto head = Via::read_head(text);
    ASSERT_TRUE(!whole && !head) << text;
    EXPECT_EQ(whole.error().reason, head.error().reason) << text;
  }
}

TEST(Via, StampedForTheResponse) {
  const auto stamped = [](std::string_view text, std::uint16_t rport) {
    std::string out = "Via: ";
    append_stamped_via(out, text, IpAddress::v4(192, 0, 2, 7), rport);
    return out.substr(5);
  };
  EXPECT_EQ(stamped("sip/2.0/udp H:5070;Branch=a;rport;X=\"b c\"", 5090),
            "SIP/2.0/UDP h:5070;branch=a;rport=5090;x=\"b c\";received=192.0.2.7");
  EXPECT_EQ(stamped("SIP/2.0/UDP h;received=203.0.113.1;rport=1;branch=a", 0),
            "SIP/2.0/UDP h;received=192.0.2.7;rport=1;branch=a");
}

TEST(TokenWithParameters, IsTheTokenInAnyCaseWhereTheHeaderReads) {
  EXPECT_TRUE(TokenWithParameters::is("application/sdp", "application/sdp"));
  EXPECT_TRUE(TokenWithParameters::is(" Application / SDP ;charset=\"utf-8\"", "application/sdp"));
  for (const char* text : {"", "application/sd", "application/sdpx", "application",
                           "application/sdp;=", "text/sdp", "application/sdp nonsense"}) {
    EXPECT_FALSE(TokenWithParameters::is(text, "application/sdp")) << text;
  }
}

TEST(NameAddr, BothForms) {
  const auto full = NameAddr::parse(" \"A \\\"B\\\", C\" <sip:a@b;x=1> ; tag = 77 ;q=\"a;b\" ");
  ASSERT_TRUE(full);
  EXPECT_EQ(full->display_name, "A \"B\", C");
  EXPECT_EQ(full->uri.parameter("x")->value, "1");
  EXPECT_EQ(full->tag(), "77");
  EXPECT_EQ(*find_parameter(full->parameters, "q"), "a;b");
  EXPECT_EQ(full->to_string(), "\"A \\\"B\\\", C\" <sip:a@b;x=1>;tag=77;q=\"a;b\"");

  // RFC 3261 20.10: here the parameters are the header's.
  const auto bare = NameAddr::parse("sip:a@b;x=1;tag=2");
  ASSERT_TRUE(bare);
  EXPECT_TRUE(bare->uri.parameters.empty());
  EXPECT_EQ(bare->tag(), "2");
  EXPECT_EQ(bare->to_string(), "<sip:a@b>;x=1;tag=2");

  EXPECT_EQ(NameAddr::parse("Bob Smith<sip:a@b>")->display_name, "Bob Smith");
  EXPECT_EQ(NameAddr::parse("Jos\xc3\xa9 (work) <sip:a@b>")->display_name, "Jos\xc3\xa9 (work)");
  EXPECT_EQ(NameAddr::parse("Bob\r\n Smith <sip:a@b>")->display_name, "Bob   Smith");
  EXPECT_EQ(NameAddr::parse("\"\" <sip:a@b>")->to_string(), "<sip:a@b>");
  EXPECT_EQ(NameAddr::parse("<tel:+15550001111;ext=1>;tag=x")->uri.user, "+15550001111");
  EXPECT_EQ(NameAddr::parse("sip:a@b;x=\"<>\"")->uri.host, "b");
}

TEST(NameAddr, Refuses) {
  for (const std::string_view text : {"",
                                      "*",
                                      "<sip:a@b",
                                      "sip:a@b>",
                                      "\"A <sip:a@b>",
                                      "\"A\" sip:a@b",
                                      "A, B <sip:a@b>",
                                      "<sip:a@b>;",
                                      "<sip:a@b>;;x",
                                      "<sip:a@b>;=1",
                                      "<sip:a@b>x",
                                      "<sip:a@b>;tag",
                                      "<sip:a@b>;tag=",
                                      "<sip:a@b>;tag=\"a b\"",
                                      "<sip:a@b>;tag=1;tag=2",
                                      "<sip:a@b>, <sip:c@d>",
                                      "sip:a@b?x=y",
                                      "sip:a,b@c",
                                      "< sip:a@b >",
                                      "<sip:a@b>;x=\"",
                                      "\x01 <sip:a@b>",
                                      "\"a\" \"b\" <sip:a@b>",
                                      "<<sip:a@b>>",
                                      "<>"}) {
    EXPECT_FALSE(NameAddr::parse(text)) << text;
  }
}

// Control characters are dropped when written; what is left must be written the same the next time.
TEST(NameAddr, RewritesToTheSameText) {
  for (const std::string& text :
       {std::string("sip:a@b;q=\"auth\0\0\"", 18), std::string("sip:a@b;q=\"\x01\""),
        std::string("\"\x02\" <sip:a@b>"), std::string("\"a\x03\\\"b\" <sip:a@b>;x=\"\x04 y\"")}) {
    const auto first = NameAddr::parse(text);
    ASSERT_TRUE(first) << text;
    const auto second = NameAddr::parse(first->to_string());
    ASSERT_TRUE(second) << first->to_string();
    EXPECT_EQ(second->to_string(), first->to_string());
  }
}

TEST(Via, Grammar) {
  const auto via =
      Via::parse("SIP / 2.0 / udp  Host.Example.COM : 5070 ; branch = z9hG4bK1 ;rport;received=::1");
  ASSERT_TRUE(via);
  EXPECT_EQ(via->transport, "UDP");
  EXPECT_EQ(via->host, "host.example.com");
  EXPECT_EQ(via->port, 5070);
  EXPECT_EQ(via->branch(), "z9hG4bK1");
  EXPECT_EQ(via->to_string(), "SIP/2.0/UDP host.example.com:5070;branch=z9hG4bK1;rport;received=::1");
  EXPECT_EQ(Via::parse("SIP/2.0/TLS [2001:db8::1]")->host, "[2001:db8::1]");
  for (const std::string_view text : {"",
                                      "SIP",
                                      "SIP/2.0",
                                      "SIP/2.0/UDP",
                                      "SIP/2.0/ a",
                                      "SIP/3.0/UDP a",
                                      "HTTP/2.0/UDP a",
                                      "SIP/2.0/UDPa",
                                      "SIP/2.0/UDP a:0",
                                      "SIP/2.0/UDP a:",
                                      "SIP/2.0/UDP a:99999",
                                      "SIP/2.0/UDP a;;",
                                      "SIP/2.0/UDP [::1",
                                      "SIP/2.0/UDP ::1",
                                      "SIP/2.0/UDP a;branch",
                                      "SIP/2.0/UDP a;branch=1;branch=2",
                                      "SIP/2.0/UDP a b",
                                      "SIP/2.0/UDP a, SIP/2.0/UDP b",
                                      "SIP/2.0/UDP [",
                                      "SIP/2.0/UDP ["}) {
    EXPECT_FALSE(Via::parse(text)) << text;
  }
}

TEST(CSeq, Grammar) {
  EXPECT_EQ(CSeq::parse(" 0009\r\n  INVITE ")->number, 9U);
  EXPECT_EQ(CSeq::parse("2147483647 FOO")->method_text, "FOO");
  EXPECT_EQ(CSeq::parse("1 REFER")->method, Method::refer);
  for (const std::string_view text : {"", "1", "INVITE", "1INVITE", "2147483648 INVITE", "-1 INVITE",
                                      "99999999999999999999999 INVITE", "1 INVITE x", "1 ", "1 IN<VITE"}) {
    EXPECT_FALSE(CSeq::parse(text)) << text;
  }
}

TEST(TokenWithParameters, Grammar) {
  const auto event = TokenWithParameters::parse("refer;id=93809824");
  ASSERT_TRUE(event);
  EXPECT_EQ(event->token, "refer");
  EXPECT_EQ(*find_parameter(event->parameters, "id"), "93809824");
  EXPECT_EQ(TokenWithParameters::parse("text / plain ; charset=utf-8")->token, "text/plain");
  EXPECT_EQ(TokenWithParameters::parse("message/sipfrag;version=2.0")->token, "message/sipfrag");
  EXPECT_EQ(*find_parameter(TokenWithParameters::parse("Q.850;cause=16;text=\"a, b\"")->parameters, "text"),
            "a, b");
  EXPECT_EQ(TokenWithParameters::parse("a-84b4c76e66710@[::1];to-tag=1;from-tag=2")->token,
            "a-84b4c76e66710@[::1]");
  EXPECT_EQ(TokenWithParameters::parse("1800;refresher=uac")->token, "1800");
  for (const std::string_view text : {"", ";a", "a b", "a;;", "a, b", "a;x=\""}) {
    EXPECT_FALSE(TokenWithParameters::parse(text)) << text;
  }
}

TEST(SplitCommas, RespectsQuotesAndBrackets) {
  const auto parts = split_commas(" \"a, \\\" b\" <sip:x,y@z> , ,, c ,<sip:d?e=\",\">,");
  ASSERT_EQ(parts.size(), 3U);
  EXPECT_EQ(parts[0], "\"a, \\\" b\" <sip:x,y@z>");
  EXPECT_EQ(parts[1], "c");
  EXPECT_EQ(parts[2], "<sip:d?e=\",\">");
  EXPECT_TRUE(split_commas(" , ,").empty());
  EXPECT_EQ(split_commas("a,\"b, c").size(), 2U);
  EXPECT_EQ(split_commas("\"\\").size(), 1U);
}

}  // namespace
}  // namespace baton::sip
