// RFC 4475 and RFC 5118, message by message: accepted, or refused with the status that the RFC names.
#include <gtest/gtest.h>

#include "sip/digest.h"
#include "sip/draft.h"
#include "sip/message.h"
#include "unit/sip/sample.h"

namespace baton::sip {
namespace {

using test::corpus_file;

struct Verdict {
  const char* file;
  int status;  // 0: accepted
};

class Torture : public testing::TestWithParam<Verdict> {};

TEST_P(Torture, GetsItsVerdict) {
  const std::string bytes = corpus_file(GetParam().file);
  ASSERT_FALSE(bytes.empty()) << GetParam().file;
  const auto message = Message::parse(bytes);
  if (GetParam().status == 0) {
    EXPECT_TRUE(message) << message.error().reason;
  } else {
    ASSERT_FALSE(message);
    EXPECT_EQ(message.error().status, GetParam().status) << message.error().reason;
  }
}

INSTANTIATE_TEST_SUITE_P(Rfc4475Valid, Torture,
                         testing::Values(Verdict{"rfc4475_wsinv", 0}, Verdict{"rfc4475_intmeth", 0},
                                         Verdict{"rfc4475_esc01", 0}, Verdict{"rfc4475_escnull", 0},
                                         Verdict{"rfc4475_esc02", 0}, Verdict{"rfc4475_lwsdisp", 0},
                                         Verdict{"rfc4475_longreq", 0}, Verdict{"rfc4475_dblreq", 0},
                                         Verdict{"rfc4475_semiuri", 0}, Verdict{"rfc4475_transports", 0},
                                         Verdict{"rfc4475_mpart01", 0}, Verdict{"rfc4475_unreason", 0},
                                         Verdict{"rfc4475_noreason", 0}));

INSTANTIATE_TEST_SUITE_P(Rfc4475Invalid, Torture,
                         testing::Values(Verdict{"rfc4475_badinv01", 400}, Verdict{"rfc4475_clerr", 400},
                                         Verdict{"rfc4475_ncl", 400}, Verdict{"rfc4475_scalar02", 400},
                                         Verdict{"rfc4475_scalarlg", 400}, Verdict{"rfc4475_quotbal", 400},
                                         Verdict{"rfc4475_ltgtruri", 400}, Verdict{"rfc4475_lwsruri", 400},
                                         Verdict{"rfc4475_lwsstart", 400}, Verdict{"rfc4475_trws", 400},
                                         Verdict{"rfc4475_badaspec", 400}, Verdict{"rfc4475_baddn", 400},
                                         Verdict{"rfc4475_badvers", 505}, Verdict{"rfc4475_mismatch01", 400},
                                         Verdict{"rfc4475_mismatch02", 501}, Verdict{"rfc4475_bigcode", 400},
                                         Verdict{"rfc4475_insuf", 400}, Verdict{"rfc4475_multi01", 400},
                                         Verdict{"rfc4475_mcl01", 400}, Verdict{"rfc4475_test", 400}));

// Well formed as messages; what is wrong, or only strange, is for who reads that header.
INSTANTIATE_TEST_SUITE_P(Rfc4475Semantics, Torture,
                         testing::Values(Verdict{"rfc4475_escruri", 0}, Verdict{"rfc4475_baddate", 0},
                                         Verdict{"rfc4475_regbadct", 0}, Verdict{"rfc4475_badbranch", 0},
                                         Verdict{"rfc4475_unkscm", 0}, Verdict{"rfc4475_novelsc", 0},
                                         Verdict{"rfc4475_unksm2", 0}, Verdict{"rfc4475_bext01", 0},
                                         Verdict{"rfc4475_invut", 0}, Verdict{"rfc4475_regaut01", 0},
                                         Verdict{"rfc4475_bcast", 0}, Verdict{"rfc4475_zeromf", 0},
                                         Verdict{"rfc4475_cparam01", 0}, Verdict{"rfc4475_cparam02", 0},
                                         Verdict{"rfc4475_regescrt", 0}, Verdict{"rfc4475_sdp01", 0},
                                         Verdict{"rfc4475_inv2543", 0}));

INSTANTIATE_TEST_SUITE_P(
    Rfc5118, Torture,
    testing::Values(Verdict{"rfc5118_ipv6_good", 0}, Verdict{"rfc5118_ipv6_bad", 0},
                    Verdict{"rfc5118_port_ambiguous", 0}, Verdict{"rfc5118_port_unambiguous", 0},
                    Verdict{"rfc5118_via_received_param_with_delim", 0},
                    Verdict{"rfc5118_via_received_param_no_delim", 0}, Verdict{"rfc5118_ipv6_in_sdp", 0},
                    Verdict{"rfc5118_mult_ip_in_header", 0}, Verdict{"rfc5118_mult_ip_in_sdp", 0},
                    Verdict{"rfc5118_ipv4_mapped_ipv6", 0}, Verdict{"rfc5118_ipv6_bug_abnf_3_colons", 0},
                    Verdict{"rfc5118_ipv6_correct_abnf_2_colons", 0}));

Message accepted(const char* file) {
  auto message = Message::parse(corpus_file(file));
  if (!message) {
    ADD_FAILURE() << file << ": " << message.error().reason;
    message = Message::parse(test::request());
  }
  return std::move(message.value());
}

Uri request_uri_of(const Message& message) {
  auto uri = Uri::parse(message.request_uri());
  EXPECT_TRUE(uri);
  return uri ? *uri : Uri{};
}

TEST(Rfc4475, ShortTortuousInvite) {
  const Message message = accepted("rfc4475_wsinv");
  EXPECT_EQ(message.method(), Method::invite);
  EXPECT_NE(request_uri_of(message).parameter("unknownparam"), nullptr);
  EXPECT_EQ(message.to().tag(), "1918181833n");
  EXPECT_EQ(message.from().display_name, "J Rosenberg \\\"");
  EXPECT_EQ(message.from().tag(), "98asjd8");
  EXPECT_EQ(message.max_forwards().value(), 68);
  EXPECT_EQ(message.cseq().number, 9U);
  EXPECT_EQ(message.top_via().host, "192.0.2.2");
  EXPECT_EQ(message.top_via().branch(), "390skdjuw");
  EXPECT_EQ(message.header(HeaderId::subject), "");
  EXPECT_TRUE(message.has(HeaderId::subject));
  EXPECT_TRUE(is_safe_value(message.header("newfangledheader")));

  const auto vias = message.elements(HeaderId::via);
  ASSERT_EQ(vias.size(), 3U);
  EXPECT_EQ(Via::parse(vias[1])->branch(), "z9hG4bK9ikj8");
  EXPECT_EQ(Via::parse(vias[2])->branch(), "z9hG4bK30239");

  const auto contact = message.contact();
  ASSERT_TRUE(contact);
  EXPECT_EQ(contact->display_name, "Quoted string \"\"");
  EXPECT_EQ(*find_parameter(contact->parameters, "newparam"), "newvalue");
  EXPECT_EQ(*find_parameter(contact->parameters, "q"), "0.33");
  const auto route = NameAddr::parse(message.header(HeaderId::route));
  ASSERT_TRUE(route);
  EXPECT_EQ(route->uri.parameter("unknownwith")->value, "value");
}

TEST(Rfc4475, WideRangeOfCharacters) {
  const Message message = accepted("rfc4475_intmeth");
  EXPECT_EQ(message.method(), Method::other);
  EXPECT_EQ(message.method_text(), "!interesting-Method0123456789_*+`.%indeed'~");
  EXPECT_EQ(request_uri_of(message).user, "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*");
  EXPECT_EQ(request_uri_of(message).password, "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)");
  EXPECT_EQ(message.to().display_name, std::string("BEL:\x07 NUL:\0 DEL:\x7f", 17));
  const Draft answer = make_response(message, 501, "t1");
  EXPECT_TRUE(Message::parse(answer.write()));
}

TEST(Rfc4475, EscapedUris) {
  const Message esc01 = accepted("rfc4475_esc01");
  EXPECT_EQ(request_uri_of(esc01).user, "sips:user@example.com");
  EXPECT_EQ(request_uri_of(esc01).host, "example.net");
  EXPECT_EQ(esc01.to().uri.user, "user");
  const auto contact = esc01.contact();
  ASSERT_TRUE(contact);
  EXPECT_EQ(contact->uri.user, "caller");
  ASSERT_NE(contact->uri.parameter("lr"), nullptr);
  EXPECT_EQ(contact->uri.parameter("name")->value, "value%41");

  const Message escnull = accepted("rfc4475_escnull");
  EXPECT_EQ(escnull.to().uri.user, std::string("null-\0-null", 11));
  EXPECT_EQ(escnull.to().uri.to_string(), "sip:null-%00-null@example.com");
  const auto contacts = escnull.elements(HeaderId::contact);
  ASSERT_EQ(contacts.size(), 2U);
  EXPECT_EQ(NameAddr::parse(contacts[0])->uri.user, std::string(1, '\0'));
  EXPECT_EQ(NameAddr::parse(contacts[1])->uri.user, std::string(2, '\0'));

  const Message esc02 = accepted("rfc4475_esc02");
  EXPECT_EQ(esc02.method(), Method::other);
  EXPECT_EQ(esc02.method_text(), "RE%47IST%45R");
  EXPECT_EQ(esc02.to().display_name, "%Z%45");
  EXPECT_EQ(esc02.count(HeaderId::contact), 2U);
}

TEST(Rfc4475, TrailingBytesAreDropped) {
  const Message message = accepted("rfc4475_dblreq");
  EXPECT_EQ(message.method(), Method::register_);
  EXPECT_TRUE(message.body().empty());
  EXPECT_EQ(message.bytes().find("INVITE"), std::string_view::npos);
}

TEST(Rfc4475, UserWithSemicolon) {
  const Message message = accepted("rfc4475_semiuri");
  EXPECT_EQ(request_uri_of(message).user, "user;par=u@example.net");
  EXPECT_TRUE(request_uri_of(message).parameters.empty());
}

TEST(Rfc4475, LongValues) {
  const Message message = accepted("rfc4475_longreq");
  EXPECT_GT(message.count(HeaderId::via), 30U);
  EXPECT_EQ(message.from().tag().substr(0, 6), "129829");
}

TEST(Rfc4475, UnknownTransport) {
  const auto vias = accepted("rfc4475_transports").elements(HeaderId::via);
  ASSERT_EQ(vias.size(), 5U);
}

TEST(Rfc4475, BinaryMultipart) {
  EXPECT_NE(accepted("rfc4475_mpart01").body().find('\0'), std::string_view::npos);
}

TEST(Rfc4475, ReasonPhrases) {
  EXPECT_EQ(accepted("rfc4475_unreason").reason_phrase().substr(0, 4), "= 2*");
  EXPECT_EQ(accepted("rfc4475_noreason").reason_phrase(), "");
  EXPECT_EQ(accepted("rfc4475_noreason").status(), 100);
}

TEST(Rfc4475, RequestUriWithHeaders) {
  const Uri uri = request_uri_of(accepted("rfc4475_escruri"));
  ASSERT_EQ(uri.headers.size(), 1U);
  EXPECT_EQ(uri.headers.front().value, "<sip:example.com>");
  EXPECT_EQ(uri.to_string(false), "sip:user@example.com");
}

TEST(Rfc4475, ContactThatNeedsBrackets) {
  EXPECT_FALSE(accepted("rfc4475_regbadct").contact());
  EXPECT_EQ(accepted("rfc4475_regescrt").contact()->uri.headers.size(), 1U);
}

TEST(Rfc4475, ContactParameters) {
  const auto outside = accepted("rfc4475_cparam01").contact();
  EXPECT_TRUE(outside->uri.parameters.empty());
  EXPECT_NE(find_parameter(outside->parameters, "unknownparam"), nullptr);
  const auto inside = accepted("rfc4475_cparam02").contact();
  EXPECT_NE(inside->uri.parameter("unknownparam"), nullptr);
  EXPECT_TRUE(inside->parameters.empty());
}

TEST(Rfc4475, UnknownSchemes) {
  EXPECT_EQ(request_uri_of(accepted("rfc4475_unkscm")).scheme, Scheme::other);
  EXPECT_EQ(request_uri_of(accepted("rfc4475_novelsc")).scheme_text, "soap.beep");
  EXPECT_EQ(accepted("rfc4475_unksm2").to().uri.scheme, Scheme::other);
}

TEST(Rfc4475, UnknownExtension) {
  const Message message = accepted("rfc4475_bext01");
  EXPECT_TRUE(message.lists(HeaderId::require, "nothingSupportsThis"));
  EXPECT_TRUE(message.lists(HeaderId::require, "nothingsupportsthiseither"));
  EXPECT_FALSE(message.lists(HeaderId::require, "100rel"));
}

TEST(Rfc4475, UnknownAuthorizationScheme) {
  const Message message = accepted("rfc4475_regaut01");
  EXPECT_FALSE(DigestCredentials::parse(message.header(HeaderId::authorization)));
}

TEST(Rfc4475, MaxForwardsOfZero) {
  EXPECT_EQ(accepted("rfc4475_zeromf").max_forwards().value(), 0);
}

TEST(Rfc4475, FromWithoutTag) {
  EXPECT_EQ(accepted("rfc4475_inv2543").from().tag(), "");
}

TEST(Rfc4475, EveryRefusedRequestWithItsFieldsIsAnswered) {
  for (const char* name :
       {"badinv01", "clerr", "ncl", "scalar02", "quotbal", "ltgtruri", "lwsruri", "lwsstart", "trws",
        "badaspec", "baddn", "badvers", "mismatch02", "multi01", "mcl01"}) {
    const std::string bytes = corpus_file(std::string("rfc4475_") + name);
    const auto message = Message::parse(bytes);
    ASSERT_FALSE(message) << name;
    const auto answer = answer_to_malformed(bytes, message.error());
    ASSERT_TRUE(answer) << name;
    EXPECT_EQ(answer->substr(0, 12), "SIP/2.0 " + std::to_string(message.error().status) + " ") << name;
  }
}

TEST(Rfc4475, NoAnswerWhereNoneIsDue) {
  for (const char* name : {"insuf", "mismatch01", "bigcode", "scalarlg"}) {
    const std::string bytes = corpus_file(std::string("rfc4475_") + name);
    const auto message = Message::parse(bytes);
    ASSERT_FALSE(message) << name;
    const bool is_request = bytes.substr(0, 4) != "SIP/";
    const bool lacks_fields = std::string_view(name) == "insuf";
    EXPECT_EQ(answer_to_malformed(bytes, message.error()).has_value(), is_request && !lacks_fields) << name;
  }
}

TEST(Rfc5118, Addresses) {
  EXPECT_EQ(request_uri_of(accepted("rfc5118_ipv6_good")).host, "[2001:db8::10]");
  EXPECT_FALSE(Uri::parse(accepted("rfc5118_ipv6_bad").request_uri()));
  EXPECT_EQ(request_uri_of(accepted("rfc5118_port_ambiguous")).port, 0);
  EXPECT_EQ(request_uri_of(accepted("rfc5118_port_unambiguous")).port, 5070);
  EXPECT_EQ(accepted("rfc5118_ipv4_mapped_ipv6").top_via().port, 19823);
  const Message colons = accepted("rfc5118_ipv6_bug_abnf_3_colons");
  EXPECT_EQ(request_uri_of(colons).host, "[2001:db8::192.0.2.1]");
}

TEST(Rfc5118, ReceivedWithAndWithoutBrackets) {
  const Message with = accepted("rfc5118_via_received_param_with_delim");
  EXPECT_EQ(*find_parameter(with.top_via().parameters, "received"), "[2001:db8::9:255]");
  const Message without = accepted("rfc5118_via_received_param_no_delim");
  EXPECT_EQ(*find_parameter(without.top_via().parameters, "received"), "2001:db8::9:255");
}

}  // namespace
}  // namespace baton::sip
