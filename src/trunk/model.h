// What is configured, as one immutable snapshot. A change makes a new snapshot; a call keeps what it read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/address.h"
#include "base/target.h"
#include "base/time.h"
#include "trunk/identity.h"
#include "trunk/media_settings.h"
#include "trunk/sip_settings.h"

namespace baton::trunk {

// A country by number. Implemented over libphonenumber in config/, by a small table in the simulator.
class NumberPlan {
 public:
  virtual ~NumberPlan() = default;
  // ISO 3166 alpha-2 in capitals ("US"); empty when the number belongs to no country. `e164` has its '+'.
  [[nodiscard]] virtual std::string country_of(std::string_view e164) const = 0;
};

struct GeoPermissions {
  bool allow_all = true;                       // false: only the countries listed
  std::vector<std::string> allowed_countries;  // ISO alpha-2
  std::vector<std::string> blocked_countries;
  std::vector<std::string> blocked_prefixes;  // "+1900"; the longest matching prefix of both lists wins
  std::vector<std::string> allowed_prefixes;
};

struct Account {
  std::string id;
  std::string name;
  unsigned cps_max = 0;         // 0: no limit
  Duration cps_wait = 4s;       // how long a call beyond it may wait for its turn
  unsigned concurrent_max = 0;  // legs to carriers and endpoints; 0: no limit
  // Prepaid balance in millionths of the currency at start; nothing: not prepaid.
  std::optional<std::int64_t> balance_micros;
  GeoPermissions geo;
};

// Who ends the dialog with the transferor once it knows that its transfer worked.
enum class LastBye : std::uint8_t { server, transferor, either };

enum class TransferCallerId : std::uint8_t { by_direction, transferee, transferor, fixed };

struct TransferSettings {
  bool enabled = true;
  int accept_code = 202;  // or 200 (RFC 7647)
  Duration ring_timeout = 60s;
  // Who waits for the target, or is back, hears noise when whom he hears sent nothing for so long; 0: never.
  Duration comfort_after = 1s;
  unsigned depth_max = 20;
  std::vector<std::string> allowed_hosts;  // besides the account's trunk domains; lower case
  TransferCallerId caller_id = TransferCallerId::by_direction;
  std::string fixed_caller_id;   // E.164, with TransferCallerId::fixed
  bool copy_headers = true;      // X-* and User-to-User of the REFER itself
  bool attended = true;          // Replaces in a Refer-To (RFC 3891)
  bool notify_id_first = false;  // the id that a second REFER's NOTIFYs need is on the first one's too
  bool notify_progress = true;   // false: NOTIFY 100 and the final one only
  LastBye last_bye = LastBye::server;
  bool early_bye_continues = false;           // a transferor that hangs up early does not end the transfer
  bool return_on_target_hangup = false;       // the endpoint is called back when the target hangs up
  std::vector<std::string> fallback_targets;  // E.164, tried in turn when the target fails
  std::string announcement;  // the prompt that a transferee hears once, first of all; empty: none
};

struct RecordingSettings {
  bool enabled = false;  // calls of the trunk are recorded
  // A transfer's leg is recorded too, whoever it leads to, and belongs to the chain of what was before.
  bool through_transfers = false;
};

struct Uri {         // where an endpoint or gateway is
  std::string user;  // empty: the dialled number
  std::string host;
  std::uint16_t port = 0;  // 0: 5060 (5061 for TLS), or what SRV records say
  Transport transport = Transport::udp;
  std::string auth_username;  // empty: not asked to authenticate
  std::string auth_password;
  bool any_transport = false;  // none was written: RFC 3263 4.1 finds it; `transport` is for want of records
  bool sips = false;           // TLS, whatever is written
  bool operator==(const Uri&) const = default;

