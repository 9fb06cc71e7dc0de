#include "config/profiles.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "config/config.h"

namespace baton::config {
namespace {

const std::string start = R"(
[server]
domain_suffix = "sip.example.com"
[[server.listen]]
transport = "udp"
bind = "192.0.2.1:5060"
[[account]]
id = "acme"
)";

std::string trunk(const std::string& more) {
  return "[[trunk]]\nid = \"out\"\naccount = \"acme\"\ndirection = \"outbound\"\nacl = [\"10.0.0.0/8\"]\n" +
         more + "\n";
}

trunk::Trunk read(const std::string& text) {
  auto config = parse(start + text, "baton.toml");
  if (!config) {
    for (const Problem& problem : config.error()) ADD_FAILURE() << problem.to_string();
    return {};
  }
  return config->model->trunks.front();
}

std::string first_problem(const std::string& text) {
  const auto config = parse(start + text, "baton.toml");
  return config || config.error().empty() ? "" : config.error().front().to_string();
}

TEST(Profiles, ATrunkSpeaksAsItsProfileSays) {
  const trunk::Trunk teams = read(trunk("profile = \"teams\""));
  EXPECT_TRUE(teams.transfer.early_bye_continues);
  EXPECT_EQ(teams.transfer.last_bye, trunk::LastBye::either);
  EXPECT_EQ(teams.identity.diversion, trunk::DiversionHeader::history_info);
  EXPECT_EQ(read(trunk("profile = \"libre\"")).sip.auth_algorithms.front(), sip::DigestAlgorithm::md5);
  EXPECT_FALSE(read(trunk("")).transfer.early_bye_continues);
}

TEST(Profiles, TheTrunkHasTheLastWord) {
  const trunk::Trunk one = read(trunk("profile = \"teams\"\n[trunk.transfer]\nlast_bye = \"server\""));
  EXPECT_EQ(one.transfer.last_bye, trunk::LastBye::server);
  EXPECT_TRUE(one.transfer.early_bye_continues);
}

TEST(Profiles, OnesOwnIsBasedOnAnother) {
  const trunk::Trunk one =
      read("[[profile]]\nid = \"ours\"\nbased_on = \"legacy\"\n[profile.transfer]\naccept_code = 200\n" +
           trunk("profile = \"ours\""));
  EXPECT_EQ(one.transfer.accept_code, 200);
  EXPECT_EQ(one.sip.session_expires, Duration{});
  EXPECT_EQ(one.identity.header, trunk::IdentityHeader::remote_party_id);
}

TEST(Profiles, ACarriersTrustIsNotAMatterOfItsProfile) {
  const auto config = parse(
      start + "[[carrier]]\nid = \"west\"\nprofile = \"sbc\"\nsources = [\"192.0.2.9\"]\n", "baton.toml");
  ASSERT_TRUE(config);
  const trunk::Carrier& carrier = config->model->carriers.front();
  EXPECT_EQ(carrier.identity.diversion, trunk::DiversionHeader::diversion);
  EXPECT_TRUE(carrier.identity.reveal_anonymous);
}

TEST(Profiles, MistakesSayWhatIsKnown) {
  EXPECT_NE(first_problem(trunk("profile = \"astrisk\"")).find("known here: generic, rfc7647, asterisk"),
            std::string::npos);
  EXPECT_NE(first_problem("[[profile]]\nid = \"teams\"\n").find("is the name of another profile"),
            std::string::npos);
  EXPECT_NE(first_problem("[[profile]]\nbased_on = \"teams\"\n").find("profile[0].id"), std::string::npos);
  EXPECT_NE(first_problem("[[profile]]\nid = \"x\"\n[profile.transfer]\nallowed_hosts = [\"a.example\"]\n")
                .find("unknown key"),
            std::string::npos);
}

TEST(Profiles, EachIsDocumented) {
  std::ifstream file(std::filesystem::path(__FILE__).parent_path() / "../../../docs/configuration.md");
  std::stringstream text;
  text << file.rdbuf();
  for (const Profile& profile : built_in_profiles()) {
    EXPECT_NE(text.str().find("| **" + profile.id + "** |"), std::string::npos) << profile.id;
  }
}

}  // namespace
}  // namespace baton::config
