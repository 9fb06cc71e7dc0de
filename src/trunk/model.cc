#include "trunk/model.h"

#include <algorithm>

#include "base/ascii.h"

namespace baton::trunk {
namespace {

template <typename T, typename Key>
const T* scan(const std::vector<T>& all, std::string_view wanted, Key key) {
  const auto found = std::find_if(all.begin(), all.end(), [&](const T& one) { return key(one) == wanted; });
  return found == all.end() ? nullptr : &*found;
}

// An index that no longer fits its vector (someone changed the model and did not rebuild) is not believed.
template <typename T, typename Key>
const T* look_up(const Model::Indexes& indexes, const Model::Index<std::uint32_t>& index,
                 const std::vector<T>& all, std::string_view wanted, Key key) {
  if (!indexes.built || index.size() != all.size()) return scan(all, wanted, key);
  const auto found = index.find(wanted);
  if (found == index.end()) return nullptr;
  if (found->second >= all.size() || key(all[found->second]) != wanted) return scan(all, wanted, key);
  return &all[found->second];
}

template <typename T, typename Key>
void fill(Model::Index<std::uint32_t>& index, const std::vector<T>& all, Key key) {
  index.clear();
  index.reserve(all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    index.try_emplace(std::string(key(all[i])), static_cast<std::uint32_t>(i));
  }
}

std::string_view account_key(const Account& account) {
  return account.id;
}
std::string_view trunk_key(const Trunk& trunk) {
  return trunk.id;
}
std::string_view domain_key(const Trunk& trunk) {
  return trunk.domain;
}
std::string_view number_key(const Number& number) {
  return number.e164;
}
std::string_view carrier_key(const Carrier& carrier) {
  return carrier.id;
}

// RFC 4291 2.5.5.2. A dual-stack socket shows IPv4 peers this way.
IpAddress without_mapping(const IpAddress& ip) {
  static constexpr std::uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (!ip.v6 || !std::equal(std::begin(mapped), std::end(mapped), ip.bytes.begin())) return ip;
  return IpAddress::v4(ip.bytes[12], ip.bytes[13], ip.bytes[14], ip.bytes[15]);
}

}  // namespace

const Account* Model::account(std::string_view id) const {
  return look_up(indexes, indexes.accounts, accounts, id, account_key);
}

const Trunk* Model::trunk(std::string_view id) const {
  return look_up(indexes, indexes.trunks, trunks, id, trunk_key);
}

const Trunk* Model::trunk_by_domain(std::string_view domain) const {
  // RFC 1034 3.1: a name with a dot at its end is the same name, written out to the root.
  if (domain.ends_with('.')) domain.remove_suffix(1);
  if (domain.empty()) return nullptr;
  return look_up(indexes, indexes.trunks_by_domain, trunks, ascii::lowered(domain), domain_key);
}

const Number* Model::number(std::string_view e164) const {
  return look_up(indexes, indexes.numbers, numbers, e164, number_key);
}

Duration Model::announcement(std::string_view prompt) const {
  const auto found = announcements.find(prompt);
  return found == announcements.end() ? Duration{} : found->second;
}

const Carrier* Model::carrier(std::string_view id) const {
  return look_up(indexes, indexes.carriers, carriers, id, carrier_key);
}

const Carrier* Model::carrier_by_source(const IpAddress& source) const {
  const IpAddress ip = without_mapping(source);
  const Carrier* best = nullptr;
  int best_length = -1;
  for (const Carrier& carrier : carriers) {
    for (const IpNetwork& network : carrier.sources) {
      if (network.prefix_length > best_length && network.contains(ip)) {
        best = &carrier;
        best_length = network.prefix_length;
      }
    }
  }
  return best;
}

std::vector<Model::PrefixMatch> Model::carriers_for(std::string_view e164) const {
  std::vector<PrefixMatch> matches;
  if (indexes.built && indexes.carriers.size() == carriers.size()) {
    std::vector<std::pair<std::uint32_t, std::size_t>> found;  // position, length
    for (std::size_t length = std::min<std::size_t>(e164.size(), 16) + 1; length-- > 0;) {
      const auto at = indexes.carriers_by_prefix.find(e164.substr(0, length));
      if (at == indexes.carriers_by_prefix.end()) continue;
      for (const std::uint32_t position : at->second) found.emplace_back(position, length);
    }
    // Longest first within a carrier, so that unique() keeps the longest.
    std::stable_sort(found.begin(), found.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    found.erase(std::unique(found.begin(), found.end(),
                            [](const auto& a, const auto& b) { return a.first == b.first; }),
                found.end());
    for (const auto& [position, length] : found) matches.push_back({&carriers[position], length});
    return matches;
  }
  for (const Carrier& carrier : carriers) {
    bool fits = carrier.prefixes.empty();
    std::size_t longest = 0;
    for (const std::string& prefix : carrier.prefixes) {
      if (!e164.starts_with(prefix)) continue;
      fits = true;
      longest = std::max(longest, prefix.size());
    }
    if (fits) matches.push_back({&carrier, longest});
  }
  return matches;
}

std::string Model::country_of(std::string_view e164) const {
  return number_plan ? number_plan->country_of(e164) : std::string();
}

void Model::build_indexes() {
  indexes = {};
  fill(indexes.accounts, accounts, account_key);
  fill(indexes.trunks, trunks, trunk_key);
  fill(indexes.trunks_by_domain, trunks, domain_key);
  fill(indexes.numbers, numbers, number_key);
  fill(indexes.carriers, carriers, carrier_key);
  for (std::size_t i = 0; i < carriers.size(); ++i) {
    const auto position = static_cast<std::uint32_t>(i);
    if (carriers[i].prefixes.empty()) indexes.carriers_by_prefix[""].push_back(position);
    for (const std::string& prefix : carriers[i].prefixes) {
      indexes.carriers_by_prefix[prefix].push_back(position);
    }
  }
  indexes.built = true;
}

}  // namespace baton::trunk
