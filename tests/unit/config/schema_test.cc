#include "config/schema.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

namespace baton::config {
namespace {

const std::filesystem::path root = std::filesystem::path(__FILE__).parent_path() / "../../..";

// The text of docs/configuration.md under each "## `[section]`".
std::map<std::string, std::string> documented_sections() {
  std::ifstream file(root / "docs/configuration.md");
  EXPECT_TRUE(file.good());
  std::map<std::string, std::string> sections;
  std::string line, current;
  while (std::getline(file, line)) {
    if (line.starts_with("## ")) {
      const auto open = line.find('['), close = line.rfind(']');
      current = open == std::string::npos ? "" : line.substr(open, close - open + 1);
      std::erase_if(current, [](char c) { return c == '[' || c == ']'; });
    }
    sections[current] += line + '\n';
  }
  return sections;
}

TEST(Schema, EveryKeyIsDocumentedInItsSection) {
  const auto sections = documented_sections();
  for (const SectionSchema& section : schema()) {
    const std::string path(section.path);
    for (const std::string_view key : section.keys) {
      const std::string inner = path.empty() ? std::string(key) : path + '.' + std::string(key);
      const bool is_section =
          std::any_of(schema().begin(), schema().end(), [&](const auto& s) { return s.path == inner; });
      if (is_section) {
        EXPECT_TRUE(sections.contains(inner)) << "docs/configuration.md has no section [" << inner << "]";
        continue;
      }
      ASSERT_TRUE(sections.contains(path)) << path;
      EXPECT_NE(sections.at(path).find("| `" + std::string(key) + "` |"), std::string::npos)
          << "docs/configuration.md does not explain " << inner;
    }
  }
}

TEST(Schema, EveryDocumentedKeyExists) {
  for (const auto& [path, text] : documented_sections()) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      if (!line.starts_with("| `")) continue;
      const std::string key = line.substr(3, line.find('`', 3) - 3);
      EXPECT_TRUE(knows_key(path, key)) << path << " has no " << key;
    }
  }
}

TEST(Schema, Suggestions) {
  EXPECT_EQ(suggest_key("log", "levl"), "did you mean \"level\"?");
  EXPECT_EQ(suggest_key("trunk", "creds"), suggest_key("trunk", "creds"));
  EXPECT_EQ(suggest_key("trunk", "fallbak"), "did you mean \"fallback\"?");
  EXPECT_EQ(suggest_key("account", "port_min"), "\"port_min\" belongs to the section \"media\"");
  EXPECT_EQ(suggest_key("number", "zzz"), "remove it; known here: e164 trunk record");
  EXPECT_EQ(suggest_key("number", std::string(100'000, 'x')), "remove it; known here: e164 trunk record");
  EXPECT_EQ(suggest_key("no.such.section", "x"), "remove it");
}

}  // namespace
}  // namespace baton::config
