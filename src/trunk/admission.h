// Calls-per-second and concurrency limits and prepaid balance, per account and trunk. Owned by one engine;
// time is an argument.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "trunk/model.h"
#include "trunk/policy.h"

namespace baton::trunk {

class Admission {
 public:
  // What one admitted leg holds until release().
  struct Ticket {
    std::uint64_t id = 0;  // 0: none
    Time starts_at{};      // not before: its turn by the account's calls per second
    [[nodiscard]] explicit operator bool() const { return id != 0; }
  };

  // Admits one leg: balance (402), trunk CPS (503), account CPS (503), concurrency (503). On refusal nothing
  // is held; the 503s carry a hang-up code of 5180 or 5190, and retry_after_s() says when to try again. A leg
  // that costs nothing needs a balance above zero; any other needs a minute's price beyond what others hold.
  // A leg beyond the account's CPS gets the next turn that is free, first come first served, if that is no
  // further away than `wait_max`.
  [[nodiscard]] Result<Ticket, Refusal> admit(Time now, const Account& account, const Trunk& trunk,
                                              std::int64_t rate_per_minute_micros, Duration wait_max = {});
  // The leg was answered: its price runs from here.
  void answered(Time now, Ticket ticket);
  // It was not after all: it costs nothing.
  void never_answered(Ticket ticket);
  // A second ticket of the same account, trunk and rate, answered now: an answered leg goes on in another
  // record. Never refused: nobody new is called. None when `ticket` is none.
  [[nodiscard]] Ticket split(Time now, Ticket ticket);
  // The leg is over. Charges whole seconds from the answer, rounded up, and returns the price in millionths.
  std::int64_t release(Time now, Ticket ticket);

  [[nodiscard]] unsigned retry_after_s() const { return 1; }
  [[nodiscard]] std::size_t held() const { return tickets_.size(); }
  // Balance left, reservations taken off as of the last admit(); nothing when the account is not prepaid.
  [[nodiscard]] std::optional<std::int64_t> balance_micros(const Account& account) const;

 private:
  struct Held {
    std::string account_id, trunk_id;
    std::int64_t rate = 0;
    std::int64_t reserved = 0;
    Time answered_at{};
    Time next_minute{};
    bool answered = false;
  };
  struct Use {
    unsigned live = 0;
    // Of the last second, and turns to come; kept only while there is a limit.
    std::deque<Time> starts;
    std::int64_t spent = 0;
    std::int64_t reserved = 0;
  };
  // The next minute of an answered leg begins.
  struct Minute {
    Time at{};
    std::uint64_t ticket = 0;
    auto operator<=>(const Minute&) const = default;
  };

  void reserve_begun_minutes(Time now);
  [[nodiscard]] std::optional<Refusal> check(Time now, const Account& account, const Trunk& trunk,
                                             std::int64_t rate, Time starts_at, Duration wait_max);

  std::map<std::uint64_t, Held> tickets_;
  std::map<std::string, Use, std::less<>> accounts_, trunks_;
  std::set<Minute> minutes_;
  std::uint64_t next_id_ = 0;
};

}  // namespace baton::trunk
