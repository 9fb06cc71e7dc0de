#include "txn/requests.h"

#include <utility>

#include "base/assert.h"

namespace baton::txn {
namespace {

constexpr std::string_view line_end = "\r\n";
constexpr std::string_view branch_mark = ";rport;branch=";

// What stands before the next end of line; takes both off `rest`.
std::string_view take_line(std::string_view& rest) {
  const std::size_t length = rest.find(line_end);
  BATON_ASSERT(length != std::string_view::npos);
  const std::string_view line = rest.substr(0, length);
  rest.remove_prefix(length + line_end.size());
  return line;
}

std::string_view request_uri_of(std::string_view start_line) {
  const std::size_t begin = start_line.find(' ') + 1;
  return start_line.substr(begin, start_line.rfind(' ') - begin);
}

// `to`: empty, the INVITE's.
sip::Draft make_companion(sip::Method method, std::string_view invite, std::string_view to,
                          sip::Spares& spares) {
  std::string_view rest = invite;
  sip::Draft draft = sip::Draft::request(method, request_uri_of(take_line(rest)), &spares);
  bool top_via = true;
  for (std::string_view line = take_line(rest); !line.empty(); line = take_line(rest)) {
    const std::size_t colon = line.find(": ");  // as a draft writes it
    const sip::HeaderId id = sip::parse_header_name(line.substr(0, colon));
    const std::string_view value = line.substr(colon + 2);
    switch (id) {
      case sip::HeaderId::via:
        if (std::exchange(top_via, false)) draft.add(id, value);
        break;
      case sip::HeaderId::to:
        draft.add(id, to.empty() ? value : to);
        break;
      case sip::HeaderId::cseq:
        draft.add(id, {value.substr(0, value.find(' ')), " ", sip::to_string(method)});
        break;
      case sip::HeaderId::route:
      case sip::HeaderId::from:
      case sip::HeaderId::call_id:
        draft.add(id, value);
        break;
      default:
        break;
    }
  }
  draft.add(sip::HeaderId::max_forwards, "70");
  return draft;
}

}  // namespace

void append_branch(std::string& out, Rng& rng) {
  rng.append_token(out.append("z9hG4bK"), 16);
}

void append_via(std::string& out, const Destination& to, std::string_view branch) {
  to.local.append_to(out.append("SIP/2.0/").append(to_via_token(to.transport)).append(" "));
  out.append(branch_mark).append(branch);
}

std::string_view branch_of(std::string_view request) {
  // Behind the start line, whose URI may be a peer's and say the same.
  const std::size_t begin = request.find(branch_mark, request.find(line_end)) + branch_mark.size();
  return request.substr(begin, request.find(line_end, begin) - begin);
}

std::string_view head_of(std::string_view request) {
  return request.substr(0, request.find("\r\n\r\n") + 4);
}

sip::Draft make_ack(std::string_view invite, std::string_view to, sip::Spares& spares) {
  return make_companion(sip::Method::ack, invite, to, spares);
}

sip::Draft make_cancel(std::string_view invite, std::string_view reason, sip::Spares& spares) {
  sip::Draft draft = make_companion(sip::Method::cancel, invite, {}, spares);
  if (!reason.empty()) draft.add(sip::HeaderId::reason, reason);
  return draft;
}

}  // namespace baton::txn
