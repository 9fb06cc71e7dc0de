// Every section and key there is. What is not here is a mistake; what is here stands in
// docs/configuration.md.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace baton::config {

struct SectionSchema {
  std::string_view path;  // "trunk.transfer"; "" is the file itself
  std::span<const std::string_view> keys;
};

[[nodiscard]] std::span<const SectionSchema> schema();
[[nodiscard]] bool knows_key(std::string_view path, std::string_view key);

// What whoever wrote an unknown key should have written: the nearest key of that section, else the section
// that has such a key, else all that may stand there.
[[nodiscard]] std::string suggest_key(std::string_view path, std::string_view unknown);

}  // namespace baton::config
