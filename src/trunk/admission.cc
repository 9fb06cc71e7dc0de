#include "trunk/admission.h"

#include <algorithm>
#include <limits>

#include "trunk/hangup.h"

namespace baton::trunk {
namespace {

constexpr Duration rate_window = 1s;
constexpr std::int64_t seconds_per_minute = 60;

// Sums of money stay at the end of their range instead of running over it.
std::int64_t add(std::int64_t a, std::int64_t b) {
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  return b > 0 && a > most - b ? most : a + b;
}

std::int64_t price_of(std::int64_t rate_per_minute, std::int64_t seconds) {
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  if (rate_per_minute > most / (seconds + 1)) return most;
  const std::int64_t sixtieths = rate_per_minute * seconds;
  return sixtieths / seconds_per_minute + (sixtieths % seconds_per_minute != 0 ? 1 : 0);
}

std::int64_t whole_seconds(Duration time) {
  if (time <= Duration::zero()) return 0;
  return std::chrono::ceil<std::chrono::seconds>(time).count();
}

// Forgets what is older than a second, and what a lowered limit no longer needs to remember.
void slide(std::deque<Time>& starts, Time now, unsigned limit) {
  while (!starts.empty() && (starts.front() + rate_window <= now || starts.size() > limit))
    starts.pop_front();
}

bool is_full(std::deque<Time>& starts, Time now, unsigned limit) {
  slide(starts, now, limit);
  return limit != 0 && starts.size() >= limit;
}

// When the next one may start, those before it having their turns. Never before `now`. Who can not wait
// competes with what has started, not with those that wait: a transfer is not refused because a dialler has
// filled the queue.
Time next_turn(std::deque<Time>& starts, Time now, unsigned limit, bool can_wait) {
  while (!starts.empty() && starts.front() + rate_window <= now) starts.pop_front();
  if (!can_wait) {
    const auto started =
        std::count_if(starts.begin(), starts.end(), [&](Time start) { return start <= now; });
    if (limit == 0 || static_cast<std::size_t>(started) < limit) return now;
  }
  if (limit == 0 || starts.size() < limit) return now;
  return std::max(now, starts[starts.size() - limit] + rate_window);
}

bool is_reached(unsigned live, unsigned limit) {
  return limit != 0 && live >= limit;
}

Refusal cps_refusal(const std::string& whose, unsigned limit) {
  return {
      503, hangup::cps_limit_reached,
      whose + " is at its limit of " + std::to_string(limit) + " calls per second; try again in a second"};
}

Refusal concurrency_refusal(const std::string& whose, unsigned limit) {
  return {503, hangup::concurrent_call_limit_exceeded,
          whose + " is at its limit of " + std::to_string(limit) +
              " legs at a time; try again when one has ended"};
}

}  // namespace

std::optional<Refusal> Admission::check(Time now, const Account& account, const Trunk& trunk,
                                        std::int64_t rate, Time starts_at, Duration wait_max) {
  Use& of_account = accounts_[account.id];
  Use& of_trunk = trunks_[trunk.id];
  if (account.balance_micros) {
    const std::int64_t left = *account.balance_micros - of_account.spent;
    if (left <= 0 || (rate > 0 && left - of_account.reserved < rate)) {
      return Refusal{402, hangup::insufficient_credits,
                     "The balance of account " + account.id + " does not cover one minute; top it up"};
    }
  }
  if (is_full(of_trunk.starts, now, trunk.cps_max)) return cps_refusal("Trunk " + trunk.id, trunk.cps_max);
  if (starts_at - now > wait_max) {
    return cps_refusal("Account " + account.id, account.cps_max);
  }
  if (is_reached(of_trunk.live, trunk.concurrent_max)) {
    return concurrency_refusal("Trunk " + trunk.id, trunk.concurrent_max);
  }
  if (is_reached(of_account.live, account.concurrent_max)) {
    return concurrency_refusal("Account " + account.id, account.concurrent_max);
  }
  return std::nullopt;
}

Result<Admission::Ticket, Refusal> Admission::admit(Time now, const Account& account, const Trunk& trunk,
                                                    std::int64_t rate_per_minute_micros, Duration wait_max) {
  const std::int64_t rate = std::max<std::int64_t>(rate_per_minute_micros, 0);
  reserve_begun_minutes(now);
  const Time starts_at = next_turn(accounts_[account.id].starts, now, account.cps_max, wait_max > Duration{});
  if (auto refusal = check(now, account, trunk, rate, starts_at, wait_max)) return fail(std::move(*refusal));

  Held held;
  held.account_id = account.id;
  held.trunk_id = trunk.id;
  held.rate = rate;
  held.reserved = account.balance_micros ? rate : 0;
  Use& of_account = accounts_[account.id];
  Use& of_trunk = trunks_[trunk.id];
  of_account.reserved = add(of_account.reserved, held.reserved);
  ++of_account.live;
  ++of_trunk.live;
  if (account.cps_max != 0) {
    of_account.starts.insert(std::upper_bound(of_account.starts.begin(), of_account.starts.end(), starts_at),
                             starts_at);
  }
  if (trunk.cps_max != 0) of_trunk.starts.push_back(now);
  const Ticket ticket{++next_id_, starts_at};
  tickets_.emplace(ticket.id, std::move(held));
  return ticket;
}

void Admission::answered(Time now, Ticket ticket) {
  const auto found = tickets_.find(ticket.id);
  if (found == tickets_.end() || found->second.answered) return;
  found->second.answered = true;
  found->second.answered_at = now;
  if (found->second.reserved == 0) return;
  found->second.next_minute = now + 1min;
  minutes_.insert({found->second.next_minute, ticket.id});
}

void Admission::never_answered(Ticket ticket) {
  const auto found = tickets_.find(ticket.id);
  if (found == tickets_.end() || !found->second.answered) return;
  found->second.answered = false;
  minutes_.erase({found->second.next_minute, ticket.id});
}

Admission::Ticket Admission::split(Time now, Ticket ticket) {
  const auto found = tickets_.find(ticket.id);
  if (found == tickets_.end()) return {};
  Held held;
  held.account_id = found->second.account_id;
  held.trunk_id = found->second.trunk_id;
  held.rate = found->second.rate;
  held.reserved = found->second.reserved != 0 ? held.rate : 0;
  Use& of_account = accounts_[held.account_id];
  of_account.reserved = add(of_account.reserved, held.reserved);
  ++of_account.live;
  ++trunks_[held.trunk_id].live;
  const Ticket half{++next_id_};
  tickets_.emplace(half.id, std::move(held));
  answered(now, half);
  return half;
}

// A call that has used up the minute it reserved reserves the next one: long calls must not hide what they
// cost from those who ask later.
void Admission::reserve_begun_minutes(Time now) {
  while (!minutes_.empty() && minutes_.begin()->at <= now) {
    const Minute minute = *minutes_.begin();
    minutes_.erase(minutes_.begin());
    Held& held = tickets_.at(minute.ticket);
    const std::int64_t begun = (now - minute.at) / Duration(1min) + 1;
    const std::int64_t price = price_of(held.rate, begun * seconds_per_minute);
    Use& use = accounts_[held.account_id];
    held.reserved = add(held.reserved, price);
    use.reserved = add(use.reserved, price);
    held.next_minute = minute.at + begun * Duration(1min);
    minutes_.insert({held.next_minute, minute.ticket});
  }
}

std::int64_t Admission::release(Time now, Ticket ticket) {
  const auto found = tickets_.find(ticket.id);
  if (found == tickets_.end()) return 0;
  const Held held = std::move(found->second);
  tickets_.erase(found);
  std::int64_t price = 0;
  if (held.answered) {
    price = price_of(held.rate, whole_seconds(now - held.answered_at));
    minutes_.erase({held.next_minute, ticket.id});
  }
  Use& of_account = accounts_[held.account_id];
  of_account.reserved -= held.reserved;
  of_account.spent = add(of_account.spent, price);
  --of_account.live;
  --trunks_[held.trunk_id].live;
  return price;
}

std::optional<std::int64_t> Admission::balance_micros(const Account& account) const {
  if (!account.balance_micros) return std::nullopt;
  const auto use = accounts_.find(account.id);
  if (use == accounts_.end()) return account.balance_micros;
  return *account.balance_micros - use->second.spent - use->second.reserved;
}

}  // namespace baton::trunk
