// The answer to a datagram that could not be parsed: built from the lines that could.
#include <array>

#include "base/limits.h"
#include "sip/draft.h"
#include "sip/lines.h"
#include "sip/message.h"
#include "sip/text.h"

namespace baton::sip {
namespace {

// What an answer repeats of the request (RFC 3261 8.2.6.2), as it stood there, folds taken out.
struct Salvage {
  std::vector<std::string> vias;
  std::string from, to, call_id, cseq;

  [[nodiscard]] bool sufficient() const {
    return !vias.empty() && !from.empty() && !to.empty() && !call_id.empty() && !cseq.empty();
  }

  void keep(HeaderId id, std::string value) {
    std::string* place = nullptr;
    switch (id) {
      case HeaderId::via:
        vias.push_back(std::move(value));
        return;
      case HeaderId::from:
        place = &from;
        break;
      case HeaderId::to:
        place = &to;
        break;
      case HeaderId::call_id:
        place = &call_id;
        break;
      case HeaderId::cseq:
        place = &cseq;
        break;
      default:
        return;
    }
    if (place->empty()) *place = std::move(value);  // of doubled ones the first
  }
};

std::string unfolded(std::string_view value) {
  std::string out(value);
  for (char& c : out) {
    if (c == '\r' || c == '\n') c = ' ';
  }
  return out;
}

// A request that is not an ACK; nobody answers anything else (RFC 3261 17.1.1.3, 18.1.2).
bool may_be_answered(std::string_view start_line) {
  const std::string_view method = start_line.substr(0, start_line.find(' '));
  return method.size() < start_line.size() && !method.empty() && method != "ACK" &&
         text::all(method, text::Chars::token) && start_line.find("SIP/") != std::string_view::npos;
}

std::optional<Salvage> salvage(std::string_view rest) {
  Salvage found;
  for (std::size_t lines = 0; !rest.empty() && lines < limits::headers_max; ++lines) {
    const Line line = take_line(rest);
    if (line.text.empty()) break;
    if (line.text.size() > limits::header_bytes_max) continue;
    const auto header = read_header_line(line);
    if (header) found.keep(parse_header_name(header->name), unfolded(header->value));
  }
  if (!found.sufficient() || found.vias.size() > limits::vias_max) return std::nullopt;
  return found;
}

// Stateless, so the same request gets the same tag (RFC 3261 8.2.7). FNV-1a.
std::string tag_for(const Salvage& found) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const std::string* part : {&found.vias.front(), &found.call_id, &found.cseq, &found.from}) {
    for (const char c : *part) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  }
  std::string tag = "m";
  for (int i = 0; i < 16; ++i) tag.push_back("0123456789abcdef"[(hash >> (4 * i)) & 15]);
  return tag;
}

}  // namespace

std::optional<std::string> answer_to_malformed(std::string_view bytes, const ParseError& error) {
  bytes = bytes.substr(0, limits::message_bytes_max);
  while (bytes.substr(0, 2) == "\r\n") bytes.remove_prefix(2);
  if (!may_be_answered(take_line(bytes).text)) return std::nullopt;
  auto found = salvage(bytes);
  if (!found) return std::nullopt;
  // To what can not be read no tag can be added without guessing where.
  if (const auto to = NameAddr::parse(found->to); to && to->tag().empty()) {
    found->to.append(";tag=").append(tag_for(*found));
  }
  Draft answer = Draft::response(error.status);
  for (auto& via : found->vias) answer.add(HeaderId::via, std::move(via));
  answer.add(HeaderId::from, std::move(found->from));
  answer.add(HeaderId::to, std::move(found->to));
  answer.add(HeaderId::call_id, std::move(found->call_id));
  answer.add(HeaderId::cseq, std::move(found->cseq));
  if (!error.reason.empty()) answer.add(HeaderId::warning, "399 baton " + quote(error.reason));
  return answer.write();
}

}  // namespace baton::sip
