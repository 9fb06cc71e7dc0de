// The encoding of rtpengine's ng protocol: integers, strings, lists and dictionaries, as BitTorrent's BEP 3
// defines them. Reading takes keys in any order, as rtpengine writes them; writing sorts them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"

namespace baton::media::rtpengine {

class Value;
using List = std::vector<Value>;
using Dictionary = std::map<std::string, Value, std::less<>>;

class Value {
 public:
  Value() = default;
  Value(std::int64_t integer) : value_(integer) {}
  Value(std::string text) : value_(std::move(text)) {}
  Value(std::string_view text) : value_(std::string(text)) {}
  Value(const char* text) : value_(std::string(text)) {}
  Value(List list) : value_(std::move(list)) {}
  Value(Dictionary dictionary) : value_(std::move(dictionary)) {}

  // Null where it is something else.
  [[nodiscard]] const std::int64_t* integer() const { return std::get_if<std::int64_t>(&value_); }
  [[nodiscard]] const std::string* text() const { return std::get_if<std::string>(&value_); }
  [[nodiscard]] const List* list() const { return std::get_if<List>(&value_); }
  [[nodiscard]] const Dictionary* dictionary() const { return std::get_if<Dictionary>(&value_); }

  bool operator==(const Value&) const = default;

 private:
  std::variant<std::int64_t, std::string, List, Dictionary> value_;
};

// What is under `key`, when it is a string or an integer; empty or 0 otherwise.
[[nodiscard]] std::string_view text_of(const Dictionary& dictionary, std::string_view key);
[[nodiscard]] std::int64_t integer_of(const Dictionary& dictionary, std::string_view key);

[[nodiscard]] std::string encode(const Value& value);
[[nodiscard]] std::string encode(const Dictionary& dictionary);

inline constexpr unsigned bencode_depth_max = 24;
// One value and nothing after it; otherwise what is wrong, and where. What it takes is bounded by the length
// of the text, never by a number in it.
[[nodiscard]] baton::Result<Value, std::string> decode(std::string_view text);

}  // namespace baton::media::rtpengine
