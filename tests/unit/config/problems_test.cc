// How mistakes are told of.
#include <utility>

#include "unit/config/config_testing.h"

namespace baton::config::testing {
namespace {

TEST(Config, AllMistakesInOnePassInTheOrderOfTheFile) {
  const std::string toml = R"([server]
domain_suffix = "sip.example.com"
[[server.listen]]
transport = "udp"
bind = "192.0.2.1:5060"
[[trunk]]
id = "t"
account = "nobody"
direction = "inbound"
primary = "pbx.example.com"
colour = "red"
[trunk.transfer]
depth_max = 0
[[number]]
e164 = "12"
trunk = "u"
[log]
level = "shout"
)";
  const auto all = problems(toml);
  std::vector<std::pair<unsigned, std::string>> found;
  for (const Problem& one : all) found.emplace_back(one.line, one.key);
  const std::vector<std::pair<unsigned, std::string>> expected = {
      {8, "trunk[0].account"}, {10, "trunk[0].primary"},
      {11, "trunk[0].colour"}, {13, "trunk[0].transfer.depth_max"},
      {15, "number[0].e164"},  {16, "number[0].trunk"},
      {18, "log.level"}};
  EXPECT_EQ(found, expected) << problem(toml);
}

TEST(Config, LinesOfItemsAndOfMissingKeys) {
  const auto all = problems(
      listener + "[[carrier]]\nid = 'c'\nsources = [\n  '10.0.0.1',\n  'x',\n]\n[[account]]\nname='n'\n");
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].line, 11U);  // the item's own line
  EXPECT_EQ(all[1].line, 13U);  // the section's, for want of a better one
}

TEST(Config, ProblemText) {
  EXPECT_EQ(
      problem(listener + "[log]\nlevel='loud'\n"),
      R"(baton.toml:8: log.level: "loud" is not known; write one of "debug", "info", "warning", "error")");
}

TEST(Config, PasswordsAreNotShown) {
  const std::string text = problem(listener + account + outbound +
                                   "credentials=[{username='u',password=\"secret\\u0001word\"}]\n");
  EXPECT_FALSE(contains(text, "secret")) << text;
}

TEST(Config, LongAndBinaryTextIsShownInPart) {
  const std::string text =
      problem(listener + "[log]\nlevel=\"\\u0000\\n" + std::string(10'000, 'x') + "\"\n");
  EXPECT_LT(text.size(), 300U);
  EXPECT_EQ(text.find('\n'), std::string::npos);
  EXPECT_EQ(text.find('\0'), std::string::npos);
}

TEST(Config, FilesThatCanNotBeRead) {
  const auto missing = load("/nonexistent/baton.toml");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error()[0].to_string(),
            "/nonexistent/baton.toml: the file can not be opened; check that it is there and may be read");
  const auto folder = load("/");
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error()[0].line, 0U);
}

}  // namespace
}  // namespace baton::config::testing
