#include "trunk/identity.h"

#include <gtest/gtest.h>

namespace baton::trunk {
namespace {

using sip::HeaderId;

sip::Message invite(const std::string& more) {
  auto message = sip::Message::parse(
      "INVITE sip:+14155550100@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.100:5060;branch=z9hG4bK-1\r\n"
      "From: <sip:+14155551234@example.com>;tag=1\r\nTo: <sip:+14155550100@192.0.2.1>\r\n"
      "Call-ID: 1@192.0.2.100\r\nCSeq: 1 INVITE\r\n" +
      more + "Content-Length: 0\r\n\r\n");
  EXPECT_TRUE(message) << more;
  return std::move(*message);
}

std::vector<std::string> values(const std::vector<sip::Draft::Field>& fields, HeaderId id) {
  std::vector<std::string> found;
  for (const auto& field : fields) {
    if (field.id == id) found.push_back(field.value);
  }
  return found;
}

using Texts = std::vector<std::string>;

TEST(CallerIdentity, TheOldHeadersCountWhereThereIsNoAssertedOne) {
  const std::string rpid =
      "Remote-Party-ID: \"Ann\" <sip:+442079460100@x.example>;party=calling;privacy=off\r\n";
  const std::string ppi = "P-Preferred-Identity: <sip:+442079460111@x.example>\r\n";
  EXPECT_EQ(caller_identity(invite(rpid + ppi), true).number, "+442079460100");
  EXPECT_EQ(caller_identity(invite(rpid), true).display_name, "Ann");
  EXPECT_EQ(caller_identity(invite(ppi), true).number, "+442079460111");
  EXPECT_EQ(caller_identity(invite(rpid + "P-Asserted-Identity: <tel:+442079460122>\r\n"), true).number,
            "+442079460122");
  EXPECT_EQ(caller_identity(invite(rpid + ppi), false).number, "+14155551234");
}

TEST(CallerIdentity, ARemotePartyMayBeTheCalledOneOrPrivate) {
  EXPECT_EQ(
      caller_identity(invite("Remote-Party-ID: <sip:+442079460100@x.example>;party=called\r\n"), true).number,
      "+14155551234");
  const auto hidden = caller_identity(
      invite("Remote-Party-ID: \"Ann\" <sip:+442079460100@x.example>;privacy=full\r\n"), true);
  EXPECT_TRUE(hidden.anonymous);
  EXPECT_EQ(hidden.display_name, "");
  EXPECT_EQ(hidden.number, "+442079460100");
}

TEST(IdentityHeaders, EachKind) {
  const CallerId ann{"+442079460100", "Ann \"A\"", false};
  EXPECT_EQ(values(identity_headers({}, ann, "t.example"), HeaderId::p_asserted_identity),
            Texts{"<sip:+442079460100@t.example>"});
  EXPECT_EQ(values(identity_headers({.header = IdentityHeader::preferred}, ann, "t.example"),
                   HeaderId::p_preferred_identity),
            Texts{"<sip:+442079460100@t.example>"});
  EXPECT_EQ(values(identity_headers({.header = IdentityHeader::remote_party_id}, ann, "t.example"),
                   HeaderId::remote_party_id),
            Texts{"\"Ann \\\"A\\\"\" <sip:+442079460100@t.example>;party=calling;screen=yes;privacy=off"});
  EXPECT_TRUE(identity_headers({.header = IdentityHeader::none}, ann, "t.example").empty());
  EXPECT_EQ(from_address(ann, "t.example"), "\"Ann \\\"A\\\"\" <sip:+442079460100@t.example>");
}

TEST(IdentityHeaders, AnAnonymousCallerIsNamedOnlyToWhoMayKnow) {
  const CallerId hidden{"+442079460100", "", true};
  for (const auto header :
       {IdentityHeader::asserted, IdentityHeader::preferred, IdentityHeader::remote_party_id}) {
    for (const auto& field : identity_headers({.header = header}, hidden, "t.example")) {
      EXPECT_EQ(field.value.find("+44"), std::string::npos) << field.value;
    }
    const auto told = identity_headers({.reveal_anonymous = true, .header = header}, hidden, "t.example");
    EXPECT_EQ(values(told, HeaderId::privacy), Texts{"id"});
    EXPECT_EQ(told.size(), 2U);
  }
  EXPECT_EQ(from_address(hidden, "t.example"), "\"Anonymous\" <sip:anonymous@anonymous.invalid>");
}

TEST(Diversions, AreReadBoundedAndOnlyWithReasonsThatExist) {
  const auto read =
      diversions_of(invite("Diversion: <sip:+14155550101@a.example>;reason=No-Answer;counter=1;privacy=full,"
                           " \"Desk\" <tel:+1-415-555-0102>;reason=\"because I\r\n\tsay so\"\r\n"
                           "Diversion: <mailto:a@b>\r\nDiversion: nonsense\r\n"));
  ASSERT_EQ(read.size(), 2U);
  EXPECT_EQ(read[0].number, "+14155550101");
  EXPECT_EQ(read[0].reason, "no-answer");
  EXPECT_TRUE(read[0].hidden);
  EXPECT_EQ(read[1].number, "+14155550102");
  EXPECT_EQ(read[1].reason, "unknown");
  EXPECT_FALSE(read[1].hidden);
  std::string many;
  for (int i = 0; i < 40; ++i)
    many += "Diversion: <sip:+1415555010" + std::to_string(i % 10) + "@a.example>\r\n";
  EXPECT_EQ(diversions_of(invite(many)).size(), 5U);
}

TEST(Diversions, GrowWithEachTransferUpToABound) {
  std::vector<Diversion> all;
  for (int i = 0; i < 8; ++i) all = diverted_once_more(all, {"+1415555010" + std::to_string(i), "", false});
  ASSERT_EQ(all.size(), 5U);
  EXPECT_EQ(all.front().number, "+14155550107");
  EXPECT_EQ(all.front().reason, "unconditional");
  EXPECT_EQ(diverted_once_more({}, {"", "", true}).size(), 0U);
}

TEST(DiversionHeaders, LatestFirstAsDiversionOldestFirstAsHistory) {
  const std::vector<Diversion> two = {{"+14155550102", "unconditional", false},
                                      {"+14155550101", "no-answer", false}};
  EXPECT_TRUE(diversion_headers({}, two, "+14155550103", "t.example").empty());
  const auto both = diversion_headers({.diversion = DiversionHeader::both}, two, "+14155550103", "t.example");
  EXPECT_EQ(values(both, HeaderId::diversion),
            (Texts{"<sip:+14155550102@t.example>;reason=unconditional;privacy=off",
                   "<sip:+14155550101@t.example>;reason=no-answer;privacy=off"}));
  EXPECT_EQ(values(both, HeaderId::history_info),
            (Texts{"<sip:+14155550101@t.example>;index=1", "<sip:+14155550102@t.example;cause=408>;index=1.1",
                   "<sip:+14155550103@t.example;cause=302>;index=1.1.1"}));
}

TEST(DiversionHeaders, HiddenOnesAreToldOnlyToWhoMayKnow) {
  const std::vector<Diversion> hidden = {{"+14155550102", "unconditional", true}};
  EXPECT_TRUE(
      diversion_headers({.diversion = DiversionHeader::both}, hidden, "+14155550103", "t.example").empty());
  const auto told = diversion_headers({.reveal_anonymous = true, .diversion = DiversionHeader::both}, hidden,
                                      "+14155550103", "t.example");
  EXPECT_EQ(values(told, HeaderId::diversion),
            Texts{"<sip:+14155550102@t.example>;reason=unconditional;privacy=full"});
  EXPECT_EQ(values(told, HeaderId::history_info).at(0),
            "<sip:+14155550102@t.example?Privacy=history>;index=1");
}

}  // namespace
}  // namespace baton::trunk
