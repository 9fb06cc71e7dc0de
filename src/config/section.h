// One table of the file while it is read: each getter answers a value or a default and writes down what is
// wrong.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/convert.h"
#include "config/value.h"

namespace baton::config {

class Problems {
 public:
  explicit Problems(std::string file) : file_(std::move(file)) {}

  void add(unsigned line, std::string key, std::string what, std::string remedy) {
    all_.push_back({file_, line, std::move(key), std::move(what), std::move(remedy)});
  }
  [[nodiscard]] bool empty() const { return all_.empty(); }
  // In the order of the file.
  [[nodiscard]] std::vector<Problem> take() &&;

 private:
  std::string file_;
  std::vector<Problem> all_;
};

// Points into the value tree and the problems, which outlive it. Keys are checked against schema.h: asking
// for one that is not there is a mistake of ours.
class Section {
 public:
  // The whole file.
  Section(Problems& problems, const Value& file);

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] unsigned line() const { return line_; }
  [[nodiscard]] bool has(std::string_view key) const { return find(key) != nullptr; }

  // False also for an empty list.
  [[nodiscard]] bool has_items(std::string_view key) const;

  // Writes down a mistake at a key, at one item of its list, or (empty key) at the section.
  void problem(std::string_view key, std::string what, std::string remedy) const;
  void problem(std::string_view key, std::size_t item, std::string what, std::string remedy) const;
  void require(std::string_view key, std::string remedy) const;

  [[nodiscard]] bool boolean(std::string_view key, bool otherwise) const;
  [[nodiscard]] std::int64_t integer(std::string_view key, std::int64_t low, std::int64_t high,
                                     std::int64_t otherwise) const;
  [[nodiscard]] Duration duration(std::string_view key, Duration low, Duration high,
                                  Duration otherwise) const;

  template <typename T>
  [[nodiscard]] std::optional<T> value(std::string_view key,
                                       Converted<T> (*convert)(const std::string&)) const {
    const Value* found = of_kind(key, Value::Kind::text);
    if (found == nullptr) return std::nullopt;
    auto converted = convert(found->text);
    if (converted) return std::move(*converted);
    problem(key, converted.error().what, converted.error().remedy);
    return std::nullopt;
  }

  template <typename T>
  [[nodiscard]] T value_or(std::string_view key, Converted<T> (*convert)(const std::string&),
                           T otherwise) const {
    auto found = value(key, convert);
    return found ? std::move(*found) : std::move(otherwise);
  }

  // The good items of a list of strings; equal ones are reported.
  template <typename T>
  [[nodiscard]] std::vector<T> values(std::string_view key,
                                      Converted<T> (*convert)(const std::string&)) const {
    std::vector<T> all;
    const Value* found = of_kind(key, Value::Kind::array);
    for (std::size_t i = 0; found != nullptr && i < found->items.size(); ++i) {
      const Value& item = found->items[i];
      if (item.kind != Value::Kind::text) {
        wrong_kind(key, i, item, Value::Kind::text);
        continue;
      }
      auto converted = convert(item.text);
      if (!converted) {
        problem(key, i, converted.error().what, converted.error().remedy);
      } else if (std::find(all.begin(), all.end(), *converted) != all.end()) {
        problem(key, i, shown(item.text) + " stands in the list twice", "remove one of them");
      } else {
        all.push_back(std::move(*converted));
      }
    }
    return all;
  }

  // A table inside; empty when it is not there.
  [[nodiscard]] Section table(std::string_view key) const;
  // The tables of [[key]].
  [[nodiscard]] std::vector<Section> tables(std::string_view key) const;

 private:
  Section(Problems& problems, const Value* value, std::string path, std::string schema_path, unsigned line);

  [[nodiscard]] const Value* find(std::string_view key) const;
  [[nodiscard]] const Value* of_kind(std::string_view key, Value::Kind kind) const;
  void wrong_kind(std::string_view key, std::optional<std::size_t> item, const Value& found,
                  Value::Kind wanted) const;
  void report_unknown_keys() const;

  Problems* problems_;
  const Value* value_;       // null: not in the file
  std::string path_;         // "trunk[2].transfer"
  std::string schema_path_;  // "trunk.transfer"
  unsigned line_;
};

}  // namespace baton::config
