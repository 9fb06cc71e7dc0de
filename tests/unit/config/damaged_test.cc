#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/rng.h"
#include "config/config.h"

namespace baton::config {
namespace {

const std::filesystem::path root = std::filesystem::path(__FILE__).parent_path() / "../../..";

TEST(Config, HostileFilesAreRefusedNotCrashedOn) {
  EXPECT_FALSE(parse(std::string(100'000, '['), "x"));
  EXPECT_FALSE(parse("a = " + std::string(100'000, '['), "x"));
  EXPECT_FALSE(parse(std::string("\0\xff\xfe", 3), "x"));
  EXPECT_FALSE(parse("", "x"));
}

// Whatever an editor leaves behind: no crash, and never a refusal that says nothing.
TEST(Config, DamagedFiles) {
  std::ifstream file(root / "baton.example.toml");
  const std::string whole((std::istreambuf_iterator<char>(file)), {});
  ASSERT_FALSE(whole.empty());
  static constexpr std::string_view bits = "[]{}=\"'#.,\n\\+-0x\xff";
  Rng rng(5);
  for (int round = 0; round < 1500; ++round) {
    std::string toml = whole;
    for (std::uint64_t i = rng.below(4) + 1; i > 0; --i) {
      const std::size_t at = rng.below(toml.size());
      switch (rng.below(4)) {
        case 0:
          toml.erase(at, rng.below(40));
          break;
        case 1:
          toml[at] = bits[rng.below(bits.size())];
          break;
        case 2:
          toml.insert(at, 1, bits[rng.below(bits.size())]);
          break;
        default:
          toml.insert(at, toml.substr(rng.below(toml.size()), rng.below(60)));
          break;
      }
    }
    const auto config = parse(toml, "damaged.toml");
    if (config) continue;
    ASSERT_FALSE(config.error().empty());
    for (const Problem& one : config.error()) {
      ASSERT_FALSE(one.what.empty() || one.remedy.empty()) << one.to_string();
    }
  }
}

}  // namespace
}  // namespace baton::config
