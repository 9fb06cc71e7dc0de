#include "dialog/session_timer.h"

#include <algorithm>
#include <charconv>

#include "sip/text.h"

namespace baton::dialog {
namespace {

constexpr Duration least = 90s;                  // RFC 4028 4
constexpr std::int64_t seconds_max = 1'000'000;  // whatever is beyond is as good as this

std::optional<Duration> seconds_of(std::string_view text) {
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  const bool digits = !text.empty() && text.front() >= '0' && text.front() <= '9';
  if (!digits || end != text.data() + text.size()) return std::nullopt;
  if (error != std::errc{} || seconds > seconds_max) seconds = seconds_max;
  return std::chrono::seconds(seconds);
}

std::int64_t in_seconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::seconds>(duration).count();
}

// delta-seconds and parameters, of which each is given to `visit`. Nothing: the header can not be read.
template <typename Visit>
std::optional<Duration> read_seconds(std::string_view header, Visit&& visit) {
  sip::text::Cursor cursor(header);
  cursor.skip_white();
  const auto seconds = seconds_of(cursor.take(sip::text::Chars::loose_word));
  if (!seconds) return std::nullopt;
  sip::text::ParameterReader reader(cursor);
  sip::text::RawParameter parameter;
  for (;;) {
    const auto more = reader.next(parameter);
    if (!more) return std::nullopt;
    if (!*more) return seconds;
    visit(parameter);
  }
}

std::optional<Duration> min_se_of(const sip::Message& message) {
  return read_seconds(message.header(sip::HeaderId::min_se), [](const sip::text::RawParameter&) {});
}

}  // namespace

std::optional<SessionExpires> SessionExpires::of(const sip::Message& message) {
  SessionExpires expires;
  const auto note = [&](const sip::text::RawParameter& parameter) {
    if (!parameter.is("refresher") || expires.refresher != Refresher::unsaid) return;
    if (parameter.value == "uac") expires.refresher = Refresher::uac;
    if (parameter.value == "uas") expires.refresher = Refresher::uas;
  };
  const auto interval = read_seconds(message.header(sip::HeaderId::session_expires), note);
  if (!interval) return std::nullopt;
  expires.interval = *interval;
  return expires;
}

SessionTimer::SessionTimer(Duration expires, Duration min_se)
    : wanted_(expires), min_se_(std::max<Duration>(min_se, least)) {
  if (wanted_ > Duration::zero()) wanted_ = std::max(wanted_, min_se_);
}

void SessionTimer::ask(sip::Draft& request) const {
  const Duration floor = std::max(min_se_, peer_min_);
  Duration interval = active() ? interval_ : wanted_;
  if (interval == Duration::zero()) return;
  interval = std::max(interval, floor);
  const std::string_view refresher = !active() ? "" : we_refresh_ ? ";refresher=uac" : ";refresher=uas";
  request.remove(sip::HeaderId::session_expires)
      .add(sip::HeaderId::session_expires, {std::to_string(in_seconds(interval)), refresher});
  // Absent it reads as 90, and a retry after a 422 has to say what it has learned (7.4).
  if (floor > least || peer_min_ > Duration::zero()) {
    request.set(sip::HeaderId::min_se, std::to_string(in_seconds(floor)));
  }
}

bool SessionTimer::raise(const sip::Message& response) {
  const auto least_of_peer = min_se_of(response);
  const Duration asked = std::max({active() ? interval_ : wanted_, min_se_, peer_min_});
  if (!least_of_peer || *least_of_peer <= asked) return false;
  peer_min_ = *least_of_peer;
  return true;
}

void SessionTimer::take(const sip::Message& response) {
  const auto expires = SessionExpires::of(response);
  if (!expires || expires->interval == Duration::zero()) {
    interval_ = Duration::zero();
    return;
  }
  // Shorter than anybody may ask for would be a refresh every few seconds.
  interval_ = std::max<Duration>(expires->interval, least);
  // A peer that does not say who refreshes leaves it to whoever asked.
  we_refresh_ = expires->refresher != SessionExpires::Refresher::uas;
}

std::optional<unsigned> SessionTimer::too_small(const sip::Message& request) const {
  const auto expires = SessionExpires::of(request);
  const bool can_retry =
      request.lists(sip::HeaderId::supported, "timer") || request.lists(sip::HeaderId::require, "timer");
  if (!expires || !can_retry || expires->interval >= min_se_) return std::nullopt;
  return static_cast<unsigned>(in_seconds(min_se_));
}

void SessionTimer::answer(const sip::Message& request, sip::Draft& response) {
  const auto expires = SessionExpires::of(request);
  // Who names a refresher knows what it is about, though it may forget to say so when it refreshes.
  const bool names_refresher = expires && expires->refresher != SessionExpires::Refresher::unsaid;
  const bool peer_can = names_refresher || request.lists(sip::HeaderId::supported, "timer") ||
                        request.lists(sip::HeaderId::require, "timer");
  const Duration floor = std::max(min_se_, min_se_of(request).value_or(least));
  const bool had_one = active();
  interval_ = Duration::zero();
  if (expires) {
    // It may be shortened, never lengthened; without "timer" it is a proxy's wish that we carry out.
    interval_ = expires->interval;
    if (wanted_ > Duration::zero()) interval_ = std::min(interval_, std::max(wanted_, floor));
    interval_ = std::max<Duration>(interval_, least);
  } else if (peer_can && wanted_ > Duration::zero()) {
    interval_ = std::max(wanted_, floor);
  }
  if (!active()) return;
  using Refresher = SessionExpires::Refresher;
  const Refresher asked = expires ? expires->refresher : Refresher::unsaid;
  if (!peer_can || asked == Refresher::uas) {
    we_refresh_ = true;
  } else if (asked == Refresher::uac) {
    we_refresh_ = false;
  } else if (!had_one) {
    we_refresh_ = true;  // a call of ours does not hang on the peer's clock
  }
  const std::string_view refresher = we_refresh_ ? ";refresher=uas" : ";refresher=uac";
  response.remove(sip::HeaderId::session_expires)
      .add(sip::HeaderId::session_expires, {std::to_string(in_seconds(interval_)), refresher});
  if (peer_can) response.add(sip::HeaderId::require, "timer");
}

Duration SessionTimer::over_after() const {
  return interval_ - std::min<Duration>(32s, interval_ / 3);
}

}  // namespace baton::dialog
