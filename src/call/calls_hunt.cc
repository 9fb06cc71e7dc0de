// Calls: one outgoing party sought over routes and addresses, one leg at a time.
#include <algorithm>

#include "call/calls.h"

namespace baton::call {

// Not when the party itself has spoken: asking elsewhere would ring it again (RFC 3261 16.7). An inbound
// trunk's fallback is there for errors of the primary, so it is asked more often than the next carrier.
bool Calls::may_advance(int status, bool carrier) {
  if (status == 486 || status == 487 || status / 100 == 6) return false;
  if (!carrier) return true;
  return status != 404 && status != 410 && status != 480 && status != 484;
}

Calls::HuntResult Calls::advance_hunt(Hunt& hunt, std::uint64_t call, const std::string& root_uuid,
                                      const std::string& account_id) {
  const auto dial = [&](std::size_t route, const Target& target) {
    hunt.route = route;
    hunt.target = target;
    hunt.leg = dial_route(hunt, hunt.routes[route], target, call, root_uuid, account_id);
    return HuntResult::trying;
  };
  for (;;) {
    if (hunt.next_target < hunt.targets.size()) {
      const std::size_t route = hunt.next_route - 1;
      const Target target = hunt.targets[hunt.next_target++];
      if (!blocklist_.blocks(cx_.now, target)) return dial(route, target);
      hunt.put_off.push_back({route, target});
      continue;
    }
    if (hunt.next_route < hunt.routes.size()) {
      const trunk::Route& route = hunt.routes[hunt.next_route++];
      hunt.targets.clear();
      hunt.next_target = 0;
      if (const auto literal = literal_target(route.uri.lookup())) {
        hunt.targets.push_back(*literal);
        continue;
      }
      hunt.leg = {};
      hunt.query = ask(route.uri.lookup(), Asker{false, call});
      return HuntResult::trying;
    }
    if (hunt.put_off.empty()) {
      hunt.leg = {};
      return HuntResult::exhausted;
    }
    const Hunt::PutOff next = hunt.put_off.front();
    hunt.put_off.erase(hunt.put_off.begin());
    return dial(next.route, next.target);
  }
}

// What a leg found out about where it was sent; every hunt of this engine goes by it.
void Calls::on_target(const LegTarget& event) {
  const std::string name = event.target.to_string();
  switch (event.fate) {
    case LegTarget::Fate::answered:
      if (blocklist_.answered(event.target)) log(Severity::info, "target.back", {{"target", name}});
      return;
    case LegTarget::Fate::unreachable:
    case LegTarget::Fate::asked_to_wait: {
      const bool asked = event.fate == LegTarget::Fate::asked_to_wait;
      const Duration rest = asked ? blocklist_.asked_to_wait(cx_.now, event.target, event.wait)
                                  : blocklist_.unreachable(cx_.now, event.target);
      ++cx_.counters.targets_blocked;
      return log(Severity::warning, "target.blocked",
                 {{"target", name},
                  {"why", asked ? "asked to wait" : "unreachable"},
                  {"for_s", std::to_string(rest / 1s)}});
    }
  }
}

LegHandle Calls::dial_route(Hunt& hunt, const trunk::Route& route, const Target& target, std::uint64_t call,
                            const std::string& root_uuid, const std::string& account_id) {
  const trunk::Trunk* own = route.trunk_id.empty() ? nullptr : cx_.model->trunk(route.trunk_id);
  std::string number = hunt.number;
  if (route.strip_plus && !number.empty() && number.front() == '+') number.erase(0, 1);

  DialPlan plan;
  plan.to.transport = target.transport;
  plan.to.remote = target.address;
  plan.any_transport = route.uri.any_transport;
  if (plan.to.transport == Transport::tls) plan.to.tls_name = route.uri.host;
  sip::Uri request_uri =
      sip::Uri::sip(route.uri.user.empty() ? number : route.uri.user, route.uri.host, route.uri.port);
  if (route.uri.sips) {
    request_uri.scheme = sip::Scheme::sips;
    request_uri.scheme_text = "sips";
  } else if (route.uri.transport != Transport::udp && !route.uri.any_transport) {
    request_uri.parameters.push_back({"transport", std::string(to_string(route.uri.transport))});
  }
  plan.request_uri = request_uri.to_string(false);
  // An endpoint sees its own trunk domain on both sides: the very host its Refer-To has to name.
  plan.from_host = own != nullptr ? own->domain : std::string{};
  plan.to_address =
      "<" + sip::Uri::sip(number, own != nullptr ? own->domain : route.uri.host).to_string() + ">";
  plan.caller = hunt.caller;
  const trunk::Carrier* carrier = route.carrier_id.empty() ? nullptr : cx_.model->carrier(route.carrier_id);
  if (own != nullptr) plan.identity = own->identity;
  if (carrier != nullptr) plan.identity = carrier->identity;
  plan.diversions = hunt.diversions;
  plan.auth_username = route.uri.auth_username;
  plan.auth_password = route.uri.auth_password;
  plan.codecs = hunt.codecs;
  plan.max_forwards = hunt.max_forwards;
  plan.headers = hunt.headers;
  if (own != nullptr) {
    plan.sip = own->sip;
    plan.media_terms = own->media;
  }
  if (carrier != nullptr) {
    plan.sip = carrier->sip;
    plan.media_terms = carrier->media;
  }
  plan.no_answer_after = hunt.no_answer_after;
  const bool others =
      hunt.next_target < hunt.targets.size() || hunt.next_route < hunt.routes.size() || !hunt.put_off.empty();
  if (others) plan.unheard_max = plan.sip.failover_after;
  plan.call = call;
  if (const Call* of = calls_.find(CallHandle::unpack(call))) {
    plan.beside = legs_.endpoint_of(of->caller);
    if (plan.beside == 0) plan.beside = legs_.endpoint_of(of->callee);
  }
  plan.root_call_uuid = root_uuid;
  plan.party = hunt.party;
  plan.account_id = account_id;
  plan.trunk_id = route.trunk_id;
  plan.carrier_id = route.carrier_id;
  plan.number = hunt.number;
  return legs_.dial(std::move(plan));
}

void Calls::abandon_hunt(Hunt& hunt, const Goodbye& goodbye) {
  if (hunt.query != 0) queries_.erase(hunt.query);
  hunt.query = 0;
  if (Leg* leg = legs_.find(hunt.leg)) {
    leg->call = 0;
    legs_.hang_up(hunt.leg, goodbye);
  }
  hunt.leg = {};
  hunt.next_route = hunt.routes.size();
  hunt.targets.clear();
  hunt.next_target = 0;
  hunt.put_off.clear();
}

void Calls::end_hunt(Call& call) {
  if (!call.hunt) return;
  call.hunt->leg = {};
  abandon_hunt(*call.hunt, {});
  call.hunt.reset();
}

std::uint64_t Calls::ask(Lookup lookup, Asker asker) {
  const std::uint64_t query = ++cx_.queries;
  queries_.emplace(query, asker);
  cx_.world.resolve(query, std::move(lookup));
  return query;
}

void Calls::resolved(std::uint64_t query, const std::vector<Target>& targets) {
  const auto it = queries_.find(query);
  if (it == queries_.end()) return;
  const Asker asker = it->second;
  queries_.erase(it);

  if (asker.check) {
    Transfer* transfer = transfers_.find(TransferHandle::unpack(asker.handle));
    if (transfer == nullptr || transfer->query != query) return;
    transfer->query = 0;
    const bool reachable =
        !targets.empty() && std::all_of(targets.begin(), targets.end(),
                                        [](const Target& one) { return one.address.ip.is_public(); });
    if (!reachable) {
      const std::string host = transfer->destination.resolve_host;
      return fire(transfer->self, TransferEvent::target_forbidden, 403,
                  targets.empty() ? "Refer-To host \"" + host + "\" has no address"
                                  : "Refer-To host \"" + host + "\" leads to a private address",
                  "baton");
    }
    // What was checked is what is called: no second look-up that could say something else.
    transfer->hunt.targets = targets;
    return fire(transfer->self, TransferEvent::target_allowed);
  }

  Call* call = calls_.find(CallHandle::unpack(asker.handle));
  if (call == nullptr) return;
  // The call's own hunt and its pending transfer's share the call; the query number tells them apart.
  Transfer* pending = transfers_.find(call->pending);
  if (pending != nullptr && pending->hunt.query != query) pending = nullptr;
  Hunt* hunt = pending != nullptr ? &pending->hunt : call->hunt.get();
  if (hunt == nullptr || hunt->query != query) return;
  hunt->query = 0;
  hunt->targets = targets;
  hunt->next_target = 0;
  if (targets.empty() && hunt->status == 0) hunt->reason = "The carrier's host has no address";
  if (advance_hunt(*hunt, asker.handle, call->root_uuid, call->account_id) == HuntResult::trying) return;
  if (pending != nullptr) {
    return target_failed(*pending, hunt->status != 0 ? hunt->status : 503, hunt->reason, "carrier");
  }
  fail_setup(*call);
}

}  // namespace baton::call
