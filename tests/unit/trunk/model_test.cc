#include "trunk/model.h"

#include <gtest/gtest.h>

#include "base/rng.h"

namespace baton::trunk {
namespace {

Trunk make_trunk(const std::string& id) {
  Trunk trunk;
  trunk.id = id;
  trunk.account_id = "acme";
  trunk.domain = id + ".sip.example.com";
  return trunk;
}

Carrier make_carrier(const std::string& id, std::vector<std::string> sources,
                     std::vector<std::string> prefixes = {}) {
  Carrier carrier;
  carrier.id = id;
  carrier.prefixes = std::move(prefixes);
  for (const std::string& source : sources) carrier.sources.push_back(*IpNetwork::parse(source));
  return carrier;
}

class ModelTest : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    model_.accounts.resize(2);
    model_.accounts[0].id = "acme";
    model_.accounts[1].id = "other";
    model_.trunks = {make_trunk("in"), make_trunk("out")};
    model_.numbers = {{"+14155550100", "acme", "in"}, {"+14155550101", "acme", "in"}};
    model_.carriers = {make_carrier("wide", {"192.0.2.0/24"}),
                       make_carrier("narrow", {"192.0.2.8/29", "2001:db8::/32"})};
    if (GetParam()) model_.build_indexes();
  }
  Model model_;
};

TEST_P(ModelTest, FindsAndDoesNotFind) {
  EXPECT_EQ(model_.account("other"), &model_.accounts[1]);
  EXPECT_EQ(model_.account("nobody"), nullptr);
  EXPECT_EQ(model_.account(""), nullptr);
  EXPECT_EQ(model_.trunk("out"), &model_.trunks[1]);
  EXPECT_EQ(model_.trunk("OUT"), nullptr);
  EXPECT_EQ(model_.number("+14155550101"), &model_.numbers[1]);
  EXPECT_EQ(model_.number("14155550101"), nullptr);
  EXPECT_EQ(model_.carrier("narrow"), &model_.carriers[1]);
  EXPECT_EQ(model_.carrier("none"), nullptr);
}

TEST_P(ModelTest, DomainsInAnyCaseAndWithRootDot) {
  EXPECT_EQ(model_.trunk_by_domain("in.sip.example.com"), &model_.trunks[0]);
  EXPECT_EQ(model_.trunk_by_domain("OUT.Sip.Example.Com"), &model_.trunks[1]);
  EXPECT_EQ(model_.trunk_by_domain("in.sip.example.com."), &model_.trunks[0]);
  EXPECT_EQ(model_.trunk_by_domain("in.sip.example.com.."), nullptr);
  EXPECT_EQ(model_.trunk_by_domain("sip.example.com"), nullptr);
  EXPECT_EQ(model_.trunk_by_domain("."), nullptr);
  EXPECT_EQ(model_.trunk_by_domain(""), nullptr);
}

TEST_P(ModelTest, CarrierOfASource) {
  EXPECT_EQ(model_.carrier_by_source(*IpAddress::parse("192.0.2.1")), &model_.carriers[0]);
  EXPECT_EQ(model_.carrier_by_source(*IpAddress::parse("192.0.2.9")),
            &model_.carriers[1]);  // the narrower network
  EXPECT_EQ(model_.carrier_by_source(*IpAddress::parse("2001:db8::9")), &model_.carriers[1]);
  EXPECT_EQ(model_.carrier_by_source(*IpAddress::parse("::ffff:192.0.2.9")), &model_.carriers[1]);
  EXPECT_EQ(model_.carrier_by_source(*IpAddress::parse("198.51.100.1")), nullptr);
}

TEST_P(ModelTest, CopiesAnswerForThemselves) {
  const Model copy = model_;
  EXPECT_EQ(copy.trunk("in"), &copy.trunks[0]);
  EXPECT_EQ(copy.number("+14155550100"), &copy.numbers[0]);
}

TEST_P(ModelTest, GrowingAfterwardsIsSeen) {
  model_.numbers.push_back({"+442079460100", "acme", "in"});
  EXPECT_EQ(model_.number("+442079460100"), &model_.numbers[2]);
  model_.trunks.erase(model_.trunks.begin());
  EXPECT_EQ(model_.trunk("in"), nullptr);
  EXPECT_EQ(model_.trunk("out"), &model_.trunks[0]);
}

TEST_P(ModelTest, WithoutNumberPlanNoCountry) {
  EXPECT_EQ(model_.country_of("+14155550100"), "");
}

INSTANTIATE_TEST_SUITE_P(Model, ModelTest, testing::Bool(),
                         [](const auto& row) { return row.param ? "indexed" : "plain"; });

TEST(Model, PrefixesGiveTheSameWithAndWithoutIndexes) {
  Rng rng(7);
  for (int round = 0; round < 200; ++round) {
    Model plain;
    for (std::uint64_t i = rng.below(6); i > 0; --i) {
      Carrier carrier = make_carrier("c" + std::to_string(i), {});
      for (std::uint64_t j = rng.below(5); j > 0; --j) {
        std::string prefix = "+";
        for (std::uint64_t k = rng.below(4); k > 0; --k) prefix += static_cast<char>('1' + rng.below(3));
        carrier.prefixes.push_back(prefix);
      }
      plain.carriers.push_back(std::move(carrier));
    }
    Model indexed = plain;
    indexed.build_indexes();
    std::string number = "+";
    for (int k = 0; k < 9; ++k) number += static_cast<char>('1' + rng.below(3));
    const auto a = plain.carriers_for(number);
    const auto b = indexed.carriers_for(number);
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
      EXPECT_EQ(a[i].carrier->id, b[i].carrier->id);
      EXPECT_EQ(a[i].length, b[i].length);
    }
  }
}

TEST(Model, ManyNumbers) {
  Model model;
  for (int i = 0; i < 50'000; ++i)
    model.numbers.push_back({"+1" + std::to_string(4'000'000'000 + i), "acme", "in"});
  model.build_indexes();
  for (int i = 0; i < 50'000; ++i) {
    ASSERT_EQ(model.number("+1" + std::to_string(4'000'000'000 + i)),
              &model.numbers[static_cast<std::size_t>(i)]);
  }
}

}  // namespace
}  // namespace baton::trunk
