#include "sip/dialog_id.h"

#include "sip/text.h"

namespace baton::sip {
namespace {

using text::bad;
using text::Chars;

struct TagNames {
  std::string_view to, from;
};

// RFC 3261 25.1: a Call-ID may hold quotes, brackets, colons and question marks, but no ";" and no ",".
bool is_call_id(std::string_view text) {
  return !text.empty() && text::all(text, Chars::visible) && text.find(',') == std::string_view::npos;
}

bool is_tag(std::string_view text) {
  return !text.empty() && text::all(text, Chars::loose_value);
}

Result<DialogId, ParseError> parse(std::string_view text, const TagNames& names) {
  DialogId id;
  const auto first = text.find(';');
  const std::string_view call_id = text::trim(text.substr(0, first));
  if (!is_call_id(call_id)) return bad("Malformed Call-ID in a dialog identifier");
  id.call_id = call_id;
  std::string_view rest = first == std::string_view::npos ? std::string_view() : text.substr(first);
  while (!rest.empty()) {
    rest.remove_prefix(1);  // the ';'
    const std::string_view one = text::trim(rest.substr(0, rest.find(';')));
    rest.remove_prefix(rest.substr(0, rest.find(';')).size());
    const auto equals = one.find('=');
    const std::string_view name = text::trim(one.substr(0, equals));
    const std::string_view value =
        equals == std::string_view::npos ? std::string_view() : text::trim(one.substr(equals + 1));
    if (text::equals_ignoring_case(name, "early-only")) id.early_only = true;
    std::string* tag = text::equals_ignoring_case(name, names.to)     ? &id.to_tag
                       : text::equals_ignoring_case(name, names.from) ? &id.from_tag
                                                                      : nullptr;
    if (tag == nullptr) continue;
    // RFC 3891 6.1: exactly one of each.
    if (!tag->empty() || !is_tag(value)) return bad("A dialog identifier needs each of its tags once");
    *tag = value;
  }
  if (id.to_tag.empty() || id.from_tag.empty()) return bad("A dialog identifier needs both tags");
  return id;
}

}  // namespace

Result<DialogId, ParseError> DialogId::parse_replaces(std::string_view text) {
  return parse(text, {"to-tag", "from-tag"});
}

Result<DialogId, ParseError> DialogId::parse_target_dialog(std::string_view text) {
  return parse(text, {"remote-tag", "local-tag"});
}

std::string DialogId::to_replaces() const {
  return call_id + ";to-tag=" + to_tag + ";from-tag=" + from_tag + (early_only ? ";early-only" : "");
}

}  // namespace baton::sip
