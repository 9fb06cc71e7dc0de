#include "trunk/policy.h"

#include <algorithm>

#include "base/ascii.h"
#include "trunk/hangup.h"

namespace baton::trunk {
namespace {

// How specific the longest prefix of `e164` in a list is; nothing when none fits.
std::optional<std::size_t> longest_prefix(const std::vector<std::string>& prefixes, std::string_view e164) {
  std::optional<std::size_t> longest;
  for (const std::string& prefix : prefixes) {
    if (e164.starts_with(prefix) && prefix.size() >= longest.value_or(0)) longest = prefix.size();
  }
  return longest;
}

bool lists(const std::vector<std::string>& countries, std::string_view country) {
  return std::find(countries.begin(), countries.end(), country) != countries.end();
}

Refusal barred(std::string text) {
  return {403, hangup::barred_country, std::move(text)};
}

}  // namespace

Result<void, Refusal> check_geo(const Model& model, const Account& account, std::string_view e164) {
  const GeoPermissions& geo = account.geo;
  const std::string number(e164);
  const auto blocked = longest_prefix(geo.blocked_prefixes, e164);
  const auto allowed = longest_prefix(geo.allowed_prefixes, e164);
  // The same prefix in both lists is a contradiction; the one that costs nothing wins.
  if (blocked && (!allowed || *blocked >= *allowed)) {
    const std::string prefix = number.substr(0, *blocked);
    return fail(barred("Calls to " + number + " are barred by the blocked prefix " + prefix +
                       "; allow the prefix in the account's geo permissions"));
  }
  if (allowed) return {};
  if (geo.allow_all && geo.blocked_countries.empty()) return {};
  if (!model.number_plan) {
    return fail(barred("The country of " + number +
                       " can not be told without a number plan; allow its prefix " +
                       "in the account's geo permissions"));
  }
  const std::string country = model.country_of(e164);
  if (country.empty()) {
    if (geo.allow_all) return {};
    return fail(barred(number + " belongs to no country; allow its prefix in the account's geo permissions"));
  }
  if (lists(geo.blocked_countries, country) || (!geo.allow_all && !lists(geo.allowed_countries, country))) {
    return fail(barred("Calls to country " + country + " are not enabled (" + number + "); enable " +
                       country + " in the account's geo permissions"));
  }
  return {};
}

std::vector<Route> routes_to(const Model& model, std::string_view e164) {
  std::vector<Route> routes;
  if (const Number* number = model.number(e164)) {
    const Trunk* trunk = model.trunk(number->trunk_id);
    // A number of ours that is switched off is not sent out: a carrier would only bring it back.
    if (trunk == nullptr || !trunk->enabled || trunk->direction != TrunkDirection::inbound) return routes;
    for (const std::optional<Uri>* uri : {&trunk->primary, &trunk->fallback}) {
      if (uri->has_value()) routes.push_back({**uri, {}, trunk->id, false, 0});
    }
    return routes;
  }
  std::vector<Model::PrefixMatch> matches = model.carriers_for(e164);
  std::stable_sort(matches.begin(), matches.end(), [](const auto& a, const auto& b) {
    if (a.length != b.length) return a.length > b.length;
    return a.carrier->priority < b.carrier->priority;
  });
  for (const Model::PrefixMatch& match : matches) {
    const Carrier& carrier = *match.carrier;
    for (const Uri& gateway : carrier.gateways) {
      routes.push_back({gateway, carrier.id, {}, carrier.strip_plus, carrier.rate_per_minute_micros});
    }
  }
  return routes;
}

}  // namespace baton::trunk
