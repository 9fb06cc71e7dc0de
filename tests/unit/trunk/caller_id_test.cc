#include <gtest/gtest.h>

#include "trunk/policy.h"

namespace baton::trunk {
namespace {

CallerId identity(const std::string& from, const std::string& more, bool trusted) {
  const auto message = sip::Message::parse(
      "INVITE sip:+14155550100@192.0.2.1 SIP/2.0\r\n"
      "Via: SIP/2.0/UDP 192.0.2.100:5060;branch=z9hG4bK-1\r\n"
      "From: " +
      from +
      ";tag=1\r\n"
      "To: <sip:+14155550100@192.0.2.1>\r\n"
      "Call-ID: 1@192.0.2.100\r\n"
      "CSeq: 1 INVITE\r\n" +
      more + "Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n");
  EXPECT_TRUE(message) << from << more;
  return message ? caller_identity(*message, trusted) : CallerId();
}

const std::string from_bob = "\"Bob\" <sip:+14155551234@example.com>";
const std::string from_anonymous = "\"Anonymous\" <sip:anonymous@anonymous.invalid>";
const std::string pai = "P-Asserted-Identity: \"Alice\" <sip:+442079460100@example.com>\r\n";

TEST(CallerIdentity, FromAlone) {
  const CallerId caller = identity(from_bob, "", true);
  EXPECT_EQ(caller.number, "+14155551234");
  EXPECT_EQ(caller.display_name, "Bob");
  EXPECT_FALSE(caller.anonymous);
}

TEST(CallerIdentity, AssertedCountsOnlyFromTrustedPeers) {
  const CallerId trusted = identity(from_bob, pai, true);
  EXPECT_EQ(trusted.number, "+442079460100");
  EXPECT_EQ(trusted.display_name, "Alice");
  const CallerId untrusted = identity(from_bob, pai, false);
  EXPECT_EQ(untrusted.number, "+14155551234");
  EXPECT_EQ(untrusted.display_name, "Bob");
}

TEST(CallerIdentity, TelAndSipAsserted) {
  const std::string both =
      "P-Asserted-Identity: \"Alice\" <sip:alice@example.com>, <tel:+44-20-7946-0100>\r\n";
  const CallerId caller = identity(from_bob, both, true);
  EXPECT_EQ(caller.number, "+442079460100");
  EXPECT_EQ(caller.display_name, "Alice");
  EXPECT_EQ(identity(from_bob, "P-Asserted-Identity: <sip:alice@example.com>\r\n", true).number, "alice");
}

TEST(CallerIdentity, UselessAssertedIsPassedOver) {
  for (const char* useless : {"<sip:anonymous@anonymous.invalid>", "<mailto:a@b>", "<sip:", "nonsense"}) {
    const CallerId caller = identity(from_bob, "P-Asserted-Identity: " + std::string(useless) + "\r\n", true);
    EXPECT_EQ(caller.number, "+14155551234") << useless;
    EXPECT_FALSE(caller.anonymous) << useless;
  }
}

TEST(CallerIdentity, PrivacyHidesNameAndMarksTheNumber) {
  for (const char* privacy :
       {"id", "ID", "user", "header", "user;id", "id;critical", "none;id", " id ; critical", "id, user"}) {
    const CallerId caller = identity(from_bob, pai + "Privacy: " + privacy + "\r\n", true);
    EXPECT_TRUE(caller.anonymous) << privacy;
    EXPECT_EQ(caller.number, "+442079460100") << privacy;
    EXPECT_EQ(caller.display_name, "") << privacy;
  }
  for (const char* privacy : {"none", "session", "critical", "", "idx", ";;"}) {
    EXPECT_FALSE(identity(from_bob, pai + "Privacy: " + privacy + "\r\n", true).anonymous) << privacy;
  }
  EXPECT_TRUE(identity(from_bob, "Privacy: id\r\n", false).anonymous);
}

TEST(CallerIdentity, AnonymousFrom) {
  const CallerId caller = identity(from_anonymous, "", true);
  EXPECT_TRUE(caller.anonymous);
  EXPECT_EQ(caller.number, "");
  EXPECT_EQ(caller.display_name, "");
  EXPECT_TRUE(identity("<sip:Anonymous@example.com>", "", true).anonymous);
  EXPECT_TRUE(identity("<sip:unknown@unknown.invalid>", "", true).anonymous);
  EXPECT_FALSE(identity("<sip:anonymouse@example.com>", "", true).anonymous);
}

TEST(CallerIdentity, AnonymousFromWithAssertedNumber) {
  const CallerId caller = identity(from_anonymous, pai, true);
  EXPECT_TRUE(caller.anonymous);
  EXPECT_EQ(caller.number, "+442079460100");
  EXPECT_FALSE(identity(from_anonymous, pai + "Privacy: none\r\n", true).anonymous);
  EXPECT_EQ(identity(from_anonymous, pai, false).number, "");
}

TEST(CallerIdentity, HostileTextIsCut) {
  EXPECT_EQ(identity("<sip:a%0d%0aRoute:x@example.com>", "", true).number, "");
  EXPECT_EQ(identity("<sip:" + std::string(500, 'a') + "@example.com>", "", true).number, "");
  std::string umlauts;
  for (int i = 0; i < 200; ++i) umlauts += "\xc3\xbc";
  const CallerId caller = identity("\"x" + umlauts + "\" <sip:+14155551234@example.com>", "", true);
  EXPECT_LE(caller.display_name.size(), 128U);
  EXPECT_EQ(caller.display_name.size() % 2, 1U);  // no half character
}

TEST(CallerIdentity, SeparatorsAreTakenOut) {
  EXPECT_EQ(identity("<tel:+1-415-555-1234>", "", true).number, "+14155551234");
}

TEST(TransferCallerId, ByDirectionAndBySetting) {
  const CallerId transferee{"+14155551234", "Bob", false};
  const CallerId transferor{"+442079460100", "Office", false};
  Trunk trunk;
  EXPECT_EQ(transfer_caller_id(trunk, transferee, transferor, true).number, "+14155551234");
  EXPECT_EQ(transfer_caller_id(trunk, transferee, transferor, false).number, "+442079460100");
  trunk.transfer.caller_id = TransferCallerId::transferee;
  EXPECT_EQ(transfer_caller_id(trunk, transferee, transferor, false).number, "+14155551234");
  trunk.transfer.caller_id = TransferCallerId::transferor;
  EXPECT_EQ(transfer_caller_id(trunk, transferee, transferor, true).number, "+442079460100");
  trunk.transfer.caller_id = TransferCallerId::fixed;
  trunk.transfer.fixed_caller_id = "+14155550100";
  const CallerId fixed = transfer_caller_id(trunk, transferee, transferor, true);
  EXPECT_EQ(fixed.number, "+14155550100");
  EXPECT_EQ(fixed.display_name, "");
  trunk.transfer.fixed_caller_id.clear();
  EXPECT_EQ(transfer_caller_id(trunk, transferee, transferor, true).number, "+14155551234");
}

TEST(TransferCallerId, AnonymousStaysAnonymous) {
  const CallerId hidden{"+14155551234", "", true};
  const CallerId transferor{"+442079460100", "Office", false};
  Trunk trunk;
  EXPECT_TRUE(transfer_caller_id(trunk, hidden, transferor, true).anonymous);
  EXPECT_TRUE(transfer_caller_id(trunk, transferor, hidden, false).anonymous);
  trunk.transfer.caller_id = TransferCallerId::transferee;
  EXPECT_TRUE(transfer_caller_id(trunk, hidden, transferor, false).anonymous);
}

}  // namespace
}  // namespace baton::trunk
