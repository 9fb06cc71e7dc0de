#include "config/section.h"

#include <algorithm>
#include <tuple>

#include "base/assert.h"
#include "config/schema.h"

namespace baton::config {
namespace {

std::string join(const std::string& path, std::string_view key) {
  if (path.empty() || key.empty()) return path + std::string(key);
  return path + '.' + std::string(key);
}

std::string_view how_to_write(Value::Kind kind) {
  switch (kind) {
    case Value::Kind::boolean:
      return "write true or false, without quotes";
    case Value::Kind::integer:
      return "write a whole number, without quotes";
    case Value::Kind::text:
      return "write a string, in quotes";
    case Value::Kind::array:
      return "write a list, in [ ]";
    case Value::Kind::table:
      return "write a table with its keys";
    case Value::Kind::real:
    case Value::Kind::date:
      break;
  }
  return "write another kind of value";
}

}  // namespace

std::vector<Problem> Problems::take() && {
  // A table that is looked at twice reports its unknown keys twice.
  const auto order = [](const Problem& p) { return std::tie(p.line, p.key, p.what); };
  std::sort(all_.begin(), all_.end(),
            [&](const Problem& a, const Problem& b) { return order(a) < order(b); });
  all_.erase(std::unique(all_.begin(), all_.end(),
                         [&](const Problem& a, const Problem& b) { return order(a) == order(b); }),
             all_.end());
  return std::move(all_);
}

Section::Section(Problems& problems, const Value& file) : Section(problems, &file, "", "", 0) {}

Section::Section(Problems& problems, const Value* value, std::string path, std::string schema_path,
                 unsigned line)
    : problems_(&problems),
      value_(value),
      path_(std::move(path)),
      schema_path_(std::move(schema_path)),
      line_(line) {
  report_unknown_keys();
}

void Section::report_unknown_keys() const {
  if (value_ == nullptr) return;
  for (const Member& member : value_->members) {
    if (knows_key(schema_path_, member.name)) continue;
    problems_->add(member.value.line, join(path_, member.name), "unknown key",
                   suggest_key(schema_path_, member.name));
  }
}

const Value* Section::find(std::string_view key) const {
  BATON_ASSERT(knows_key(schema_path_, key));
  return value_ == nullptr ? nullptr : value_->find(key);
}

const Value* Section::of_kind(std::string_view key, Value::Kind kind) const {
  const Value* found = find(key);
  if (found == nullptr || found->kind == kind) return found;
  wrong_kind(key, std::nullopt, *found, kind);
  return nullptr;
}

void Section::wrong_kind(std::string_view key, std::optional<std::size_t> item, const Value& found,
                         Value::Kind wanted) const {
  std::string what =
      "this is " + std::string(describe(found.kind)) + ", not " + std::string(describe(wanted));
  std::string remedy(how_to_write(wanted));
  if (item) {
    problem(key, *item, std::move(what), std::move(remedy));
  } else {
    problem(key, std::move(what), std::move(remedy));
  }
}

void Section::problem(std::string_view key, std::string what, std::string remedy) const {
  const Value* found = key.empty() ? nullptr : find(key);
  problems_->add(found == nullptr ? line_ : found->line, join(path_, key), std::move(what),
                 std::move(remedy));
}

void Section::problem(std::string_view key, std::size_t item, std::string what, std::string remedy) const {
  const Value* found = find(key);
  const bool there = found != nullptr && item < found->items.size();
  problems_->add(there ? found->items[item].line : line_, join(path_, key) + '[' + std::to_string(item) + ']',
                 std::move(what), std::move(remedy));
}

void Section::require(std::string_view key, std::string remedy) const {
  if (!has(key)) problem(key, "this key is missing", std::move(remedy));
}

bool Section::has_items(std::string_view key) const {
  const Value* found = find(key);
  return found != nullptr && !(found->kind == Value::Kind::array && found->items.empty());
}

bool Section::boolean(std::string_view key, bool otherwise) const {
  const Value* found = of_kind(key, Value::Kind::boolean);
  return found == nullptr ? otherwise : found->boolean;
}

std::int64_t Section::integer(std::string_view key, std::int64_t low, std::int64_t high,
                              std::int64_t otherwise) const {
  const Value* found = of_kind(key, Value::Kind::integer);
  if (found == nullptr) return otherwise;
  if (found->integer >= low && found->integer <= high) return found->integer;
  problem(key, std::to_string(found->integer) + " is out of range",
          "write a number from " + std::to_string(low) + " to " + std::to_string(high));
  return otherwise;
}

Duration Section::duration(std::string_view key, Duration low, Duration high, Duration otherwise) const {
  const auto found = value(key, to_duration);
  if (!found) return otherwise;
  if (*found >= low && *found <= high) return *found;
  problem(key, shown(write_duration(*found)) + " is out of range",
          "write a duration from " + shown(write_duration(low)) + " to " + shown(write_duration(high)));
  return otherwise;
}

Section Section::table(std::string_view key) const {
  const Value* found = of_kind(key, Value::Kind::table);
  return {*problems_, found, join(path_, key), join(schema_path_, key),
          found == nullptr ? line_ : found->line};
}

std::vector<Section> Section::tables(std::string_view key) const {
  std::vector<Section> all;
  const Value* found = find(key);
  if (found == nullptr) return all;
  if (found->kind != Value::Kind::array) {
    problem(key, "this is " + std::string(describe(found->kind)) + ", but there may be several of it",
            "write [[" + join(schema_path_, key) + "]] for each one");
    return all;
  }
  for (std::size_t i = 0; i < found->items.size(); ++i) {
    const Value& item = found->items[i];
    if (item.kind != Value::Kind::table) {
      wrong_kind(key, i, item, Value::Kind::table);
      continue;
    }
    all.push_back(Section(*problems_, &item, join(path_, key) + '[' + std::to_string(i) + ']',
                          join(schema_path_, key), item.line));
  }
  return all;
}

}  // namespace baton::config
