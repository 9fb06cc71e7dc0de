// A TOML file as a plain tree with line numbers, so that nothing but value.cc needs the TOML library.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/config.h"

namespace baton::config {

struct Member;

struct Value {
  enum class Kind : std::uint8_t { boolean, integer, real, text, date, array, table };
  Kind kind = Kind::table;
  unsigned line = 0;
  bool boolean = false;
  std::int64_t integer = 0;
  std::string text;
  std::vector<Value> items;     // of an array
  std::vector<Member> members;  // of a table, by name

  // Null when this is no table or has no such member.
  [[nodiscard]] const Value* find(std::string_view name) const;
};

struct Member {
  std::string name;
  Value value;
};

[[nodiscard]] std::string_view describe(Value::Kind kind);  // "a string"

// The whole document as a table. The parser of the language stops at the first mistake.
[[nodiscard]] Result<Value, Problem> read_toml(std::string_view toml, const std::string& file_name);

}  // namespace baton::config
