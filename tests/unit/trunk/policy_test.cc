#include "trunk/policy.h"

#include <gtest/gtest.h>

namespace baton::trunk {
namespace {

class TestPlan : public NumberPlan {
 public:
  [[nodiscard]] std::string country_of(std::string_view e164) const override {
    if (e164.starts_with("+1")) return "US";
    if (e164.starts_with("+44")) return "GB";
    return "";
  }
};

Model with_plan() {
  Model model;
  model.number_plan = std::make_shared<TestPlan>();
  return model;
}

bool may_call(const GeoPermissions& geo, std::string_view number, const Model& model = with_plan()) {
  Account account;
  account.geo = geo;
  const auto answer = check_geo(model, account, number);
  if (!answer) {
    EXPECT_EQ(answer.error().status, 403);
    EXPECT_EQ(answer.error().hangup_code, 4560);
    EXPECT_NE(answer.error().text.find(number), std::string::npos) << answer.error().text;
    EXPECT_NE(answer.error().text.find("geo permissions"), std::string::npos) << answer.error().text;
  }
  return answer.has_value();
}

TEST(Geo, EverythingByDefault) {
  EXPECT_TRUE(may_call({}, "+14155551234"));
  EXPECT_TRUE(may_call({}, "+88212345678"));
  EXPECT_TRUE(may_call({}, "+14155551234", Model()));
}

TEST(Geo, BlockedCountry) {
  GeoPermissions geo;
  geo.blocked_countries = {"GB"};
  EXPECT_FALSE(may_call(geo, "+442079460100"));
  EXPECT_TRUE(may_call(geo, "+14155551234"));
  EXPECT_TRUE(may_call(geo, "+88212345678"));  // of no country
}

TEST(Geo, OnlyAllowedCountries) {
  GeoPermissions geo;
  geo.allow_all = false;
  geo.allowed_countries = {"US"};
  EXPECT_TRUE(may_call(geo, "+14155551234"));
  EXPECT_FALSE(may_call(geo, "+442079460100"));
  EXPECT_FALSE(may_call(geo, "+88212345678"));
  geo.allowed_countries.clear();
  EXPECT_FALSE(may_call(geo, "+14155551234"));
}

TEST(Geo, BlockedWinsOverAllowedCountry) {
  GeoPermissions geo;
  geo.allow_all = false;
  geo.allowed_countries = {"US"};
  geo.blocked_countries = {"US"};
  EXPECT_FALSE(may_call(geo, "+14155551234"));
}

TEST(Geo, LongestPrefixOfBothListsDecides) {
  GeoPermissions geo;
  geo.blocked_countries = {"GB"};
  geo.blocked_prefixes = {"+1900", "+190055512"};
  geo.allowed_prefixes = {"+1900555", "+4420"};
  EXPECT_FALSE(may_call(geo, "+19001234567"));
  EXPECT_TRUE(may_call(geo, "+19005550000"));
  EXPECT_FALSE(may_call(geo, "+19005551234"));
  EXPECT_TRUE(may_call(geo, "+442079460100"));  // the prefix goes before the country
  EXPECT_FALSE(may_call(geo, "+441179460100"));
}

TEST(Geo, SamePrefixInBothListsIsBlocked) {
  GeoPermissions geo;
  geo.blocked_prefixes = {"+1900"};
  geo.allowed_prefixes = {"+1900"};
  EXPECT_FALSE(may_call(geo, "+19001234567"));
}

TEST(Geo, CountriesNeedANumberPlan) {
  GeoPermissions geo;
  geo.blocked_countries = {"GB"};
  geo.allowed_prefixes = {"+1"};
  EXPECT_FALSE(may_call(geo, "+442079460100", Model()));
  EXPECT_TRUE(may_call(geo, "+14155551234", Model()));
}

// --- routes
// ------------------------------------------------------------------------------------------------------

Carrier make_carrier(const std::string& id, std::vector<std::string> gateways,
                     std::vector<std::string> prefixes, int priority = 0) {
  Carrier carrier;
  carrier.id = id;
  for (std::string& host : gateways) {
    Uri uri;
    uri.host = std::move(host);
    carrier.gateways.push_back(uri);
  }
  carrier.prefixes = std::move(prefixes);
  carrier.priority = priority;
  return carrier;
}

std::string hosts(const std::vector<Route>& routes) {
  std::string all;
  for (const Route& route : routes) all += (all.empty() ? "" : " ") + route.uri.host;
  return all;
}

TEST(Routes, LongestPrefixThenPriorityThenOrder) {
  Model model;
  model.carriers = {make_carrier("any", {"any"}, {}),
                    make_carrier("late", {"late"}, {"+44"}, 5),
                    make_carrier("early", {"early1", "early2"}, {"+44"}, 1),
                    make_carrier("london", {"london"}, {"+4420"}, 9),
                    make_carrier("early_too", {"early3"}, {"+44"}, 1),
                    make_carrier("us", {"us"}, {"+1"}),
                    make_carrier("no_gateway", {}, {"+44"})};
  EXPECT_EQ(hosts(routes_to(model, "+442079460100")), "london early1 early2 early3 late any");
  EXPECT_EQ(hosts(routes_to(model, "+441179460100")), "early1 early2 early3 late any");
  EXPECT_EQ(hosts(routes_to(model, "+4915112345678")), "any");
  model.build_indexes();
  EXPECT_EQ(hosts(routes_to(model, "+442079460100")), "london early1 early2 early3 late any");
}

TEST(Routes, CarryWhatTheLegNeeds) {
  Model model;
  model.carriers = {make_carrier("c", {"gw"}, {})};
  model.carriers[0].strip_plus = true;
  model.carriers[0].rate_per_minute_micros = 8'500;
  model.carriers[0].gateways[0].auth_username = "me";
  const auto routes = routes_to(model, "+14155551234");
  ASSERT_EQ(routes.size(), 1U);
  EXPECT_EQ(routes[0].carrier_id, "c");
  EXPECT_EQ(routes[0].trunk_id, "");
  EXPECT_TRUE(routes[0].strip_plus);
  EXPECT_EQ(routes[0].rate_per_minute_micros, 8'500);
  EXPECT_EQ(routes[0].uri.auth_username, "me");
}

TEST(Routes, NoCarrierNoRoute) {
  EXPECT_TRUE(routes_to(Model(), "+14155551234").empty());
}

class OwnNumber : public testing::Test {
 protected:
  OwnNumber() {
    Trunk trunk;
    trunk.id = "in";
    trunk.primary = Uri{"", "primary", 0, Transport::udp, "", ""};
    trunk.fallback = Uri{"", "fallback", 0, Transport::udp, "", ""};
    model_.trunks = {trunk};
    model_.numbers = {{"+14155550100", "acme", "in"}};
    model_.carriers = {make_carrier("c", {"gw"}, {})};
  }
  Model model_;
};

TEST_F(OwnNumber, StaysHere) {
  const auto routes = routes_to(model_, "+14155550100");
  EXPECT_EQ(hosts(routes), "primary fallback");
  EXPECT_EQ(routes[0].trunk_id, "in");
  EXPECT_EQ(routes[0].carrier_id, "");
  EXPECT_EQ(hosts(routes_to(model_, "+14155550101")), "gw");
}

TEST_F(OwnNumber, WithoutFallback) {
  model_.trunks[0].fallback.reset();
  EXPECT_EQ(hosts(routes_to(model_, "+14155550100")), "primary");
}

TEST_F(OwnNumber, IsNeverSentOut) {
  model_.trunks[0].enabled = false;
  EXPECT_TRUE(routes_to(model_, "+14155550100").empty());
  model_.trunks[0].enabled = true;
  model_.trunks[0].direction = TrunkDirection::outbound;
  EXPECT_TRUE(routes_to(model_, "+14155550100").empty());
  model_.trunks.clear();
  EXPECT_TRUE(routes_to(model_, "+14155550100").empty());
}

}  // namespace
}  // namespace baton::trunk
