#include "sip/draft.h"

#include <gtest/gtest.h>

#include "unit/sip/sample.h"

namespace baton::sip {
namespace {

Message read(const std::string& bytes) {
  auto message = Message::parse(bytes);
  if (!message) {
    ADD_FAILURE() << message.error().reason << "\n" << bytes;
    message = Message::parse(test::request());
  }
  return std::move(message.value());
}

Draft invite() {
  Draft draft = Draft::request(Method::invite, "sip:a@b");
  draft.add(HeaderId::from, "<sip:c@d>;tag=1")
      .add(HeaderId::to, "<sip:a@b>")
      .add(HeaderId::call_id, "x")
      .add(HeaderId::cseq, "1 INVITE")
      .add_first(HeaderId::via, "SIP/2.0/UDP h;branch=z9hG4bK1");
  return draft;
}

TEST(Draft, WritesInOrder) {
  Draft draft = invite();
  draft.add("X-A", "1").add(HeaderId::contact, "<sip:c@h>").body("application/sdp", "v=0\r\n");
  draft.add_first(HeaderId::via, "SIP/2.0/UDP g;branch=z9hG4bK2").set(HeaderId::max_forwards, "70");
  draft.add(HeaderId::content_length, "99");
  EXPECT_EQ(draft.write(),
            "INVITE sip:a@b SIP/2.0\r\n"
            "Via: SIP/2.0/UDP g;branch=z9hG4bK2\r\n"
            "Via: SIP/2.0/UDP h;branch=z9hG4bK1\r\n"
            "Max-Forwards: 70\r\n"
            "From: <sip:c@d>;tag=1\r\n"
            "To: <sip:a@b>\r\n"
            "Call-ID: x\r\n"
            "CSeq: 1 INVITE\r\n"
            "Contact: <sip:c@h>\r\n"
            "X-A: 1\r\n"
            "Content-Type: application/sdp\r\n"
            "Content-Length: 5\r\n"
            "\r\n"
            "v=0\r\n");
}

TEST(Draft, ParsesBackEqual) {
  Draft draft = invite();
  draft.add("X-A", "a, b").add("s", "hello").body("text/plain", std::string("\0\r\n\r\n", 5));
  const Message message = read(draft.write());
  EXPECT_EQ(message.method(), draft.method());
  EXPECT_EQ(message.request_uri(), draft.request_uri());
  EXPECT_EQ(message.body(), draft.body());
  EXPECT_EQ(message.entries().size(), draft.fields().size() + 1);
  for (const auto& field : draft.fields()) {
    EXPECT_EQ(message.header(field.name), field.value);
  }
}

TEST(Draft, EditsFields) {
  Draft draft = invite();
  draft.add(HeaderId::route, "<sip:1>").add(HeaderId::route, "<sip:2>");
  draft.set(HeaderId::route, "<sip:3>");
  EXPECT_EQ(draft.header(HeaderId::route), "<sip:3>");
  draft.remove(HeaderId::route);
  EXPECT_EQ(draft.header(HeaderId::route), "");
  draft.request_uri("sip:z@b");
  EXPECT_EQ(read(draft.write()).request_uri(), "sip:z@b");
  EXPECT_EQ(Draft(draft).add("v", "SIP/2.0/UDP k").fields().back().id, HeaderId::via);
}

TEST(Draft, RefusesToBreakALine) {
  Draft draft = invite();
  EXPECT_DEATH(draft.add(HeaderId::subject, "a\r\nX: y"), "broken invariant");
  EXPECT_DEATH(draft.add(HeaderId::subject, "a\n"), "broken invariant");
  EXPECT_DEATH(draft.add("X: y", "a"), "broken invariant");
  EXPECT_DEATH(draft.add("", "a"), "broken invariant");
  EXPECT_DEATH((void)Draft::response(200, "a\r\nb"), "broken invariant");
  EXPECT_DEATH((void)Draft::response(99), "broken invariant");
  EXPECT_DEATH((void)Draft::request(Method::bye, "sip:a@b c").write(), "broken invariant");
}

TEST(MakeResponse, CopiesAndTags) {
  const Message message = read(test::request("INVITE",
                                             "Timestamp: 54\r\nVia: SIP/2.0/TCP z;branch=z9hG4bKz\r\n"
                                             "Record-Route: <sip:p;lr>\r\n"));
  const Message trying = read(make_response(message, 100, "t9").write());
  EXPECT_EQ(trying.to().tag(), "");
  EXPECT_EQ(trying.header(HeaderId::timestamp), "54");
  EXPECT_EQ(trying.reason_phrase(), "Trying");

  const Message busy = read(make_response(message, 486, "t9", "Not now").write());
  EXPECT_EQ(busy.to().tag(), "t9");
  EXPECT_EQ(busy.reason_phrase(), "Not now");
  EXPECT_FALSE(busy.has(HeaderId::timestamp));
  EXPECT_EQ(busy.count(HeaderId::via), 2U);
  EXPECT_EQ(busy.top_via().branch(), "z9hG4bKabc");
  EXPECT_EQ(busy.header(HeaderId::from), message.header(HeaderId::from));
  EXPECT_EQ(busy.call_id(), message.call_id());
  EXPECT_EQ(busy.cseq().number, 1U);

  const Message tagged = read(
      test::replaced(test::request(), "To: <sip:+15550001111@trunk.example.com>", "To: sip:a@b;tag=own"));
  EXPECT_EQ(read(make_response(tagged, 200, "t9").write()).to().tag(), "own");
}

TEST(Reasons, AreNeverEmpty) {
  for (int status = 100; status < 700; ++status) EXPECT_FALSE(default_reason(status).empty()) << status;
  EXPECT_EQ(default_reason(481), "Call/Transaction Does Not Exist");
  EXPECT_EQ(default_reason(499), "Bad Request");
  EXPECT_EQ(default_reason(699), "Busy Everywhere");
}

TEST(Text, SafeValuesAndQuotes) {
  EXPECT_TRUE(is_safe_value("a b\t\xc3\xa9"));
  EXPECT_FALSE(is_safe_value("a\r"));
  EXPECT_FALSE(is_safe_value("a\n"));
  EXPECT_FALSE(is_safe_value(std::string_view("a\0", 2)));
  EXPECT_EQ(quote("a\"b\\c\r\n\x7f"), "\"a\\\"b\\\\c\"");
  EXPECT_EQ(quote(""), "\"\"");
}

TEST(Sipfrag, BothWays) {
  EXPECT_EQ(make_sipfrag(180), "SIP/2.0 180 Ringing\r\n");
  EXPECT_EQ(make_sipfrag(486, "Nope"), "SIP/2.0 486 Nope\r\n");
  EXPECT_EQ(parse_sipfrag("SIP/2.0 200 OK\r\n"), 200);
  EXPECT_EQ(parse_sipfrag("sip/2.0 603"), 603);
  EXPECT_EQ(parse_sipfrag("SIP/2.0 180\r\nFrom: x\r\n"), 180);
  for (const char* body : {"", "SIP/2.0", "SIP/2.0 ", "SIP/2.0 20", "SIP/2.0 2000 OK", "SIP/2.0 099 X",
                           "SIP/2.0 700 X", "HTTP/1.1 200 OK", " SIP/2.0 200 OK", "From: <sip:a@b>"}) {
    EXPECT_FALSE(parse_sipfrag(body)) << body;
  }
}

}  // namespace
}  // namespace baton::sip
