#include "stage.h"

namespace baton::sim {

namespace {

constexpr std::uint16_t sip_port = 5060;

IpAddress at(std::uint8_t last) {
  return IpAddress::v4(203, 0, 113, last);
}

trunk::Uri uri_at(std::uint8_t last, Transport transport) {
  trunk::Uri uri;
  uri.host = at(last).to_string();
  uri.port = sip_port;
  uri.transport = transport;
  return uri;
}

// A handful of prefixes is all the simulation needs of a numbering plan.
class SmallPlan : public trunk::NumberPlan {
 public:
  [[nodiscard]] std::string country_of(std::string_view e164) const override {
    if (e164.starts_with("+1")) return "US";
    if (e164.starts_with("+44")) return "GB";
    if (e164.starts_with("+49")) return "DE";
    if (e164.starts_with("+55")) return "BR";
    if (e164.starts_with("+882")) return "XV";
    return {};
  }
};

trunk::Carrier carrier(const std::string& id, std::vector<trunk::Uri> gateways,
                       std::vector<std::string> prefixes) {
  trunk::Carrier carrier;
  carrier.id = id;
  carrier.name = id;
  for (const trunk::Uri& gateway : gateways) {
    carrier.sources.push_back({*IpAddress::parse(gateway.host), 32});
  }
  carrier.gateways = std::move(gateways);
  carrier.prefixes = std::move(prefixes);
  return carrier;
}

trunk::Trunk trunk(const std::string& id, trunk::TrunkDirection direction) {
  trunk::Trunk trunk;
  trunk.id = id;
  trunk.account_id = "acc";
  trunk.name = id;
  trunk.domain = id + ".sip.baton.test";
  trunk.direction = direction;
  return trunk;
}

WorldOptions world_options(const StageOptions& options) {
  auto model =
      std::make_shared<trunk::Model>(usual_model(options.endpoint_transport, options.target_transport));
  if (options.configure) options.configure(*model);
  WorldOptions world;
  world.seed = options.seed;
  world.link = options.link;
  world.faults = options.faults;
  world.timers_win_ties = options.timers_win_ties;
  world.media_delay = options.media_delay;
  world.dns = options.dns;
  world.dns_targets = options.dns_targets;
  world.dns_delay = options.dns_delay;
  world.media = options.media;
  world.trace = options.trace;
  world.model = std::move(model);
  return world;
}

}  // namespace

trunk::Model usual_model(Transport endpoint_transport, Transport target_transport) {
  trunk::Model model;
  model.domain_suffix = "sip.baton.test";
  model.number_plan = std::make_shared<SmallPlan>();
  trunk::Account account;
  account.id = "acc";
  account.name = "Example Ltd";
  account.geo.allow_all = false;
  account.geo.allowed_countries = {"US", "GB", "DE", "BR"};
  model.accounts.push_back(account);

  trunk::Trunk inbound = trunk("in1", trunk::TrunkDirection::inbound);
  inbound.primary = uri_at(100, endpoint_transport);
  model.trunks.push_back(inbound);
  trunk::Trunk second = trunk("in2", trunk::TrunkDirection::inbound);
  second.primary = uri_at(101, endpoint_transport);
  model.trunks.push_back(second);
  trunk::Trunk outbound = trunk("out1", trunk::TrunkDirection::outbound);
  outbound.acl = {{at(100), 32}};
  model.trunks.push_back(outbound);

  model.numbers.push_back({number::own, "acc", "in1"});
  model.numbers.push_back({number::own_second, "acc", "in2"});
  model.carriers.push_back(carrier("west", {uri_at(10, Transport::udp)}, {"+1"}));
  model.carriers.push_back(carrier("east", {uri_at(20, target_transport)}, {"+44"}));
  model.carriers.push_back(
      carrier("twin", {uri_at(30, Transport::udp), uri_at(31, Transport::udp)}, {"+49"}));
  return model;
}

Stage::Stage(const StageOptions& options)
    : world(world_options(options)),
      west(world.add_peer("carrier-west", {at(10), sip_port}, Transport::udp)),
      east(world.add_peer("carrier-east", {at(20), sip_port}, options.target_transport)),
      first_gate(world.add_peer("carrier-twin-1", {at(30), sip_port}, Transport::udp)),
      second_gate(world.add_peer("carrier-twin-2", {at(31), sip_port}, Transport::udp)),
      endpoint(world.add_peer("endpoint", {at(100), sip_port}, options.endpoint_transport)),
      second_endpoint(world.add_peer("endpoint-two", {at(101), sip_port}, options.endpoint_transport)) {}

Party& Stage::inbound(Script caller, Script endpoint_script) {
  endpoint.expect(number::own, std::move(endpoint_script));
  return west.call(std::move(caller), number::caller,
                   "sip:" + std::string(number::own) + "@" + server_address().to_string());
}

Party& Stage::outbound(Script endpoint_script, Script callee) {
  west.expect(number::callee, std::move(callee));
  return endpoint.call(std::move(endpoint_script), number::own,
                       "sip:" + std::string(number::callee) + "@" + outbound_domain);
}

Party* Stage::newest(Peer& peer) {
  return peer.parties().empty() ? nullptr : &peer.parties().back();
}

std::string Stage::refer_to(const std::string& to, const std::string& domain) {
  return "<sip:" + to + "@" + domain + ">";
}

Act Stage::refer(const std::string& to, Duration after, When when) {
  return {when, after, What::refer, refer_to(to)};
}

Act Stage::consult(const std::string& to, Duration after) {
  return {When::established, after, What::consult, "sip:" + to + "@" + outbound_domain};
}

Act Stage::refer_attended(Duration after, const std::string& target) {
  return {When::established, after, What::refer_attended, "<" + target + "?Replaces={replaces}>"};
}

Act Stage::refer_outside(const std::string& to, Duration after, When when) {
  return {when, after, What::refer_outside, refer_to(to), {}, "sip:" + std::string(outbound_domain)};
}

Act Stage::take_over(Duration after, When when) {
  return {when, after, What::take_over};
}

}  // namespace baton::sim
