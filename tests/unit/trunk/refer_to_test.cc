// Refer-To in every form the field sends (spec: "Answers to the REFER itself", "Tried every time").
#include <gtest/gtest.h>

#include "base/limits.h"
#include "trunk/policy.h"

namespace baton::trunk {
namespace {

class TestPlan : public NumberPlan {
 public:
  [[nodiscard]] std::string country_of(std::string_view e164) const override {
    if (e164.starts_with("+1")) return "US";
    if (e164.starts_with("+44")) return "GB";
    if (e164.starts_with("+882")) return "";
    return e164.starts_with("+53") ? "CU" : "DE";
  }
};

Model make_model() {
  Model model;
  model.domain_suffix = "sip.example.com";
  model.number_plan = std::make_shared<TestPlan>();
  Account acme;
  acme.id = "acme";
  acme.geo.blocked_countries = {"CU"};
  acme.geo.blocked_prefixes = {"+1900"};
  Account other;
  other.id = "other";
  model.accounts = {acme, other};
  Trunk in, out, foreign;
  in.id = "in";
  in.account_id = "acme";
  in.domain = "in.sip.example.com";
  // What no configuration should hold, to show that it does not help.
  in.transfer.allowed_hosts = {"hotline.example.net", "8.8.8.8",           "2600::5",  "10.0.0.1",
                               "3232235777",          "[::ffff:10.0.0.1]", "localhost"};
  out.id = "out";
  out.account_id = "acme";
  out.domain = "out.sip.example.com";
  out.direction = TrunkDirection::outbound;
  foreign.id = "theirs";
  foreign.account_id = "other";
  foreign.domain = "theirs.sip.example.com";
  model.trunks = {in, out, foreign};
  return model;
}

sip::Message refer_with(const std::string& lines) {
  auto message = sip::Message::parse(
      "REFER sip:trunk@in.sip.example.com SIP/2.0\r\n"
      "Via: SIP/2.0/UDP 192.0.2.100:5060;branch=z9hG4bK-524287-1\r\n"
      "From: <sip:endpoint@pbx.example.com>;tag=12345\r\n"
      "To: <sip:trunk@in.sip.example.com>;tag=67890\r\n"
      "Call-ID: 1-12345@192.0.2.100\r\n"
      "CSeq: 1 REFER\r\n"
      "Contact: <sip:endpoint@192.0.2.100:5060>\r\n" +
      lines + "Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n");
  EXPECT_TRUE(message) << lines;
  return std::move(*message);
}

Result<ReferTarget, Refusal> check(const std::string& refer_to) {
  static const Model model = make_model();
  return check_refer_to(model, model.trunks[0], refer_with("Refer-To: " + refer_to + "\r\n"));
}

struct Row {
  const char* name;
  std::string refer_to;
  int status;  // 202: accepted
  int hangup_code;
  std::string detail;  // the number, or a part of the refusal's text
};

std::ostream& operator<<(std::ostream& out, const Row& row) {
  return out << row.name << ": " << row.refer_to;
}

class ReferToTest : public testing::TestWithParam<Row> {};

TEST_P(ReferToTest, Answer) {
  const Row& row = GetParam();
  const auto target = check(row.refer_to);
  if (row.status == 202) {
    ASSERT_TRUE(target) << target.error().text;
    EXPECT_EQ(target->number, row.detail);
    return;
  }
  ASSERT_FALSE(target) << target->number;
  EXPECT_EQ(target.error().status, row.status) << target.error().text;
  EXPECT_EQ(target.error().hangup_code, row.hangup_code) << target.error().text;
  EXPECT_NE(target.error().text.find(row.detail), std::string::npos) << target.error().text;
  EXPECT_LT(target.error().text.size(), 300U);
}

const Row rows[] = {
    // Accepted.
    {"plain", "<sip:+14155551234@in.sip.example.com>", 202, 0, "+14155551234"},
    {"without_brackets", "sip:+14155551234@in.sip.example.com", 202, 0, "+14155551234"},
    {"display_name", "\"Sales, <EU>\" <sip:+14155551234@in.sip.example.com>", 202, 0, "+14155551234"},
    {"another_trunk_of_the_account", "<sip:+14155551234@out.sip.example.com>", 202, 0, "+14155551234"},
    {"domain_in_any_case", "<SIP:+14155551234@IN.Sip.Example.COM>", 202, 0, "+14155551234"},
    {"domain_with_root_dot", "<sip:+14155551234@in.sip.example.com.>", 202, 0, "+14155551234"},
    {"port_and_transport", "<sip:+14155551234@in.sip.example.com:5060;transport=tcp>", 202, 0,
     "+14155551234"},
    {"sips", "<sips:+14155551234@in.sip.example.com>", 202, 0, "+14155551234"},
    {"escaped_plus", "<sip:%2B14155551234@in.sip.example.com>", 202, 0, "+14155551234"},
    {"escaped_plus_small", "<sip:%2b14155551234@in.sip.example.com>", 202, 0, "+14155551234"},
    {"escaped_digit", "<sip:+1415555123%34@in.sip.example.com>", 202, 0, "+14155551234"},
    {"user_phone", "<sip:+14155551234@in.sip.example.com;user=phone>", 202, 0, "+14155551234"},
    {"method_invite", "<sip:+14155551234@in.sip.example.com;method=INVITE>", 202, 0, "+14155551234"},
    {"header_parameter", "<sip:+14155551234@in.sip.example.com>;x=y", 202, 0, "+14155551234"},
    {"tel", "<tel:+14155551234>", 202, 0, "+14155551234"},
    {"tel_separators", "<tel:+1-(415)-555.1234>", 202, 0, "+14155551234"},
    {"tel_parameters", "<tel:+14155551234;ext=12>", 202, 0, "+14155551234"},
    {"seven_digits", "<sip:+1234567@in.sip.example.com>", 202, 0, "+1234567"},
    {"fifteen_digits", "<sip:+123456789012345@in.sip.example.com>", 202, 0, "+123456789012345"},
    {"number_of_no_country", "<sip:+88212345678@in.sip.example.com>", 202, 0, "+88212345678"},
    {"allowed_host", "<sip:+14155551234@hotline.example.net>", 202, 0, "+14155551234"},
    {"allowed_host_in_any_case", "<sip:+14155551234@HOTLINE.example.net.>", 202, 0, "+14155551234"},
    {"allowed_address", "<sip:+14155551234@8.8.8.8>", 202, 0, "+14155551234"},
    {"allowed_address_v6", "<sip:+14155551234@[2600:0::5]>", 202, 0, "+14155551234"},

    // 400: not one Refer-To that can be read.
    {"two_in_a_list", "<sip:+14155551234@in.sip.example.com>, <sip:+14155551235@in.sip.example.com>", 400,
     4000, "More than one Refer-To"},
    {"star", "*", 400, 4320, "can not be understood"},
    {"no_scheme", "<+14155551234@in.sip.example.com>", 400, 4320, "can not be understood"},
    {"open_bracket", "<sip:+14155551234@in.sip.example.com", 400, 4320, "can not be understood"},
    {"no_host", "<sip:+14155551234@>", 400, 4320, "can not be understood"},
    {"bad_escape", "<sip:%ZZ14155551234@in.sip.example.com>", 400, 4320, "can not be understood"},
    {"bad_port", "<sip:+14155551234@in.sip.example.com:99999>", 400, 4320, "can not be understood"},
    {"empty_brackets", "<>", 400, 4320, "can not be understood"},
    {"too_long", "<sip:+14155551234@in.sip.example.com?X-A=" + std::string(limits::uri_bytes_max, 'a') + ">",
     400, 4320, "longer than"},

    // 400: schemes and methods.
    {"scheme_http", "<http://in.sip.example.com/>", 400, 4230, "scheme \"http\" is not sip, sips or tel"},
    {"scheme_urn", "<urn:service:sos>", 400, 4230, "scheme \"urn\""},
    {"scheme_mailto", "<mailto:+14155551234@in.sip.example.com>", 400, 4230, "scheme \"mailto\""},
    {"method_bye", "<sip:+14155551234@in.sip.example.com;method=BYE>", 400, 4000,
     "method \"BYE\" is not INVITE"},
    {"method_small", "<sip:+14155551234@in.sip.example.com;method=invite>", 400, 4000, "is not INVITE"},
    {"method_escaped", "<sip:+14155551234@in.sip.example.com;m%65thod=BYE>", 400, 4000, "is not INVITE"},
    {"method_empty", "<sip:+14155551234@in.sip.example.com;method>", 400, 4000, "is not INVITE"},
    {"method_twice", "<sip:+14155551234@in.sip.example.com;method=BYE;method=INVITE>", 400, 4000,
     "is not INVITE"},
    {"method_outside", "<sip:+14155551234@in.sip.example.com>;method=BYE", 400, 4000, "is not INVITE"},
    {"method_unbracketed", "sip:+14155551234@in.sip.example.com;method=BYE", 400, 4000, "is not INVITE"},

    // 400: numbers.
    {"no_plus", "<sip:14155551234@in.sip.example.com>", 400, 4120, "write the + and the country code"},
    {"no_user", "<sip:in.sip.example.com>", 400, 4120, "Refer-To has no number"},
    {"name", "<sip:alice@in.sip.example.com>", 400, 4120, "\"alice\" is not E.164"},
    {"extension", "<sip:101@in.sip.example.com>", 400, 4120, "\"101\" is not E.164"},
    {"six_digits", "<sip:+123456@in.sip.example.com>", 400, 4120, "7 to 15 digits"},
    {"sixteen_digits", "<sip:+1234567890123456@in.sip.example.com>", 400, 4120, "7 to 15 digits"},
    {"letters", "<sip:+1800FLOWERS@in.sip.example.com>", 400, 4120, "is not E.164"},
    {"two_plus", "<sip:++14155551234@in.sip.example.com>", 400, 4120, "is not E.164"},
    {"plus_escaped_twice", "<sip:%252B14155551234@in.sip.example.com>", 400, 4120, "is not E.164"},
    {"nul", "<sip:+14155551234%00@in.sip.example.com>", 400, 4120, "\"+14155551234?\" is not E.164"},
    {"line_break", "<sip:+14155551234%0d%0aX:@in.sip.example.com>", 400, 4120, "is not E.164"},
    {"separators_in_sip", "<sip:+1-415-555-1234@in.sip.example.com>", 400, 4120, "is not E.164"},
    {"parameters_in_user", "<sip:+14155551234;ext=2@in.sip.example.com>", 400, 4120, "is not E.164"},
    {"tel_local", "<tel:5551234;phone-context=+1415>", 400, 4120, "is not E.164"},
    {"tel_no_plus", "<tel:14155551234>", 400, 4120, "write the + and the country code"},
    {"tel_short", "<tel:+1-2.3(4)>", 400, 4120, "is not E.164"},
    {"fullwidth_digits", "<sip:+%EF%BC%91415555123456@in.sip.example.com>", 400, 4120, "is not E.164"},

    // 400: escaped headers that must not become ours.
    {"replaces_twice", "<sip:+14155551234@in.sip.example.com?Replaces=a&replaces=b>", 400, 4320,
     "more than one Replaces"},
    {"replaces_empty", "<sip:+14155551234@in.sip.example.com?Replaces=>", 400, 4320, "Replaces"},
    {"header_injection", "<sip:+14155551234@in.sip.example.com?X-A=1%0d%0aRoute:%20x>", 400, 4320,
     "characters no header may have"},
    {"replaces_injection", "<sip:+14155551234@in.sip.example.com?Replaces=a%0aRoute:%20x>", 400, 4320,
     "characters no header may have"},
    {"name_injection", "<sip:+14155551234@in.sip.example.com?X-A%0d%0aRoute=x>", 400, 4320,
     "characters no header may have"},
    {"name_with_colon", "<sip:+14155551234@in.sip.example.com?X-A%3a=x>", 400, 4320,
     "characters no header may have"},
    {"long_header",
     "<sip:+14155551234@in.sip.example.com?X-A=" + std::string(limits::copied_header_bytes_max, 'a') + ">",
     400, 4320, "is longer than 1024 bytes"},
    {"many_headers",
     [] {
       std::string text = "<sip:+14155551234@in.sip.example.com?X-0=0";
       for (std::size_t i = 1; i <= limits::copied_headers_max; ++i) text += "&X-" + std::to_string(i) + "=1";
       return text + ">";
     }(),
     400, 4320, "more than 16"},

    // 403: hosts.
    {"foreign_host", "<sip:+14155551234@pbx.example.org>", 403, 4060,
     "host \"pbx.example.org\" is not a domain of this account; use sip:+E164@in.sip.example.com"},
    {"other_account", "<sip:+14155551234@theirs.sip.example.com>", 403, 4060,
     "is not a domain of this account"},
    {"suffix_alone", "<sip:+14155551234@sip.example.com>", 403, 4060, "is not a domain of this account"},
    {"domain_below", "<sip:+14155551234@x.in.sip.example.com>", 403, 4060, "is not a domain of this account"},
    {"domain_lengthened", "<sip:+14155551234@in.sip.example.com.evil.org>", 403, 4060, "is not a domain"},
    {"below_allowed_host", "<sip:+14155551234@x.hotline.example.net>", 403, 4060, "is not a domain"},
    {"public_address", "<sip:+14155551234@9.9.9.9>", 403, 4060, "is not a domain of this account"},
    {"maddr", "<sip:+14155551234@hotline.example.net;maddr=10.0.0.1>", 403, 4060, "maddr"},

    // 403: addresses that are never called, allow-list or not.
    {"private_10", "<sip:+14155551234@10.0.0.1>", 403, 4060, "private or reserved address"},
    {"private_172", "<sip:+14155551234@172.31.255.254>", 403, 4060, "private or reserved"},
    {"private_192", "<sip:+14155551234@192.168.1.1:5060>", 403, 4060, "private or reserved"},
    {"loopback", "<sip:+14155551234@127.0.0.1>", 403, 4060, "private or reserved"},
    {"link_local", "<sip:+14155551234@169.254.169.254>", 403, 4060, "private or reserved"},
    {"carrier_nat", "<sip:+14155551234@100.64.0.1>", 403, 4060, "private or reserved"},
    {"multicast", "<sip:+14155551234@224.0.1.75>", 403, 4060, "private or reserved"},
    {"broadcast", "<sip:+14155551234@255.255.255.255>", 403, 4060, "private or reserved"},
    {"unspecified", "<sip:+14155551234@0.0.0.0>", 403, 4060, "private or reserved"},
    {"loopback_v6", "<sip:+14155551234@[::1]>", 403, 4060, "private or reserved"},
    {"unspecified_v6", "<sip:+14155551234@[::]>", 403, 4060, "private or reserved"},
    {"unique_local", "<sip:+14155551234@[fd00::1]:5060>", 403, 4060, "private or reserved"},
    {"link_local_v6", "<sip:+14155551234@[fe80::1]>", 403, 4060, "private or reserved"},
    {"multicast_v6", "<sip:+14155551234@[ff02::1]>", 403, 4060, "private or reserved"},
    {"mapped", "<sip:+14155551234@[::ffff:10.0.0.1]>", 403, 4060, "private or reserved"},
    {"mapped_hex", "<sip:+14155551234@[::ffff:a00:1]>", 403, 4060, "private or reserved"},
    {"mapped_public", "<sip:+14155551234@[::ffff:8.8.8.8]>", 403, 4060, "private or reserved"},
    {"six_to_four", "<sip:+14155551234@[2002:a00:1::]>", 403, 4060, "private or reserved"},
    {"nat64", "<sip:+14155551234@[64:ff9b::10.0.0.1]>", 403, 4060, "private or reserved"},
    {"decimal", "<sip:+14155551234@3232235777>", 403, 4060, "\"3232235777\" is an IP address in disguise"},
    {"decimal_with_port", "<sip:+14155551234@3232235777:5060;transport=tcp>", 403, 4060, "in disguise"},
    {"decimal_unbracketed", "sip:+14155551234@3232235777", 403, 4060, "in disguise"},
    {"decimal_root_dot", "<sip:+14155551234@3232235777.>", 403, 4060, "in disguise"},
    {"hex", "<sip:+14155551234@0x7f000001>", 403, 4060, "in disguise"},
    {"hex_parts", "<sip:+14155551234@0x7f.0.0.0x1>", 403, 4060, "in disguise"},
    {"octal", "<sip:+14155551234@0177.0.0.01>", 403, 4060, "in disguise"},
    {"short_form", "<sip:+14155551234@127.1>", 403, 4060, "in disguise"},
    {"quad_root_dot", "<sip:+14155551234@127.0.0.1.>", 403, 4060, "in disguise"},
    {"zone", "<sip:+14155551234@[fe80::1%25eth0]>", 403, 4060, "in disguise"},
    {"localhost", "<sip:+14155551234@localhost>", 202, 0,
     "+14155551234"},  // allow-listed: refused when resolved

    // 403: where the account may call.
    {"blocked_country", "<sip:+5351234567@in.sip.example.com>", 403, 4560, "country CU"},
    {"blocked_country_tel", "<tel:+53-5123-4567>", 403, 4560, "country CU"},
    {"blocked_prefix", "<sip:+19005551234@in.sip.example.com>", 403, 4560, "blocked prefix +1900"},

    // What comes first is answered.
    {"method_before_number", "<sip:alice@in.sip.example.com;method=BYE>", 400, 4000, "method"},
    {"number_before_host", "<sip:alice@pbx.example.org>", 400, 4120, "not E.164"},
    {"number_before_private", "<sip:alice@10.0.0.1>", 400, 4120, "not E.164"},
    {"number_before_disguise", "<sip:alice@3232235777>", 400, 4120, "not E.164"},
    {"method_before_disguise", "<sip:+14155551234@3232235777;method=BYE>", 400, 4000, "method"},
    {"host_before_country", "<sip:+5351234567@pbx.example.org>", 403, 4060, "not a domain"},
};

INSTANTIATE_TEST_SUITE_P(ReferTo, ReferToTest, testing::ValuesIn(rows),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(ReferTo, MissingEmptyOrRepeatedHeader) {
  const Model model = make_model();
  const auto none = check_refer_to(model, model.trunks[0], refer_with(""));
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().status, 400);
  EXPECT_EQ(none.error().text, "Refer-To is missing; use sip:+E164@in.sip.example.com");
  const auto empty = check_refer_to(model, model.trunks[0], refer_with("Refer-To: \r\n"));
  ASSERT_FALSE(empty);
  EXPECT_EQ(empty.error().status, 400);
  const auto two = check_refer_to(model, model.trunks[0],
                                  refer_with("Refer-To: <sip:+14155551234@in.sip.example.com>\r\n"
                                             "r: <sip:+14155551234@in.sip.example.com>\r\n"));
  ASSERT_FALSE(two);
  EXPECT_EQ(two.error().status, 400);
  const auto second_is_empty =
      check_refer_to(model, model.trunks[0],
                     refer_with("Refer-To: <sip:+14155551234@in.sip.example.com>\r\nRefer-To: \r\n"));
  ASSERT_FALSE(second_is_empty);
  EXPECT_EQ(second_is_empty.error().status, 400);
}

TEST(ReferTo, CompactForm) {
  const Model model = make_model();
  EXPECT_TRUE(
      check_refer_to(model, model.trunks[0], refer_with("r: <sip:+14155551234@in.sip.example.com>\r\n")));
}

TEST(ReferTo, AllowListIsOfOneTrunk) {
  const Model model = make_model();
  const auto target = check_refer_to(model, model.trunks[1],
                                     refer_with("Refer-To: <sip:+14155551234@hotline.example.net>\r\n"));
  ASSERT_FALSE(target);
  EXPECT_EQ(target.error().status, 403);
}

TEST(ReferTo, ResolvesOnlyForeignHosts) {
  EXPECT_EQ(check("<sip:+14155551234@in.sip.example.com>")->resolve_host, "");
  EXPECT_EQ(check("<tel:+14155551234>")->resolve_host, "");
  EXPECT_EQ(check("<sip:+14155551234@Hotline.example.net.>")->resolve_host, "hotline.example.net");
  EXPECT_EQ(check("<sip:+14155551234@8.8.8.8>")->resolve_host, "8.8.8.8");
}

TEST(ReferTo, ReplacesIsUnescaped) {
  const auto target = check(
      "<sip:+14155551234@in.sip.example.com?Replaces=abc%40192.0.2.1%3Bto-tag%3D7743%3Bfrom-tag%3D6472"
      "&User-to-User=56a390f3%3Bencoding%3Dhex&X-Ticket=42&Subject=no&Route=%3Csip%3Aevil%3E&x-baton-hangup-"
      "code=1"
      "&X-=no>");
  ASSERT_TRUE(target) << target.error().text;
  EXPECT_EQ(target->replaces, "abc@192.0.2.1;to-tag=7743;from-tag=6472");
  ASSERT_EQ(target->headers.size(), 2U);
  EXPECT_EQ(target->headers[0].name, "User-to-User");
  EXPECT_EQ(target->headers[0].value, "56a390f3;encoding=hex");
  EXPECT_EQ(target->headers[1].name, "X-Ticket");
  EXPECT_EQ(target->headers[1].value, "42");
}

TEST(ReferTo, UriIsFitForARequestUri) {
  const auto target = check("<sip:+14155551234@hotline.example.net:5070;method=INVITE;transport=tcp?X-A=1>");
  ASSERT_TRUE(target) << target.error().text;
  EXPECT_EQ(target->uri.to_string(false), "sip:+14155551234@hotline.example.net:5070;transport=tcp");
}

TEST(ReferTo, BlindHasNoReplaces) {
  EXPECT_TRUE(check("<sip:+14155551234@in.sip.example.com>")->replaces.empty());
}

TEST(ReferTo, TextIsSafeToRepeat) {
  const auto target =
      check("<sip:+14155551234@in.sip.example.com;method=B%22%5c%0d%0a" + std::string(500, 'x') + ">");
  ASSERT_FALSE(target);
  for (const char c : target.error().text) EXPECT_TRUE(c >= ' ' && c <= '~') << static_cast<int>(c);
  EXPECT_EQ(std::count(target.error().text.begin(), target.error().text.end(), '"'), 2);
}

TEST(ReferTo, AccountThatIsGone) {
  Model model = make_model();
  model.accounts.clear();
  const auto target = check_refer_to(model, model.trunks[0],
                                     refer_with("Refer-To: <sip:+14155551234@in.sip.example.com>\r\n"));
  ASSERT_FALSE(target);
  EXPECT_EQ(target.error().status, 403);
}

TEST(DisguisedAddress, Forms) {
  for (const char* host : {"3232235777", "0x7f.1", "0177.0.0.1", "127.1", "1.2.3.4.", "256.1.1.1",
                           "1.2.3.4.5", "0x7F000001", "a.b.1", "[::1", "fe80::1%eth0", "::g"}) {
    EXPECT_TRUE(is_disguised_address(host)) << host;
  }
  for (const char* host : {"192.168.1.1", "[::1]", "::1", "example.com", "a", "1.example.com", "3com.example",
                           "", ".", "example.com."}) {
    EXPECT_FALSE(is_disguised_address(host)) << host;
  }
}

}  // namespace
}  // namespace baton::trunk
