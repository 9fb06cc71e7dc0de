// Peer: digest, as the one that answers a challenge and as the one that makes it.
#include "peer.h"
#include "sip/digest.h"
#include "world.h"

namespace baton::sim {

using sip::Draft;
using sip::HeaderId;
using sip::Message;
using sip::Method;

bool Peer::retry_with_credentials(Asked& asked, const Message& response) {
  Party& party = *asked.party;
  if (party.script.username.empty() || ++asked.challenges > 1) return false;
  const bool proxy = response.status() == 407;
  if (!proxy && response.status() != 401) return false;
  const auto id = proxy ? HeaderId::proxy_authenticate : HeaderId::www_authenticate;
  const auto challenge = sip::Challenge::parse(response.header(id));
  if (!challenge) return false;
  Draft draft = asked.draft;
  const std::uint32_t cseq = ++party.local_cseq;
  const std::string method(to_string(draft.method()));
  draft.set(HeaderId::cseq, std::to_string(cseq) + " " + method);
  draft.set(proxy ? HeaderId::proxy_authorization : HeaderId::authorization,
            sip::answer_challenge(*challenge, party.script.username, party.script.password, method,
                                  draft.request_uri(), rng_.token(8), 1, draft.body()));
  if (draft.method() == Method::refer) party.refer_cseq = cseq;
  const std::string branch = send_request(party, std::move(draft), cseq);
  asked_.at(branch).challenges = 1;
  if (asked.draft.method() == Method::invite) {
    party.own_invite_pending = true;
    if (party.state == Party::State::trying) party.invite_branch = branch;
  }
  return true;
}

bool Peer::challenge(const std::string& key, const Script& script) {
  if (script.challenge == 0) return false;
  const Served& served = served_.at(key);
  sip::DigestServer digest("a secret of a peer that challenges, made up here");
  const bool proxy = script.challenge == 407;
  const auto given = served.request.header(proxy ? HeaderId::proxy_authorization : HeaderId::authorization);
  if (!given.empty()) {
    const auto credentials = sip::DigestCredentials::parse(given);
    if (credentials && digest.verify(world_.now(), *credentials, name_, script.password, "INVITE",
                                     served.request.request_uri()) == sip::DigestServer::Verdict::good) {
      return false;
    }
  }
  Draft draft = reply(served, script.challenge);
  for (const sip::Challenge& one : digest.challenges(world_.now(), name_, false)) {
    draft.add(proxy ? HeaderId::proxy_authenticate : HeaderId::www_authenticate, one.to_string());
  }
  respond(key, std::move(draft));
  return true;
}

}  // namespace baton::sim