  [[nodiscard]] Lookup lookup() const {
    return {host, port, any_transport ? std::nullopt : std::optional(transport), sips};
  }
};

struct Credential {
  std::string username;
  std::string password;
};

enum class TrunkDirection : std::uint8_t { inbound, outbound };

struct Trunk {
  std::string id;
  std::string account_id;
  std::string name;
  std::string domain;  // "<id>.<suffix>", lower case
  TrunkDirection direction = TrunkDirection::inbound;
  bool enabled = true;
  unsigned cps_max = 0;
  unsigned concurrent_max = 0;
  TransferSettings transfer;
  IdentitySettings identity;
  SipSettings sip;
  MediaSettings media;
  RecordingSettings recording;
  std::string hold_music;  // the prompt that is heard while somebody holds; empty: what the holder sends
  // The prompt that a caller hears before it is refused for want of who takes its call; empty: none.
  std::string unavailable_announcement;
  // inbound
  std::optional<Uri> primary;
  std::optional<Uri> fallback;
  Duration answer_timeout = 60s;  // ring time at each origination URI before the next one is tried
  // outbound
  std::vector<IpNetwork> acl;
  std::vector<Credential> credentials;
};

struct Number {
  std::string e164;
  std::string account_id;
  std::string trunk_id;          // the inbound trunk it is delivered to
  std::optional<bool> record{};  // otherwise as its trunk
};

struct Carrier {
  std::string id;
  std::string name;
  std::vector<Uri> gateways;          // tried in order
  std::vector<IpNetwork> sources;     // who may send calls to our numbers
  std::vector<std::string> prefixes;  // "+44"; empty: every number
  int priority = 0;                   // lower first
  std::int64_t rate_per_minute_micros = 0;
  bool trusted_to_transfer = false;                     // its REFERs are accepted
  bool strip_plus = false;                              // send 4420… instead of +4420…
  IdentitySettings identity{.reveal_anonymous = true};  // RFC 3325: of our trust domain
  SipSettings sip;
  MediaSettings media;
};

// Lookups are by value and never fail loudly: null means "not configured".
struct Model {
  std::vector<Account> accounts;
  std::vector<Trunk> trunks;
  std::vector<Number> numbers;
  std::vector<Carrier> carriers;
  std::string domain_suffix;
  std::shared_ptr<const NumberPlan> number_plan;
  // How long each prompt lasts that is played as an announcement: to its end, and then something happens.
  std::map<std::string, Duration, std::less<>> announcements{};

  [[nodiscard]] const Account* account(std::string_view id) const;
  [[nodiscard]] const Trunk* trunk(std::string_view id) const;
  [[nodiscard]] const Trunk* trunk_by_domain(std::string_view domain) const;  // any case
  [[nodiscard]] const Number* number(std::string_view e164) const;
  // The carrier with the narrowest network around `source`; an IPv4-mapped IPv6 address counts as IPv4.
  [[nodiscard]] const Carrier* carrier_by_source(const IpAddress& source) const;
  [[nodiscard]] const Carrier* carrier(std::string_view id) const;

  // A carrier that takes calls to a number, by the longest of its prefixes that fits ("" fits every number).
  struct PrefixMatch {
    const Carrier* carrier = nullptr;
    std::size_t length = 0;
  };
  // In the order of `carriers`.
  [[nodiscard]] std::vector<PrefixMatch> carriers_for(std::string_view e164) const;

  // How long it lasts; zero: it can not be played.
  [[nodiscard]] Duration announcement(std::string_view prompt) const;

  // Of a number, "" when there is no plan.
  [[nodiscard]] std::string country_of(std::string_view e164) const;

  // Makes lookups take the same time in a model of any size. To be called after the last change; a model
  // without indexes answers the same, by looking at everything. Positions, not pointers: copies stay good.
  void build_indexes();

  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  template <typename T>
  using Index = std::unordered_map<std::string, T, Hash, std::equal_to<>>;
  struct Indexes {
    bool built = false;
    Index<std::uint32_t> accounts, trunks, trunks_by_domain, numbers, carriers;
    Index<std::vector<std::uint32_t>> carriers_by_prefix;
  };
  Indexes indexes{};
};

using Snapshot = std::shared_ptr<const Model>;

}  // namespace baton::trunk
