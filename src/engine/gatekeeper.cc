#include "engine/gatekeeper.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "sip/text.h"

namespace baton::engine {
namespace {

constexpr std::int64_t message = 1'000'000;  // of a bucket, so that a microsecond at 1/s is one token
constexpr unsigned burst_factor = 3;

IpAddress masked(IpAddress ip, unsigned length) {
  const std::size_t size = ip.v6 ? 16 : 4;
  for (std::size_t i = 0; i < size; ++i) {
    const unsigned kept = length > 8 * i ? std::min<unsigned>(8, length - static_cast<unsigned>(8 * i)) : 0;
    ip.bytes[i] = static_cast<std::uint8_t>(ip.bytes[i] & (0xff00U >> kept));
  }
  return ip;
}

// An IPv4 address in IPv6 clothes (RFC 4291 2.5.5.2) is the IPv4 address.
IpAddress unmapped(const IpAddress& ip) {
  static constexpr std::array<std::uint8_t, 12> mapping = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (!ip.v6 || !std::equal(mapping.begin(), mapping.end(), ip.bytes.begin())) return ip;
  return IpAddress::v4(ip.bytes[12], ip.bytes[13], ip.bytes[14], ip.bytes[15]);
}

// One host has a /64 of its own to send from.
IpAddress key_of(const IpAddress& source) {
  const IpAddress ip = unmapped(source);
  return ip.v6 ? masked(ip, 64) : ip;
}

}  // namespace

Gatekeeper::Gatekeeper(const GateLimits& limits, const trunk::Model& model) : limits_(limits) {
  configure(model);
}

void Gatekeeper::configure(const trunk::Model& model) {
  networks_.clear();
  const auto add = [this](const IpNetwork& network) {
    networks_[{network.base.v6, network.prefix_length}].insert(masked(network.base, network.prefix_length));
  };
  const auto add_host = [&add](const trunk::Uri& uri) {
    const auto ip = IpAddress::parse(uri.host);
    if (ip) add({*ip, static_cast<std::uint8_t>(ip->v6 ? 128 : 32)});
  };
  for (const trunk::Carrier& carrier : model.carriers) {
    for (const IpNetwork& network : carrier.sources) add(network);
    for (const trunk::Uri& gateway : carrier.gateways) add_host(gateway);
  }
  for (const trunk::Trunk& trunk : model.trunks) {
    for (const IpNetwork& network : trunk.acl) add(network);
    if (trunk.primary) add_host(*trunk.primary);
    if (trunk.fallback) add_host(*trunk.fallback);
  }
  std::erase_if(trunks_, [&model](const auto& entry) { return model.trunk(entry.first) == nullptr; });
}

// Few prefix lengths are in use, so this is a handful of look-ups however long the lists are.
bool Gatekeeper::is_configured(const IpAddress& ip) const {
  return std::any_of(networks_.begin(), networks_.end(), [&ip](const auto& entry) {
    const auto& [kind, bases] = entry;
    return kind.first == ip.v6 && bases.count(masked(ip, kind.second)) != 0;
  });
}

const Gatekeeper::Entry* Gatekeeper::find(const IpAddress& key) const {
  const auto found = sources_.find(key);
  return found == sources_.end() ? nullptr : &*found->second;
}

Gatekeeper::Entry& Gatekeeper::entry_of(Time now, const IpAddress& key) {
  const auto found = sources_.find(key);
  if (found != sources_.end()) {
    Entry& known = *found->second;
    if (known.among_friends && now < known.welcome_until) return known;
    order_.splice(order_.begin(), known.among_friends ? friends_ : order_, found->second);
    known.among_friends = false;
    return known;
  }
  while (!sources_.empty() && sources_.size() >= limits_.sources_max) make_room(now);
  Entry entry;
  entry.source = key;
  entry.filled_at = now;
  entry.tokens = message * burst_factor * limits_.stranger_rate;
  order_.push_front(entry);
  sources_.emplace(key, order_.begin());
  return order_.front();
}

// Whoever sends from many addresses, or from forged ones, pushes out others of that kind only. All are
// welcome for the same time, so the last of the friends is the first whose welcome ends.
void Gatekeeper::make_room(Time now) {
  const bool over = !friends_.empty() && friends_.back().welcome_until <= now;
  Order& from = over || order_.empty() ? friends_ : order_;
  sources_.erase(from.back().source);
  from.pop_back();
}

bool Gatekeeper::is_stranger(Time now, const IpAddress& source) {
  if (is_configured(unmapped(source))) return false;
  const Entry* entry = find(key_of(source));
  return entry == nullptr || entry->welcome_until <= now;
}

bool Gatekeeper::admit(Time now, const IpAddress& source) {
  if (limits_.stranger_rate == 0) return true;
  Entry& entry = entry_of(now, key_of(source));
  const std::int64_t full = message * burst_factor * limits_.stranger_rate;
  // After so long it is full whatever was in it; before, the product stays small.
  const Duration passed = std::min<Duration>(now - entry.filled_at, 1h);
  entry.tokens = std::min(full, entry.tokens + passed.count() * limits_.stranger_rate);
  entry.filled_at = now;
  if (entry.tokens < message) return false;
  entry.tokens -= message;
  return true;
}

bool Gatekeeper::is_silenced(Time now, const IpAddress& source, bool proven) const {
  const Entry* entry = find(key_of(source));
  return entry != nullptr && now < (proven ? entry->locked_until : entry->silent_until);
}

unsigned Gatekeeper::Count::add(Time now, Duration window) {
  if (in(now, window) == 0) *this = {now, 0};
  return ++count;
}

unsigned Gatekeeper::Count::in(Time now, Duration window) const {
  return now < began + window ? count : 0;
}

void Gatekeeper::silence(Time now, Entry& entry) {
  entry.silent_until = now + limits_.silence;
  entry.refusals = entry.failed_logins = {};
}

bool Gatekeeper::hears_anyway(Time now, const IpAddress& source) {
  constexpr Duration interval = 1s;
  const auto found = sources_.find(key_of(source));
  if (found == sources_.end()) return true;
  Entry& entry = *found->second;
  if (now < entry.locked_until || now < entry.heard_anyway_at + interval) return false;
  entry.heard_anyway_at = now;
  return true;
}

bool Gatekeeper::refused(Time now, const IpAddress& source, bool proven) {
  if (limits_.refusals_max == 0) return false;
  Entry& entry = entry_of(now, key_of(source));
  if (entry.refusals.add(now, limits_.window) < limits_.refusals_max) return false;
  // Heard in its silence for what it proved, and still only refused.
  if (proven && now < entry.silent_until) entry.locked_until = now + limits_.silence;
  silence(now, entry);
  return true;
}

void Gatekeeper::welcome(Time now, const IpAddress& source) {
  if (is_configured(unmapped(source))) return;
  Entry& entry = entry_of(now, key_of(source));
  friends_.splice(friends_.begin(), entry.among_friends ? friends_ : order_,
                  sources_.find(entry.source)->second);
  entry.among_friends = true;
  entry.welcome_until = now + acquaintance;
  entry.silent_until = Time{};
  entry.refusals = {};
}

bool Gatekeeper::may_log_in(Time now, const IpAddress& source, const std::string& trunk) {
  const Entry* entry = find(key_of(source));
  if (entry != nullptr && now < entry->locked_until) return false;
  const auto found = trunks_.find(trunk);
  if (found == trunks_.end() || limits_.failed_logins_per_trunk_max == 0) return true;
  if (found->second.in(now, limits_.window) < limits_.failed_logins_per_trunk_max) return true;
  return !is_stranger(now, source);
}

bool Gatekeeper::login_failed(Time now, const IpAddress& source, const std::string& trunk) {
  if (is_configured(unmapped(source))) return false;
  const bool stranger = is_stranger(now, source);
  if (stranger) trunks_[trunk].add(now, limits_.window);
  Entry& entry = entry_of(now, key_of(source));
  if (limits_.failed_logins_max == 0) return false;
  const unsigned most = limits_.failed_logins_max * (stranger ? 1 : acquaintances_logins);
  if (entry.failed_logins.add(now, limits_.window) < most) return false;
  entry.locked_until = now + limits_.silence;
  silence(now, entry);
  return true;
}

// ---- No reflection ----

std::string fit_response(std::string_view response, std::size_t room) {
  if (response.size() <= room) return std::string(response);
  // RFC 3261 8.2.6.2 wants none of these. The least useful goes first.
  static constexpr std::array optional_headers = {std::string_view("Server"),
                                                  std::string_view("User-Agent"),
                                                  std::string_view("Supported"),
                                                  std::string_view("Allow-Events"),
                                                  std::string_view("Accept"),
                                                  std::string_view("Allow"),
                                                  std::string_view("Contact"),
                                                  std::string_view("Warning"),
                                                  std::string_view("X-Baton-Hangup-Code")};
  const std::size_t end = response.find("\r\n\r\n");
  if (end == std::string_view::npos) return {};
  std::vector<std::string_view> lines;
  for (std::size_t at = 0; at < end + 2;) {
    const std::size_t next = response.find("\r\n", at) + 2;
    lines.push_back(response.substr(at, next - at));
    at = next;
  }
  std::size_t size = response.size();
  const auto is = [](std::string_view line, std::string_view name) {
    return line.size() > name.size() && line[name.size()] == ':' &&
           sip::text::equals_ignoring_case(line.substr(0, name.size()), name);
  };
  const auto drop_first = [&](std::string_view name) {
    const auto found =
        std::find_if(lines.begin(), lines.end(), [&](std::string_view line) { return is(line, name); });
    if (found == lines.end()) return false;
    size -= found->size();
    lines.erase(found);
    return true;
  };
  for (const std::string_view name : optional_headers) {
    while (size > room && drop_first(name)) {
    }
  }
  // The one that everybody understands stands last (RFC 8760 2.3).
  static constexpr std::string_view challenge = "WWW-Authenticate";
  while (size > room && std::count_if(lines.begin(), lines.end(),
                                      [&](std::string_view line) { return is(line, challenge); }) > 1) {
    drop_first(challenge);
  }
  // Over UDP it may be left out where there is no body (RFC 3261 18.3).
  if (size > room && std::find(lines.begin(), lines.end(), "Content-Length: 0\r\n") != lines.end()) {
    drop_first("Content-Length");
  }
  // The last resort: compact forms (7.3.3).
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 4> short_names = {
      std::pair{std::string_view("Via"), std::string_view("v")},
      {"From", "f"},
      {"To", "t"},
      {"Call-ID", "i"}};
  const bool shorten = size > room;
  std::string fitting;
  fitting.reserve(size);
  for (const std::string_view line : lines) {
    const auto* const name = std::find_if(short_names.begin(), short_names.end(),
                                          [&](const auto& one) { return shorten && is(line, one.first); });
    if (name == short_names.end()) {
      fitting += line;
    } else {
      fitting += name->second;
      fitting += line.substr(name->first.size());
    }
  }
  if (fitting.size() + (response.size() - end - 2) > room) return {};
  fitting += response.substr(end + 2);
  return fitting;
}

}  // namespace baton::engine
