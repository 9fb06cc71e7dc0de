// Who is heard. Sources that somebody configured, and those we deal with, pass. Everybody else has a rate;
// whoever only collects refusals is not answered any more for a while, as is whoever guesses passwords.
// Counts per IPv4 address and per IPv6 /64. Bounded: the stranger heard longest ago is forgotten. A value of
// one engine; time is an argument.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "base/address.h"
#include "base/limits.h"
#include "base/time.h"
#include "trunk/model.h"

namespace baton::engine {

// 0 is no limit.
struct GateLimits {
  unsigned stranger_rate = 20;     // messages a second of one source; three times as many at once
  unsigned refusals_max = 20;      // refusals a stranger gets within `window` without once being welcome
  unsigned failed_logins_max = 5;  // of one stranger within `window`
  unsigned failed_logins_per_trunk_max = 50;  // of all strangers within `window`
  Duration window = 60s;
  Duration silence = 5min;  // for which nothing is answered after that
  std::size_t sources_max = limits::sources_max;
};

class Gatekeeper {
 public:
  Gatekeeper(const GateLimits& limits, const trunk::Model& model);
  // A new configuration. What is known of sources stays.
  void configure(const trunk::Model& model);

  // Nobody configured it, and nothing of late says that it belongs here.
  [[nodiscard]] bool is_stranger(Time now, const IpAddress& source);
  // A message of a stranger. False: more than its rate, it is not even looked at.
  [[nodiscard]] bool admit(Time now, const IpAddress& source);
  // Its requests outside dialogs are not answered. `proven`: it shows a nonce that was sent to that address,
  // so it is nobody else under a forged one, and may log in unless it is one that guesses.
  [[nodiscard]] bool is_silenced(Time now, const IpAddress& source, bool proven = false) const;
  // A silenced source whose address nothing proves may get a challenge once a second all the same: it may be
  // a peer whose address somebody forges, and that is all it needs to prove itself. False for one that
  // guessed.
  bool hears_anyway(Time now, const IpAddress& source);
  // A stranger was refused. True when that was the last one for a while. `proven` as above: only then does
  // the source answer for it beyond its silence.
  bool refused(Time now, const IpAddress& source, bool proven = true);
  // We have sent it a request, or it has shown who it is.
  void welcome(Time now, const IpAddress& source);

  // True when a password of this trunk may be tried now. Who belongs here always may.
  [[nodiscard]] bool may_log_in(Time now, const IpAddress& source, const std::string& trunk);
  // True when that silenced the source.
  bool login_failed(Time now, const IpAddress& source, const std::string& trunk);

  [[nodiscard]] std::size_t sources() const { return sources_.size(); }

  static constexpr Duration acquaintance = 1h;          // after the last request to it
  static constexpr unsigned acquaintances_logins = 10;  // times as many failed logins before it is a stranger

 private:
  // How often something happened in the running window.
  struct Count {
    Time began{};
    unsigned count = 0;
    unsigned add(Time now, Duration window);
    [[nodiscard]] unsigned in(Time now, Duration window) const;
  };
  struct Entry {
    IpAddress source;
    Time welcome_until{};
    Time silent_until{};
    Time locked_until{};  // nothing it proves helps, and no password is tried
    Time heard_anyway_at{};
    bool among_friends = false;  // the list it is in
    Time filled_at{};            // the bucket
    std::int64_t tokens = 0;     // millionths of a message
    Count refusals, failed_logins;
  };
  using Order = std::list<Entry>;

  [[nodiscard]] bool is_configured(const IpAddress& key) const;
  Entry& entry_of(Time now, const IpAddress& key);
  [[nodiscard]] const Entry* find(const IpAddress& key) const;
  void silence(Time now, Entry& entry);
  void make_room(Time now);

  GateLimits limits_;
  std::map<std::pair<bool, std::uint8_t>, std::set<IpAddress>> networks_;  // by family and prefix length
  Order order_;                                                            // heard last in front
  Order friends_;  // welcome once, the last one in front: forgotten when nobody else is left
  std::map<IpAddress, Order::iterator> sources_;
  std::map<std::string, Count> trunks_;
};

// `response` cut down until it is no longer than `room`: optional headers first, then all challenges but the
// last, then by compact forms. Empty when it can not be: then nothing may be sent to whoever may be somebody
// else's forged address.
[[nodiscard]] std::string fit_response(std::string_view response, std::size_t room);

}  // namespace baton::engine
