#include "sip/multipart.h"

#include <algorithm>

#include "base/limits.h"
#include "sip/header.h"
#include "sip/text.h"

namespace baton::sip {
namespace {

constexpr std::size_t boundary_max = 70;  // RFC 2046 5.1.1

// The line at `at` without its end; moves on to the next one.
std::string_view take_line(std::string_view text, std::size_t& at) {
  const std::size_t end = std::min(text.find('\n', at), text.size());
  std::string_view line = text.substr(at, end - at);
  at = std::min(end + 1, text.size());
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

void take_header(BodyPart& part, std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return;
  const std::string name = text::lowered(text::trim(line.substr(0, colon)));
  const auto value = TokenWithParameters::parse(text::trim(line.substr(colon + 1)));
  if (!value) return;
  if (name == "content-type" || name == "c") {
    part.type = text::lowered(value->token);
  } else if (name == "content-disposition") {
    part.disposition = text::lowered(value->token);
    if (const std::string* handling = find_parameter(value->parameters, "handling"))
      part.handling = text::lowered(*handling);
  } else if (name == "content-transfer-encoding") {
    const std::string how = text::lowered(value->token);
    part.encoded = how != "7bit" && how != "8bit" && how != "binary";
  }
}

BodyPart read_part(std::string_view bytes) {
  BodyPart part;
  part.type = "text/plain";
  std::size_t at = 0;
  while (at < bytes.size()) {
    const std::string_view line = take_line(bytes, at);
    if (line.empty()) break;
    take_header(part, line);
  }
  part.body = bytes.substr(at);
  return part;
}

}  // namespace

std::vector<BodyPart> split_multipart(std::string_view body, std::string_view boundary) {
  std::vector<BodyPart> parts;
  if (boundary.empty() || boundary.size() > boundary_max) return parts;
  const std::string delimiter = "--" + std::string(boundary);
  std::size_t at = 0;
  std::size_t begin = std::string_view::npos;  // of the part that is being read
  while (parts.size() < limits::body_parts_max) {
    const std::size_t line_at = at;
    const bool over = at >= body.size();
    const std::string_view line = over ? std::string_view{} : take_line(body, at);
    const bool delimits = line.starts_with(delimiter);
    const std::string_view rest = delimits ? line.substr(delimiter.size()) : std::string_view{};
    const bool closes = rest.starts_with("--");
    // Only white space may follow (RFC 2046 5.1.1); a longer boundary is another one.
    const bool good = delimits && (closes || text::trim(rest).empty());
    if (!good && !over) continue;
    if (begin != std::string_view::npos) {
      // The line break before a delimiter belongs to it.
      std::string_view bytes = body.substr(begin, line_at - begin);
      if (!over && bytes.ends_with('\n')) bytes.remove_suffix(1);
      if (!over && bytes.ends_with('\r')) bytes.remove_suffix(1);
      parts.push_back(read_part(bytes));
    }
    if (over || closes) break;
    begin = at;
  }
  return parts;
}

}  // namespace baton::sip
