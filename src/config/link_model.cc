#include <algorithm>
#include <map>

#include "base/ascii.h"
#include "config/read.h"

namespace baton::config {
namespace {

using Sections = std::vector<Section>;

// Reports each value that an earlier section has already; empty ones have a mistake of their own.
template <typename T>
void refuse_doubles(const Sections& sections, const std::vector<T>& all, std::string T::*member,
                    std::string_view key) {
  std::map<std::string_view, std::size_t> first;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::string& value = all[i].*member;
    if (value.empty()) continue;
    const auto [other, is_new] = first.try_emplace(value, i);
    if (is_new) continue;
    sections[i].problem(key, shown(value) + " is taken by " + sections[other->second].path(),
                        "give each one a value of its own, or remove one");
  }
}

template <typename T>
std::string list_ids(const std::vector<T>& all) {
  constexpr std::size_t listed_max = 8;
  std::string list;
  std::size_t listed = 0;
  for (const T& one : all) {
    if (one.id.empty()) continue;
    if (listed++ == listed_max) return list + " …";
    list += (list.empty() ? "" : ", ") + shown(one.id);
  }
  return list.empty() ? "there is none yet" : "known: " + list;
}

// RFC 3261 18.1: what is sent names in Via where the answer may come back to, so it leaves by a listener.
void check_reachable(const Section& section, std::string_view key, const trunk::Uri& uri,
                     const Server& server) {
  const auto ip = IpAddress::parse(uri.host);
  // What DNS may say of a name is not known here.
  const bool any = uri.any_transport && !uri.sips && !ip && uri.port == 0;
  const auto can_send = [&](const Listen& listen) {
    return (any || listen.transport == uri.transport) && (!ip || listen.bind.ip.v6 == ip->v6);
  };
  const std::string transport(to_string(uri.transport));
  if (!server.listeners.empty() && std::none_of(server.listeners.begin(), server.listeners.end(), can_send)) {
    const std::string version = ip ? (ip->v6 ? "IPv6 " : "IPv4 ") : "";
    section.problem(
        key, "there is no " + version + transport + " listener to call " + shown(uri.host) + " from",
        "add a [[server.listen]] with transport = \"" + transport + "\" and an address of that kind");
  }
  const std::uint16_t default_port = uri.transport == Transport::tls ? 5061 : 5060;
  const std::uint16_t port = uri.port == 0 ? default_port : uri.port;
  const auto is_self = [&](const Listen& listen) {
    return listen.transport == uri.transport && ip &&
           (listen.bind == SocketAddress{*ip, port} || listen.advertised == SocketAddress{*ip, port});
  };
  if (std::any_of(server.listeners.begin(), server.listeners.end(), is_self)) {
    section.problem(key, shown(uri.host) + " port " + std::to_string(port) + " is this server itself",
                    "write where the other side is");
  }
}

void link_trunks(const Sections& sections, const Server& server, const trunk::Model& model) {
  for (std::size_t i = 0; i < sections.size(); ++i) {
    const Section& section = sections[i];
    const trunk::Trunk& trunk = model.trunks[i];
    if (!trunk.account_id.empty() && model.account(trunk.account_id) == nullptr) {
      section.problem("account", "no account has the id " + shown(trunk.account_id),
                      list_ids(model.accounts));
    }
    constexpr std::size_t domain_bytes_max = 253;  // RFC 1035 2.3.4
    if (trunk.domain.size() > domain_bytes_max) {
      section.problem("id", "the trunk's domain would be longer than a name can be",
                      "shorten id or domain_suffix");
    }
    if (trunk.primary) check_reachable(section, "primary", *trunk.primary, server);
    if (trunk.fallback) check_reachable(section, "fallback", *trunk.fallback, server);
  }
}

void link_numbers(const Sections& sections, trunk::Model& model) {
  for (std::size_t i = 0; i < sections.size(); ++i) {
    trunk::Number& number = model.numbers[i];
    if (number.trunk_id.empty()) continue;
    const trunk::Trunk* trunk = model.trunk(number.trunk_id);
    if (trunk == nullptr) {
      sections[i].problem("trunk", "no trunk has the id " + shown(number.trunk_id), list_ids(model.trunks));
    } else if (trunk->direction != trunk::TrunkDirection::inbound) {
      sections[i].problem("trunk", "trunk " + shown(number.trunk_id) + " is outbound and takes no calls",
                          "name an inbound trunk");
    } else {
      number.account_id = trunk->account_id;
    }
  }
}

// A caller ID that is not the account's own would be somebody else's number.
void check_fixed_caller_ids(const Sections& trunks, const trunk::Model& model) {
  for (std::size_t i = 0; i < trunks.size(); ++i) {
    const std::string& fixed = model.trunks[i].transfer.fixed_caller_id;
    if (fixed.empty()) continue;
    const trunk::Number* number = model.number(fixed);
    if (number != nullptr && number->account_id == model.trunks[i].account_id) continue;
    trunks[i]
        .table("transfer")
        .problem("fixed_caller_id", shown(fixed) + " is not a number of this account",
                 "name a number that a [[number]] gives to one of the account's trunks");
  }
}

void refuse_common(const Section& section, const std::vector<std::string>& allowed,
                   const std::vector<std::string>& blocked, std::string_view blocked_key) {
  for (const std::string& one : blocked) {
    if (std::find(allowed.begin(), allowed.end(), one) == allowed.end()) continue;
    section.problem(blocked_key, shown(one) + " is allowed and blocked at the same time",
                    "remove it from one list");
  }
}

void check_geo(const Sections& accounts, const trunk::Model& model) {
  for (std::size_t i = 0; i < accounts.size(); ++i) {
    const trunk::GeoPermissions& geo = model.accounts[i].geo;
    const Section section = accounts[i].table("geo");
    refuse_common(section, geo.allowed_countries, geo.blocked_countries, "blocked_countries");
    refuse_common(section, geo.allowed_prefixes, geo.blocked_prefixes, "blocked_prefixes");
    if (geo.allow_all && section.has_items("allowed_countries")) {
      section.problem("allowed_countries", "allow_all = true makes this list meaningless",
                      "remove the list, or write allow_all = false");
    }
  }
}

void check_recording(const Sections& trunks, const Sections& numbers, const Server& server,
                     const trunk::Model& model) {
  if (!server.recording_directory.empty()) return;
  constexpr const char* what = "nothing says where recordings are kept";
  constexpr const char* remedy = R"(add [recording] with directory = "…")";
  for (std::size_t i = 0; i < trunks.size(); ++i) {
    if (model.trunks[i].recording.enabled) trunks[i].table("recording").problem("enabled", what, remedy);
  }
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (model.numbers[i].record.value_or(false)) numbers[i].problem("record", what, remedy);
  }
}

