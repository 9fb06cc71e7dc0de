#include "net/locate.h"

#include <algorithm>
#include <numeric>

namespace baton::net {
namespace {

// A name that has SRV records, and the transport they are for.
struct Service {
  Transport transport = Transport::udp;
  std::string name;
};

Service service_of(const std::string& host, Transport transport) {
  switch (transport) {
    case Transport::udp:
      return {transport, "_sip._udp." + host};
    case Transport::tcp:
      return {transport, "_sip._tcp." + host};
    case Transport::tls:
      return {transport, "_sips._tcp." + host};
  }
  return {};
}

std::optional<Transport> transport_of(const std::string& naptr_service) {
  if (naptr_service == "SIP+D2U") return Transport::udp;
  if (naptr_service == "SIP+D2T") return Transport::tcp;
  if (naptr_service == "SIPS+D2T") return Transport::tls;
  return std::nullopt;
}

// 4.1: the services both sides have, in the order the domain wants.
std::vector<Service> chosen_by_naptr(std::vector<Naptr> records, const Lookup& lookup, const Reach& reach) {
  std::stable_sort(records.begin(), records.end(), [](const Naptr& a, const Naptr& b) {
    return a.order != b.order ? a.order < b.order : a.preference < b.preference;
  });
  std::vector<Service> services;
  for (const Naptr& record : records) {
    const auto transport = transport_of(record.service);
    if (!transport || !reach.can(*transport) || (lookup.sips && *transport != Transport::tls)) continue;
    // Only "s" ends in an SRV name (RFC 3403 4.1); what would have to be rewritten or followed is not.
    if (record.flags != "s" || record.replacement.empty()) continue;
    services.push_back({*transport, record.replacement});
    if (services.size() == naptr_used_max) break;
  }
  return services;
}

std::optional<std::vector<Service>> find_services(const Lookup& lookup, const Reach& reach, Facts& facts) {
  if (lookup.transport) return std::vector{service_of(lookup.host, transport_without_records(lookup))};
  const Records* records = facts.look(RecordType::naptr, lookup.host);
  if (records == nullptr) return std::nullopt;
  std::vector<Service> services = chosen_by_naptr(records->naptr, lookup, reach);
  if (!services.empty()) return services;
  // 4.1: without NAPTR, the transports that have SRV records are the ones the domain serves.
  for (const Transport transport : {Transport::udp, Transport::tcp, Transport::tls}) {
    if (!reach.can(transport) || (lookup.sips && transport != Transport::tls)) continue;
    services.push_back(service_of(lookup.host, transport));
  }
  return services;
}

// Which servers there are for each service, what one name may have at most.
struct Servers {
  Transport transport = Transport::udp;
  std::vector<Srv> records;
};

struct Found {
  std::vector<Servers> servers;
  bool denied = false;  // a service is said not to be there, which is an answer too
};

std::optional<Found> find_servers(const std::vector<Service>& services, Facts& facts) {
  Found found;
  bool missing = false;
  for (const Service& service : services) {
    const Records* records = facts.look(RecordType::srv, service.name);
    if (records == nullptr) {
      missing = true;
      continue;
    }
    Servers servers{service.transport, records->srv};
    std::stable_sort(servers.records.begin(), servers.records.end(), [](const Srv& a, const Srv& b) {
      return a.priority != b.priority ? a.priority < b.priority : a.weight > b.weight;
    });
    if (servers.records.size() > srv_used_max) servers.records.resize(srv_used_max);
    const std::size_t before = servers.records.size();
    std::erase_if(servers.records, [](const Srv& one) { return one.host.empty() || one.port == 0; });
    if (servers.records.size() < before) found.denied = true;
    if (!servers.records.empty()) found.servers.push_back(std::move(servers));
  }
  if (missing) return std::nullopt;
  return found;
}

class Collector {
 public:
  Collector(const Reach& reach, Facts& facts) : reach_(reach), facts_(facts) {}

  // False when the addresses are not known yet.
  bool ask(const std::string& host) { return facts_.look(RecordType::address, host) != nullptr; }

  bool add(const std::string& host, std::uint16_t port, Transport transport) {
    const Records* records = facts_.look(RecordType::address, host);
    if (records == nullptr) return false;
    for (const IpAddress& ip : records->addresses) {
      const Target target{transport, {ip, port}};
      if (targets.size() == targets_max) return true;
      if (!reach_.can(transport, ip.v6)) continue;
      if (std::find(targets.begin(), targets.end(), target) == targets.end()) targets.push_back(target);
    }
    return true;
  }

  std::vector<Target> targets;

 private:
  const Reach& reach_;
  Facts& facts_;
};

std::optional<std::vector<Target>> by_address(const std::string& host, std::uint16_t port,
                                              Transport transport, Collector collector) {
  if (!collector.add(host, port != 0 ? port : default_sip_port(transport), transport)) return std::nullopt;
  return std::move(collector.targets);
}

}  // namespace

void order_by_weight(std::vector<Srv>& records, Rng& rng) {
  // Weight 0 in front, so that it has a very small chance to be drawn first (RFC 2782, "Weight").
  std::stable_sort(records.begin(), records.end(), [](const Srv& a, const Srv& b) {
    return a.priority != b.priority ? a.priority < b.priority : (a.weight == 0) && (b.weight != 0);
  });
  for (auto first = records.begin(); first != records.end();) {
    const auto end =
        std::find_if(first, records.end(), [&](const Srv& one) { return one.priority != first->priority; });
    for (; first != end; ++first) {
      const std::uint64_t sum = std::accumulate(
          first, end, std::uint64_t{0}, [](std::uint64_t s, const Srv& one) { return s + one.weight; });
      std::uint64_t drawn = rng.below(sum + 1);
      auto chosen = first;
      while (chosen->weight < drawn) {
        drawn -= chosen->weight;
        ++chosen;
      }
      std::rotate(first, chosen, chosen + 1);
    }
  }
}

std::optional<std::vector<Target>> locate(const Lookup& lookup, const Reach& reach, Facts& facts, Rng& rng) {
  if (const auto literal = literal_target(lookup)) return std::vector{*literal};
  Collector collector(reach, facts);
  const Transport plain = transport_without_records(lookup);
  // 4.2: a port says that there is nothing more to find out than the address.
  if (lookup.port != 0) return by_address(lookup.host, lookup.port, plain, collector);

  const auto services = find_services(lookup, reach, facts);
  if (!services) return std::nullopt;
  auto found = find_servers(*services, facts);
  if (!found) return std::nullopt;
  if (found->servers.empty()) {
    if (found->denied) return std::vector<Target>{};
    return by_address(lookup.host, 0, plain, collector);
  }
  // All are asked for before the first is waited for.
  bool missing = false;
  for (const Servers& servers : found->servers) {
    for (const Srv& one : servers.records) missing = !collector.ask(one.host) || missing;
  }
  if (missing) return std::nullopt;
  for (Servers& servers : found->servers) {
    order_by_weight(servers.records, rng);
    for (const Srv& one : servers.records) {
      if (!collector.add(one.host, one.port, servers.transport)) return std::nullopt;
    }
  }
  return std::move(collector.targets);
}

}  // namespace baton::net
