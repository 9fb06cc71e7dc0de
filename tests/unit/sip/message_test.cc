#include "sip/message.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "unit/sip/sample.h"

namespace baton::sip {
namespace {

using test::replaced;
using test::request;

Message good(const std::string& bytes) {
  auto message = Message::parse(bytes);
  if (!message) {
    ADD_FAILURE() << message.error().reason << "\n" << bytes;
    message = Message::parse(request());
  }
  return std::move(message.value());
}

int status_of(const std::string& bytes) {
  const auto message = Message::parse(bytes);
  return message ? 0 : message.error().status;
}

TEST(Message, Request) {
  const Message message =
      good(request("REFER", "r: <sip:+15550002222@trunk.example.com>\r\nX-Mine: a\r\n", "body"));
  EXPECT_TRUE(message.is_request());
  EXPECT_EQ(message.method(), Method::refer);
  EXPECT_EQ(message.method_text(), "REFER");
  EXPECT_EQ(message.request_uri(), "sip:+15550001111@trunk.example.com");
  EXPECT_EQ(message.status(), 0);
  EXPECT_EQ(message.reason_phrase(), "");
  EXPECT_EQ(message.top_via().branch(), "z9hG4bKabc");
  EXPECT_EQ(message.from().display_name, "Alice");
  EXPECT_EQ(message.from().tag(), "a1");
  EXPECT_EQ(message.to().tag(), "");
  EXPECT_EQ(message.cseq().number, 1U);
  EXPECT_EQ(message.call_id(), "call-1@192.0.2.1");
  EXPECT_EQ(message.body(), "body");
  EXPECT_EQ(message.header("refer-to"), message.header(HeaderId::refer_to));
  EXPECT_EQ(message.header("R"), "<sip:+15550002222@trunk.example.com>");
  EXPECT_EQ(message.header("x-mine"), "a");
  EXPECT_EQ(message.header("x-other"), "");
  EXPECT_EQ(message.header(HeaderId::other), "");
  EXPECT_FALSE(message.has(HeaderId::contact));
  EXPECT_FALSE(message.contact());
  EXPECT_EQ(message.name_of(message.entries()[6]), "r");
}

TEST(Message, Response) {
  const Message message = good(
      "SIP/2.0 486 Busy Here\r\nv: SIP/2.0/TCP a;branch=z9hG4bK1\r\nf: <sip:a@b>;tag=1\r\n"
      "t: <sip:c@d>;tag=2\r\ni: x\r\nCSeq: 7 INVITE\r\nl: 0\r\n\r\n");
  EXPECT_FALSE(message.is_request());
  EXPECT_EQ(message.status(), 486);
  EXPECT_EQ(message.reason_phrase(), "Busy Here");
  EXPECT_EQ(message.method(), Method::invite);
  EXPECT_EQ(message.method_text(), "INVITE");
  EXPECT_EQ(message.request_uri(), "");
}

TEST(Message, SurvivesMoveAndCopy) {
  Message first = good(request());
  Message second = first;
  const Message third = std::move(first);
  second = third;
  EXPECT_EQ(second.call_id(), "call-1@192.0.2.1");
  EXPECT_EQ(third.header(HeaderId::max_forwards), "70");
}

TEST(Message, StartLines) {
  const auto with_start = [](const std::string& line) {
    return line + request().substr(request().find("\r\n"));
  };
  const std::string uri = "sip:a@b";
  EXPECT_EQ(status_of(with_start("INVITE " + uri + " SIP/2.0")), 0);
  EXPECT_EQ(status_of(with_start("INVITE " + uri + " sip/2.0")), 0);
  EXPECT_EQ(status_of(with_start("INVITE tel:+1555 SIP/2.0")), 0);
  EXPECT_EQ(status_of(with_start("INVITE " + uri + " SIP/3.0")), 505);
  EXPECT_EQ(status_of(with_start("INVITE " + uri + " SIP/2.1")), 505);
  EXPECT_EQ(status_of(with_start("INVITE sip:" + std::string(limits::uri_bytes_max, 'a') + " SIP/2.0")), 414);
  for (const char* line : {"",
                           " ",
                           "INVITE",
                           "INVITE sip:a@b",
                           "INVITE  SIP/2.0",
                           "INVITE sip:a@b HTTP/1.1",
                           "INVITE sip:a@b SIP/2",
                           "INVITE sip:a@b SIP/2.x",
                           "INVITE sip:a@b SIP/",
                           "IN<VITE sip:a@b SIP/2.0",
                           "INVITE sip:a@b  SIP/2.0",
                           "INVITE  sip:a@b SIP/2.0",
                           " INVITE sip:a@b SIP/2.0",
                           "INVITE sip:a@b SIP/2.0 ",
                           "INVITE sip:a\x01@b SIP/2.0",
                           "INVITE sip:\xc3\xa9@b SIP/2.0",
                           "INVITE \"sip:a@b\" SIP/2.0",
                           "INVITE a SIP/2.0",
                           "INVITE sip:a@b\tSIP/2.0",
                           "SIP/2.0 200",
                           "SIP/2.0 99 X",
                           "SIP/2.0 700 X",
                           "SIP/2.0 0200 OK",
                           "SIP/2.0 20 OK",
                           "SIP/2.0  200 OK",
                           "SIP/2.0 -20 OK",
                           "SIP/2.0",
                           "SIP/2.0 ",
                           "SIP/ 200 OK",
                           "INVITE sip:a@b\n SIP/2.0",
                           "INVITE sip:a@b SIP/2.0\r\n x"}) {
    const bool fine = std::string_view(line) == "SIP/2.0 200";
    EXPECT_EQ(status_of(with_start(line)), fine ? 0 : 400) << line;
  }
  EXPECT_EQ(status_of(with_start("SIP/3.0 200 OK")), 505);
}

TEST(Message, LineEnds) {
  EXPECT_EQ(good("\r\n\r\n\r\n" + request()).bytes().substr(0, 6), "INVITE");
  std::string lf_only;
  for (const char c : request()) {
    if (c != '\r') lf_only.push_back(c);
  }
  EXPECT_EQ(status_of(lf_only), 400);
  EXPECT_EQ(status_of("\n" + request()), 400);
  EXPECT_EQ(status_of(request("INVITE", "Subject: a\nX: b\r\n")), 400);
  EXPECT_EQ(status_of(request("INVITE", "Subject: a\rX: b\r\n")), 400);
  EXPECT_EQ(status_of(request("INVITE", "Subject: a\r\r\n")), 400);
  EXPECT_EQ(status_of(request("INVITE", "Subject: a\n\r\n")), 400);
  EXPECT_EQ(status_of(request("INVITE", std::string("Subject: a\0b\r\n", 14))), 400);
  for (const char* bytes : {"", "\r\n", "\r\n\r\n", "\r", "x", "INVITE", "\r\n\r\n\r\n\r\n"}) {
    EXPECT_EQ(status_of(bytes), 400);
  }
}

TEST(Message, FoldsBecomeBlanks) {
  const Message message = good(request("INVITE", "Subject: one\r\n two\r\n\tthree\r\n \r\nX-Y:\r\n z\r\n"));
  EXPECT_EQ(message.header(HeaderId::subject), "one   two  \tthree");
  EXPECT_EQ(message.header("X-Y"), "z");
}

TEST(Message, HeaderLines) {
  EXPECT_EQ(good(request("INVITE", "Subject \t :  a:b  \r\n")).header("s"), "a:b");
  EXPECT_EQ(good(request("INVITE", "Subject:\r\n")).header("s"), "");
  for (const char* line :
       {"Subject\r\n", ": x\r\n", "Sub ject: x\r\n", "Sub(ject: x\r\n", "\xc3\xa9: x\r\n"}) {
    EXPECT_EQ(status_of(request("INVITE", line)), 400) << line;
  }
}

TEST(Message, MandatoryHeaders) {
  for (const char* line :
       {"Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKabc;rport\r\n",
        "From: \"Alice\" <sip:alice@example.com>;tag=a1\r\n", "To: <sip:+15550001111@trunk.example.com>\r\n",
        "Call-ID: call-1@192.0.2.1\r\n", "CSeq: 1 INVITE\r\n"}) {
    EXPECT_EQ(status_of(replaced(request(), line, "")), 400) << line;
    const bool may_repeat = line[0] == 'V';
    EXPECT_EQ(status_of(request("INVITE", line)), may_repeat ? 0 : 400) << line;
  }
  EXPECT_EQ(status_of(request("INVITE", "i: other\r\n")), 400);
  EXPECT_EQ(status_of(replaced(request(), "Call-ID: call-1@192.0.2.1", "Call-ID:")), 400);
  EXPECT_EQ(status_of(replaced(request(), "Call-ID: call-1@192.0.2.1", "Call-ID: a b")), 400);
  EXPECT_EQ(status_of(replaced(request(), "CSeq: 1 INVITE", "CSeq: 1 BYE")), 400);
  EXPECT_EQ(status_of(replaced(request(), "CSeq: 1 INVITE", "CSeq: 1 invite")), 400);
  EXPECT_EQ(status_of(replaced(request(), "Via: SIP/2.0/UDP", "Via: , SIP/2.0/UDP")), 0);
  EXPECT_EQ(status_of(replaced(request(), "sip:alice@example.com", "sip:alice@[::1")), 400);
  const std::string long_uri = "sip:" + std::string(limits::uri_bytes_max, 'a');
  EXPECT_EQ(status_of(replaced(request(), "sip:alice@example.com", long_uri)), 400);
}

TEST(Message, ContentLength) {
  EXPECT_EQ(good(request("INVITE", {}, "abc") + "def").body(), "abc");
  const std::string without = replaced(request("INVITE", {}, "abc"), "Content-Length: 3\r\n", "");
  EXPECT_EQ(good(without).body(), "abc");
  for (const char* value : {"4", "-1", "+3", "3x", "", "0x3", "99999999999999999999", "3, 3", "3\r\nl: 3"}) {
    EXPECT_EQ(status_of(replaced(request("INVITE", {}, "abc"), "Length: 3", std::string("Length: ") + value)),
              400)
        << value;
  }
  EXPECT_EQ(good(replaced(request("INVITE", {}, "abc"), "Length: 3", "Length: 003")).body(), "abc");
}

TEST(Message, Bounds) {
  EXPECT_EQ(status_of(request("INVITE", {}, std::string(limits::body_bytes_max, 'x'))), 0);
  EXPECT_EQ(status_of(request("INVITE", {}, std::string(limits::body_bytes_max + 1, 'x'))), 413);
  EXPECT_EQ(status_of(request("INVITE", {}, std::string(limits::message_bytes_max, 'x'))), 513);
  EXPECT_EQ(status_of(request("INVITE", "X: " + std::string(limits::header_bytes_max - 3, 'x') + "\r\n")), 0);
  EXPECT_EQ(status_of(request("INVITE", "X: " + std::string(limits::header_bytes_max, 'x') + "\r\n")), 400);
  std::string many;
  for (std::size_t i = 0; i < limits::headers_max; ++i) many += "X: y\r\n";
  EXPECT_EQ(status_of(request("INVITE", many)), 400);
  std::string vias;
  for (std::size_t i = 0; i < limits::vias_max; ++i) vias += "v: SIP/2.0/UDP a\r\n";
  EXPECT_EQ(status_of(request("INVITE", vias)), 483);
}

TEST(Message, ViasAreCountedAndNotTheirLines) {
  const auto with = [](std::size_t in_one_line, std::size_t lines) {
    std::string line = "Via: SIP/2.0/UDP a", all;
    for (std::size_t i = 1; i < in_one_line; ++i) line += ",SIP/2.0/UDP a";
    for (std::size_t i = 0; i < lines; ++i) all += line + "\r\n";
    return status_of(request("OPTIONS", all));
  };
  // The request has one of its own.
  EXPECT_EQ(with(limits::vias_max - 1, 1), 0);
  EXPECT_EQ(with(limits::vias_max, 1), 483);
  EXPECT_EQ(with(3, (limits::vias_max - 1) / 3), 0);
  EXPECT_EQ(with(3, (limits::vias_max - 1) / 3 + 1), 483);
  EXPECT_EQ(with(1, limits::vias_max - 1), 0);
  // Commas that divide no values: empty elements, a quoted parameter.
  EXPECT_EQ(status_of(request("OPTIONS", "Via: SIP/2.0/UDP a" + std::string(200, ',') + "\r\n")), 0);
  EXPECT_EQ(status_of(request("OPTIONS", "Via: SIP/2.0/UDP a;x=\"" + std::string(200, ',') + "\"\r\n")), 0);
}

TEST(Message, Lists) {
  const Message message = good(request("INVITE",
                                       "Supported: timer,\t100rel ;x=1\r\nk: replaces\r\nSupported:\r\n"
                                       "Contact: <sip:a@b>;q=1, \"x, y\" <sip:c@d>\r\nContact: sip:e@f\r\n"));
  EXPECT_TRUE(message.lists(HeaderId::supported, "100REL"));
  EXPECT_TRUE(message.lists(HeaderId::supported, "replaces"));
  EXPECT_FALSE(message.lists(HeaderId::supported, "rel"));
  EXPECT_FALSE(message.lists(HeaderId::supported, ""));
  EXPECT_EQ(message.count(HeaderId::supported), 3U);
  EXPECT_EQ(message.elements(HeaderId::contact).size(), 3U);
  EXPECT_EQ(message.contact()->uri.user, "a");
}

TEST(Message, ChallengesAreNoLists) {
  const Message message = good(request("INVITE",
                                       "WWW-Authenticate: Digest realm=\"a\", nonce=\"b\"\r\n"
                                       "WWW-Authenticate: Digest realm=\"c\", nonce=\"d\"\r\n"));
  EXPECT_EQ(message.elements(HeaderId::www_authenticate).size(), 2U);
}

TEST(Message, MaxForwards) {
  const auto with = [](const std::string& value) {
    return good(replaced(request(), "Max-Forwards: 70\r\n", value)).max_forwards();
  };
  EXPECT_EQ(with("").value(), 70);
  EXPECT_EQ(with("Max-Forwards: 255\r\n").value(), 255);
  EXPECT_FALSE(with("Max-Forwards: 256\r\n"));
  EXPECT_FALSE(with("Max-Forwards: -1\r\n"));
  EXPECT_FALSE(with("Max-Forwards:\r\n"));
  EXPECT_FALSE(with("Max-Forwards: 1\r\nMax-Forwards: 2\r\n"));
}

TEST(Message, Contacts) {
  const auto with = [](const std::string& value) {
    return good(request("INVITE", "Contact: " + value + "\r\n")).contact();
  };
  EXPECT_FALSE(with("*"));
  EXPECT_FALSE(with(""));
  EXPECT_FALSE(with("<sip:a@>"));
  EXPECT_EQ(with("<sip:a@b;transport=tcp>;expires=3600")->uri.transport(), Transport::tcp);
}

TEST(AnswerToMalformed, CopiesWhatIdentifiesTheRequest) {
  const std::string bytes = replaced(request("INVITE", "v: SIP/2.0/TCP b;branch=z9hG4bK2\r\nBad line\r\n"),
                                     "Call-ID: call-1", "Call-ID:\r\n call-1");
  const auto error = Message::parse(bytes);
  ASSERT_FALSE(error);
  const auto answer = answer_to_malformed(bytes, error.error());
  ASSERT_TRUE(answer);
  const Message message = good(*answer);
  EXPECT_EQ(message.status(), 400);
  EXPECT_EQ(message.count(HeaderId::via), 2U);
  EXPECT_EQ(message.top_via().branch(), "z9hG4bKabc");
  EXPECT_EQ(message.call_id(), "call-1@192.0.2.1");
  EXPECT_EQ(message.from().tag(), "a1");
  EXPECT_NE(message.to().tag(), "");
  EXPECT_EQ(message.header(HeaderId::warning), "399 baton \"Malformed header line\"");
  EXPECT_EQ(answer_to_malformed(bytes, error.error()), answer);
}

TEST(AnswerToMalformed, OnlyWhereOneIsDue) {
  const ParseError error{400, "Bad"};
  EXPECT_FALSE(answer_to_malformed("", error));
  EXPECT_FALSE(answer_to_malformed("\r\n\r\n", error));
  EXPECT_FALSE(answer_to_malformed(request("ACK", "Bad\r\n"), error));
  EXPECT_FALSE(answer_to_malformed(
      replaced(request(), "INVITE sip:+15550001111@trunk.example.com SIP/2.0", "SIP/2.0 200 OK"), error));
  EXPECT_FALSE(answer_to_malformed(replaced(request(), "CSeq:", "Cseg:"), error));
  EXPECT_FALSE(answer_to_malformed(replaced(request(), "Via:", "Vio:"), error));
  EXPECT_FALSE(answer_to_malformed(replaced(request(), "To: <", "To: \n<"), error));
  EXPECT_FALSE(answer_to_malformed(
      "GET / HTTP/1.1\r\nVia: a\r\nFrom: b\r\nTo: c\r\nCall-ID: d\r\nCSeq: e\r\n\r\n", error));
  EXPECT_TRUE(answer_to_malformed(request(), ParseError{505, ""}));
}

TEST(AnswerToMalformed, ReasonCanNotInject) {
  const auto answer = answer_to_malformed(request(), ParseError{400, "a\r\nX-Evil: 1\"\\"});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->find("\r\nX-Evil"), std::string::npos);
  EXPECT_TRUE(Message::parse(*answer));
}

TEST(Message, WhatIsMatchedIsKnownWithoutTheWholeHeaders) {
  std::string bytes = request("INVITE", "");
  const auto plain = good(bytes);
  EXPECT_EQ(plain.from_tag(), plain.from().tag());
  EXPECT_EQ(plain.to_tag(), plain.to().tag());
  EXPECT_EQ(plain.via_head().branch, plain.top_via().branch());
  // A tag and a branch behind quoted-pairs, which a copy has as well.
  bytes.replace(bytes.find("tag=a1"), 6, "tag=\"\\a1\"");
  bytes.replace(bytes.find("branch=z9hG4bKabc"), 17, "branch=\"z9hG4bK\\abc\"");
  const auto masked = good(bytes);
  const Message copy = masked;
  for (const Message* message : {&masked, &copy}) {
    EXPECT_EQ(message->from_tag(), "a1");
    EXPECT_EQ(message->from().tag(), "a1");
    EXPECT_EQ(message->via_head().branch, "z9hG4bKabc");
  }
}

TEST(Message, MoreHeadersThanMostHave) {
  std::string extra;
  for (int i = 0; i < 60; ++i) extra += "X-" + std::to_string(i) + ": " + std::to_string(i) + "\r\n";
  const auto message = good(request("INVITE", extra + "Subject: s\r\n"));
  for (int i = 0; i < 60; ++i) EXPECT_EQ(message.header("X-" + std::to_string(i)), std::to_string(i));
  EXPECT_EQ(message.header(HeaderId::subject), "s");
  EXPECT_EQ(message.header(HeaderId::call_id), message.call_id());
  EXPECT_GT(message.entries().size(), 60U);
  EXPECT_EQ(Message(message).header("X-59"), "59");
}

}  // namespace
}  // namespace baton::sip
