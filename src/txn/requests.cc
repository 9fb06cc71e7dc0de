#include "txn/requests.h"

#include <utility>

#include "base/assert.h"

namespace baton::txn {
namespace {

sip::Draft make_companion(sip::Method method, const RequestHead& invite, std::string_view to) {
  sip::Draft draft = sip::Draft::request(method, invite.request_uri);
  draft.add(sip::HeaderId::via, invite.via);
  for (const std::string& route : invite.routes) draft.add(sip::HeaderId::route, route);
  draft.add(sip::HeaderId::max_forwards, "70");
  draft.add(sip::HeaderId::from, invite.from);
  draft.add(sip::HeaderId::to, to);
  draft.add(sip::HeaderId::call_id, invite.call_id);
  draft.add(sip::HeaderId::cseq, std::to_string(invite.cseq) + " " + std::string(sip::to_string(method)));
  return draft;
}

}  // namespace

RequestHead::RequestHead(const sip::Draft& request, std::string top_via)
    : request_uri(request.request_uri()),
      via(std::move(top_via)),
      from(request.header(sip::HeaderId::from)),
      to(request.header(sip::HeaderId::to)),
      call_id(request.header(sip::HeaderId::call_id)) {
  const auto parsed = sip::CSeq::parse(request.header(sip::HeaderId::cseq));
  BATON_ASSERT(parsed.has_value());
  cseq = parsed->number;
  for (const auto& field : request.fields()) {
    if (field.id == sip::HeaderId::route) routes.emplace_back(field.value);
  }
}

std::string make_branch(Rng& rng) {
  std::string branch;
  branch.reserve(32);
  return branch.append("z9hG4bK").append(rng.token(16));
}

std::string make_via(const Destination& to, std::string_view branch) {
  const std::string local = to.local.to_string();
  std::string via;
  via.reserve(32 + local.size() + branch.size());
  via.append("SIP/2.0/").append(to_via_token(to.transport)).append(" ").append(local);
  return via.append(";rport;branch=").append(branch);
}

sip::Draft make_ack(const RequestHead& invite, std::string_view to) {
  return make_companion(sip::Method::ack, invite, to);
}

sip::Draft make_cancel(const RequestHead& invite, std::string_view reason) {
  sip::Draft draft = make_companion(sip::Method::cancel, invite, invite.to);
  if (!reason.empty()) draft.add(sip::HeaderId::reason, reason);
  return draft;
}

}  // namespace baton::txn
