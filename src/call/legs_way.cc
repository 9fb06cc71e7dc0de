// Legs: the way of a request inside a dialog (RFC 3261 12.2.1.1, 8.1.2). By the connection the peer was heard
// on while that lives; then to its address; and where it gave only a name, to what RFC 3263 finds for that.
#include <algorithm>
#include <utility>

#include "call/legs.h"

namespace baton::call {
namespace {

constexpr unsigned ways_max = 3;
constexpr std::size_t targets_max = 4;

}  // namespace

void Legs::expect_identity(LegHandle handle, const std::string& host) {
  Leg* leg = legs_.find(handle);
  if (leg != nullptr && leg->dialog.next_hop.transport == Transport::tls)
    leg->dialog.next_hop.tls_name = host;
}

void Legs::send_in_dialog(Leg& leg, PendingRequest request) {
  request.draft.set(sip::HeaderId::user_agent, cx_.user_agent);
  const bool changes = request.method == sip::Method::invite || request.method == sip::Method::update;
  if (changes || request.method == sip::Method::notify) add_our_headers(request.draft, leg);
  if (changes) leg.session.ask(request.draft);
  if (request.auth_request == 0) request.auth_request = ++leg.auth_requests;
  if (leg.login) leg.login->sign(request.draft, cx_.rng);
  leg.pending.push_back(std::move(request));
  const Destination& hop = leg.dialog.next_hop;
  const bool known = hop.transport == Transport::udp || hop.flow != 0 || !leg.dialog.lookup;
  if (known && leg.way_query == 0) return send_now(leg, leg.pending.back());
  leg.pending.back().waits_for_way = true;
  find_way(leg);
}

void Legs::send_now(Leg& leg, PendingRequest& request) {
  const Destination& hop = leg.dialog.next_hop;
  request.waits_for_way = false;
  request.flow = hop.flow;
  // A long one may take TCP where the peer has named no transport (18.1.1).
  std::optional<SocketAddress> tcp_from;
  if (leg.dialog.any_transport) tcp_from = local_for(Transport::tcp, hop.remote.ip.v6);
  request.txn = cx_.txns.request(cx_.now, request.draft, hop, leg.self.pack(), tcp_from);
}

void Legs::find_way(Leg& leg) {
  if (leg.way_query != 0 || !leg.dialog.lookup) return;
  leg.way_query = ++cx_.queries;
  queries_.emplace(leg.way_query, leg.self);
  cx_.world.resolve(leg.way_query, *leg.dialog.lookup);
}

bool Legs::resolved(std::uint64_t query, const std::vector<Target>& targets) {
  const auto found = queries_.find(query);
  if (found == queries_.end()) return false;
  Leg* leg = legs_.find(found->second);
  queries_.erase(found);
  if (leg == nullptr || leg->way_query != query) return true;
  leg->way_query = 0;
  leg->more_ways.assign(targets.begin(),
                        targets.begin() + static_cast<std::ptrdiff_t>(std::min(targets.size(), targets_max)));
  // It may have come back by a connection of its own meanwhile. Found or not, what waits is sent: where
  // nobody is, it fails as any request does.
  if (leg->dialog.next_hop.flow == 0) (void)take_next_way(*leg);
  send_waiting(*leg);
  return true;
}

void Legs::send_waiting(Leg& leg) {
  for (PendingRequest& request : leg.pending) {
    if (!request.waits_for_way) continue;
    send_now(leg, request);
    for (Subscription& subscription : leg.subscriptions) {
      const bool its =
          request.method == sip::Method::notify && subscription.state.cseq() == request.refer_cseq;
      if (its) subscription.state.went_out(cx_.now);
    }
  }
}

// A private address found for a peer heard at a public one is no way to it, and may be somebody else here.
bool Legs::take_next_way(Leg& leg) {
  Destination& hop = leg.dialog.next_hop;
  while (!leg.more_ways.empty()) {
    const Target target = leg.more_ways.front();
    leg.more_ways.erase(leg.more_ways.begin());
    const auto local = local_for(target.transport, target.address.ip.v6);
    if (!local || (!target.address.ip.is_public() && leg.source.remote.ip.is_public())) continue;
    std::string tls_name = std::move(hop.tls_name);
    if (tls_name.empty() && leg.dialog.lookup) tls_name = leg.dialog.lookup->host;
    hop = Destination{target.transport, target.address, *local, 0, std::move(tls_name)};
    if (leg.more_ways.empty()) leg.dialog.lookup.reset();  // it can be connected to again
    return true;
  }
  return false;
}

// Its connection was lost with it, or there is none to be had: the next way (RFC 3263 4.3). With a CSeq of
// its own where the peer may have had it.
bool Legs::send_another_way(Leg& leg, PendingRequest& request) {
  if (request.ways_tried >= ways_max || leg.dialog.next_hop.transport == Transport::udp) return false;
  Destination& hop = leg.dialog.next_hop;
  const bool by_connection = request.flow != 0;
  if (hop.flow == request.flow) hop.flow = 0;
  const bool another = hop.flow != 0 || take_next_way(leg) || leg.dialog.lookup || by_connection;
  if (!another) return false;
  ++request.ways_tried;
  if (by_connection) {
    request.draft.set(sip::HeaderId::cseq,
                      std::to_string(++leg.dialog.local_cseq) + " " + std::string(to_string(request.method)));
  }
  send_in_dialog(leg, std::move(request));
  return true;
}

}  // namespace baton::call