void check_carriers(const Sections& carriers, const Server& server, const trunk::Model& model) {
  std::map<IpNetwork, std::size_t> owners;
  for (std::size_t i = 0; i < carriers.size(); ++i) {
    const trunk::Carrier& carrier = model.carriers[i];
    for (const IpNetwork& network : carrier.sources) {
      const auto [owner, is_new] = owners.try_emplace(network, i);
      if (is_new) continue;
      carriers[i].problem("sources",
                          network.base.to_string() + "/" + std::to_string(network.prefix_length) +
                              " belongs to " + carriers[owner->second].path() + " already",
                          "give each network to one carrier");
    }
    for (const trunk::Uri& gateway : carrier.gateways)
      check_reachable(carriers[i], "gateways", gateway, server);
  }
}

}  // namespace

void link_model(const Section& file, const Server& server, trunk::Model& model) {
  model.build_indexes();
  const Sections accounts = file.tables("account");
  const Sections trunks = file.tables("trunk");
  const Sections numbers = file.tables("number");
  const Sections carriers = file.tables("carrier");
  refuse_doubles(accounts, model.accounts, &trunk::Account::id, "id");
  refuse_doubles(trunks, model.trunks, &trunk::Trunk::id, "id");
  refuse_doubles(numbers, model.numbers, &trunk::Number::e164, "e164");
  refuse_doubles(carriers, model.carriers, &trunk::Carrier::id, "id");
  link_trunks(trunks, server, model);
  link_numbers(numbers, model);
  check_fixed_caller_ids(trunks, model);
  check_geo(accounts, model);
  check_recording(trunks, numbers, server, model);
  check_carriers(carriers, server, model);
}

}  // namespace baton::config
