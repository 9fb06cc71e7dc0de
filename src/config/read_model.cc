#include <algorithm>

#include "config/number_plan.h"
#include "config/profiles.h"
#include "config/read.h"
#include "config/read_settings.h"

namespace baton::config {
namespace {

constexpr std::int64_t cps_most = 100'000;
constexpr std::int64_t concurrent_most = 1'000'000;
constexpr Duration ring_least = 1s;
constexpr Duration ring_most = 10min;

unsigned read_limit(const Section& section, std::string_view key, std::int64_t most) {
  return static_cast<unsigned>(section.integer(key, 0, most, 0));
}

trunk::GeoPermissions read_geo(const Section& section) {
  trunk::GeoPermissions geo;
  // Whoever lists countries means these and no others.
  geo.allow_all = section.boolean("allow_all", !section.has("allowed_countries"));
  geo.allowed_countries = section.values("allowed_countries", to_country);
  geo.blocked_countries = section.values("blocked_countries", to_country);
  geo.allowed_prefixes = section.values("allowed_prefixes", to_prefix);
  geo.blocked_prefixes = section.values("blocked_prefixes", to_prefix);
  return geo;
}

trunk::Account read_account(const Section& section) {
  trunk::Account account;
  section.require("id", R"(write id = "…", the name other sections call this account by)");
  account.id = section.value_or("id", to_id, account.id);
  account.name = section.value_or("name", to_name, account.id);
  account.cps_max = read_limit(section, "cps_max", cps_most);
  account.cps_wait = section.duration("cps_wait", 0s, 20s, account.cps_wait);
  account.concurrent_max = read_limit(section, "concurrent_max", concurrent_most);
  account.balance_micros = section.value("balance", to_micros_of_money);
  account.geo = read_geo(section.table("geo"));
  return account;
}

struct Login {
  std::string username, password;
};

Login read_login(const Section& section, std::string_view username_key, std::string_view password_key) {
  if (section.has(username_key) != section.has(password_key)) {
    const bool has_name = section.has(username_key);
    section.problem(has_name ? username_key : password_key, "a user name and a password go together",
                    "add " + std::string(has_name ? password_key : username_key) + ", or remove this key");
  }
  return {section.value_or<std::string>(username_key, to_username, {}),
          section.value_or<std::string>(password_key, to_password, {})};
}

std::optional<trunk::Uri> read_origination(const Section& section, const std::string& key) {
  auto uri = section.value(key, to_endpoint_uri);
  const Login login = read_login(section, key + "_username", key + "_password");
  if (!section.has(key) && section.has(key + "_username")) {
    section.problem(key + "_username", "there is no " + key + " that could ask for it",
                    "add " + key + ", or remove this key");
  }
  if (!uri) return uri;
  uri->auth_username = login.username;
  uri->auth_password = login.password;
  return uri;
}

std::vector<trunk::Credential> read_credentials(const Section& section) {
  std::vector<trunk::Credential> all;
  for (const Section& one : section.tables("credentials")) {
    one.require("username", R"(write username = "…" and password = "…")");
    one.require("password", R"(write username = "…" and password = "…")");
    trunk::Credential credential{one.value_or<std::string>("username", to_username, {}),
                                 one.value_or<std::string>("password", to_password, {})};
    const bool taken = std::any_of(all.begin(), all.end(), [&](const trunk::Credential& other) {
      return !other.username.empty() && other.username == credential.username;
    });
    if (taken) {
      one.problem("username", shown(credential.username) + " stands in the list twice",
                  "give each credential of a trunk a user name of its own");
    }
    all.push_back(std::move(credential));
  }
  return all;
}

void refuse_keys_of_other_direction(const Section& section, trunk::TrunkDirection direction) {
  static constexpr std::string_view inbound[] = {"primary",       "primary_username",  "primary_password",
                                                 "fallback",      "fallback_username", "fallback_password",
                                                 "answer_timeout"};
  static constexpr std::string_view outbound[] = {"acl", "credentials"};
  const auto refuse = [&](std::string_view key, std::string_view only) {
    if (!section.has(key)) return;
    section.problem(key, "only an " + std::string(only) + " trunk has this key",
                    "remove it, or write direction = \"" + std::string(only) + '"');
  };
  if (direction == trunk::TrunkDirection::outbound) {
    for (const std::string_view key : inbound) refuse(key, "inbound");
  } else {
    for (const std::string_view key : outbound) refuse(key, "outbound");
  }
}

void read_direction(const Section& section, trunk::Trunk& trunk) {
  section.require("direction",
                  R"(write direction = "inbound" (calls to an endpoint) or "outbound" (calls from one))");
  const auto direction = section.value("direction", to_direction);
  if (!direction) return;
  trunk.direction = *direction;
  refuse_keys_of_other_direction(section, *direction);
  if (*direction == trunk::TrunkDirection::inbound) {
    section.require("primary", R"(write primary = "sip:…", the endpoint that calls are delivered to)");
    trunk.primary = read_origination(section, "primary");
    trunk.fallback = read_origination(section, "fallback");
    trunk.answer_timeout = section.duration("answer_timeout", ring_least, ring_most, trunk.answer_timeout);
    return;
  }
  trunk.acl = section.values("acl", to_network);
  trunk.credentials = read_credentials(section);
  if (!section.has_items("acl") && !section.has_items("credentials")) {
    section.problem(
        "", "anybody could call through this trunk: it has neither acl nor credentials",
        R"(write acl = ["192.0.2.0/24"], credentials = [{ username = "…", password = "…" }], or both)");
  }
}

trunk::Trunk read_trunk(const Section& section, const std::string& domain_suffix, const Profiles& profiles) {
  trunk::Trunk trunk;
  const Profile profile = profiles.of(section);
  section.require("id", R"(write id = "…", the first part of the trunk's domain)");
  section.require("account", R"(write account = "…", the id of an account)");
  trunk.id = section.value_or("id", to_domain_label, trunk.id);
  trunk.account_id = section.value_or("account", to_id, trunk.account_id);
  trunk.name = section.value_or("name", to_name, trunk.id);
  if (!trunk.id.empty() && !domain_suffix.empty()) trunk.domain = trunk.id + '.' + domain_suffix;
  trunk.enabled = section.boolean("enabled", trunk.enabled);
  trunk.cps_max = read_limit(section, "cps_max", cps_most);
  trunk.concurrent_max = read_limit(section, "concurrent_max", concurrent_most);
  trunk.transfer = read_transfer(section.table("transfer"), profile.transfer);
  trunk.identity = read_identity(section.table("identity"), profile.identity);
  trunk.sip = read_sip(section.table("sip"), profile.sip, true);
  trunk.media = read_leg_media(section.table("media"), profile.media);
  const Section recording = section.table("recording");
  trunk.recording.enabled = recording.boolean("enabled", trunk.recording.enabled);
  trunk.recording.through_transfers =
      recording.boolean("through_transfers", trunk.recording.through_transfers);
  trunk.hold_music = section.value_or<std::string>("hold_music", to_path, {});
  trunk.unavailable_announcement = section.value_or<std::string>("unavailable_announcement", to_path, {});
  if (section.table("sip").has("auth_algorithms") && !section.has_items("credentials")) {
    section.table("sip").problem("auth_algorithms", "nobody logs in to this trunk",
                                 "add credentials, or remove this key");
  }
  read_direction(section, trunk);
  return trunk;
}

trunk::Number read_number(const Section& section) {
  trunk::Number number;
  section.require("e164", R"(write e164 = "+14155551234")");
  section.require("trunk", R"(write trunk = "…", the id of the inbound trunk that takes its calls)");
  number.e164 = section.value_or("e164", to_number, number.e164);
  if (section.has("record")) number.record = section.boolean("record", false);
  number.trunk_id = section.value_or("trunk", to_domain_label, number.trunk_id);
  return number;
}

trunk::Carrier read_carrier(const Section& section, const Profiles& profiles) {
  trunk::Carrier carrier;
  const Profile profile = profiles.of(section);
  section.require("id", R"(write id = "…", the name that records call this carrier by)");
  carrier.id = section.value_or("id", to_id, carrier.id);
  carrier.name = section.value_or("name", to_name, carrier.id);
  const Login login = read_login(section, "username", "password");
  carrier.gateways = section.values("gateways", to_gateway_uri);
  for (trunk::Uri& gateway : carrier.gateways) {
    gateway.auth_username = login.username;
    gateway.auth_password = login.password;
  }
  carrier.sources = section.values("sources", to_network);
  carrier.prefixes = section.values("prefixes", to_prefix);
  carrier.priority = static_cast<int>(section.integer("priority", 0, 1000, carrier.priority));
  carrier.rate_per_minute_micros =
      section.value_or("rate_per_minute", to_micros_of_money, carrier.rate_per_minute_micros);
  carrier.trusted_to_transfer = section.boolean("trusted_to_transfer", carrier.trusted_to_transfer);
  carrier.strip_plus = section.boolean("strip_plus", carrier.strip_plus);
  trunk::IdentitySettings identity = profile.identity;
  identity.reveal_anonymous = carrier.identity.reveal_anonymous;  // a matter of trust, not of dialect
  carrier.identity = read_identity(section.table("identity"), identity);
  carrier.sip = read_sip(section.table("sip"), profile.sip, false);
  carrier.media = read_leg_media(section.table("media"), profile.media);
  if (!section.has_items("gateways") && !section.has_items("sources")) {
    section.problem(
        "", "this carrier neither takes calls nor sends any",
        R"(write gateways = ["sip:…"] to call out, sources = ["192.0.2.10"] to be called, or both)");
  }
  return carrier;
}

}  // namespace

trunk::Model read_model(const Section& file) {
  trunk::Model model;
  const Section server = file.table("server");
  model.domain_suffix = server.value_or("domain_suffix", to_host_name, model.domain_suffix);
  if (file.has("trunk")) {
    server.require("domain_suffix",
                   R"(write domain_suffix = "sip.example.com"; a trunk's domain is <id>.<domain_suffix>)");
  }
  const Profiles profiles(file);
  for (const Section& section : file.tables("account")) model.accounts.push_back(read_account(section));
  for (const Section& section : file.tables("trunk")) {
    model.trunks.push_back(read_trunk(section, model.domain_suffix, profiles));
  }
  for (const Section& section : file.tables("number")) model.numbers.push_back(read_number(section));
  for (const Section& section : file.tables("carrier"))
    model.carriers.push_back(read_carrier(section, profiles));
  model.number_plan = number_plan();
  return model;
}

}  // namespace baton::config
