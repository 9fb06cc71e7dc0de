#include "config/value.h"

#include <algorithm>
#include <utility>

// The library asserts about the text what only a well-formed file keeps, and checks it afterwards. With
// NDEBUG it even lets the compiler assume it. A mistake in a file must be reported, so neither may happen.
#undef NDEBUG
#define TOML_ASSERT(expression) static_cast<void>(0)
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

namespace baton::config {
namespace {

unsigned line_of(const toml::source_region& source) {
  return static_cast<unsigned>(source.begin.line);
}

Value convert(const toml::node& node);

Value convert_table(const toml::table& table) {
  Value out;
  for (const auto& [key, node] : table) {
    Value value = convert(node);
    // A key is where a reader looks; the place of a dotted table's value can be the line of another key.
    if (const unsigned line = line_of(key.source()); line != 0 && value.kind != Value::Kind::table)
      value.line = line;
    out.members.push_back({std::string(key.str()), std::move(value)});
  }
  return out;
}

Value convert(const toml::node& node) {
  Value out;
  switch (node.type()) {
    case toml::node_type::table:
      out = convert_table(*node.as_table());
      break;
    case toml::node_type::array:
      out.kind = Value::Kind::array;
      for (const toml::node& item : *node.as_array()) out.items.push_back(convert(item));
      break;
    case toml::node_type::string:
      out.kind = Value::Kind::text;
      out.text = node.as_string()->get();
      break;
    case toml::node_type::integer:
      out.kind = Value::Kind::integer;
      out.integer = node.as_integer()->get();
      break;
    case toml::node_type::boolean:
      out.kind = Value::Kind::boolean;
      out.boolean = node.as_boolean()->get();
      break;
    case toml::node_type::floating_point:
      out.kind = Value::Kind::real;
      break;
    default:
      out.kind = Value::Kind::date;
      break;
  }
  out.line = line_of(node.source());
  return out;
}

}  // namespace

const Value* Value::find(std::string_view name) const {
  const auto found = std::find_if(members.begin(), members.end(),
                                  [name](const Member& member) { return member.name == name; });
  return found == members.end() ? nullptr : &found->value;
}

std::string_view describe(Value::Kind kind) {
  switch (kind) {
    case Value::Kind::boolean:
      return "true or false";
    case Value::Kind::integer:
      return "a whole number";
    case Value::Kind::real:
      return "a number with a fraction";
    case Value::Kind::text:
      return "a string";
    case Value::Kind::date:
      return "a date or time";
    case Value::Kind::array:
      return "a list";
    case Value::Kind::table:
      return "a table";
  }
  return "a value";
}

Result<Value, Problem> read_toml(std::string_view toml, const std::string& file_name) {
  const toml::parse_result result = toml::parse(toml, file_name);
  if (!result) {
    Problem problem;
    problem.file = file_name;
    problem.line = line_of(result.error().source());
    problem.what = "this is not TOML: " + std::string(result.error().description());
    problem.remedy = "correct the line; nothing after it was looked at";
    return fail(std::move(problem));
  }
  return convert_table(result.table());
}

}  // namespace baton::config
