#include "dialog/refer_subscription.h"

#include <algorithm>

#include "sip/draft.h"

namespace baton::dialog {

namespace {
constexpr Duration spacing = 1s;  // RFC 3515 2.4.4: no more than one a second
}

ReferSubscription::ReferSubscription(std::uint32_t cseq, bool with_id, Time now, Duration lifetime)
    : cseq_(cseq), with_id_(with_id), expires_at_(now + lifetime) {}

void ReferSubscription::report(int status, std::string reason) {
  if (over_ || final_sent_) return;
  if (waiting_ && waiting_->status >= 200) return;
  waiting_ = Report{status, std::move(reason)};
}

std::optional<Notification> ReferSubscription::next(Time now, bool force) {
  if (over_ || final_sent_ || !waiting_) return std::nullopt;
  const bool final = waiting_->status >= 200 || unsubscribed_;
  if (in_flight_ && !(force && final)) return std::nullopt;
  if (!final && last_sent_at_ && now < *last_sent_at_ + spacing) return std::nullopt;
  last_ = *waiting_;
  waiting_.reset();

  Notification notification;
  notification.final = final;
  notification.event = with_id_ ? "refer;id=" + std::to_string(cseq_) : "refer";
  if (final) {
    notification.subscription_state =
        unsubscribed_ ? "terminated;reason=timeout" : "terminated;reason=noresource";
  } else {
    const auto left = std::chrono::duration_cast<std::chrono::seconds>(expires_at_ - now).count();
    notification.subscription_state = "active;expires=" + std::to_string(std::max<std::int64_t>(left, 1));
  }
  notification.body = sip::make_sipfrag(last_.status, last_.reason);
  last_sent_at_ = now;
  in_flight_ = true;
  final_sent_ = final;
  return notification;
}

std::optional<Time> ReferSubscription::next_due() const {
  if (over_ || final_sent_ || !waiting_ || in_flight_) return std::nullopt;
  if (waiting_->status >= 200 || unsubscribed_ || !last_sent_at_) return Time::min();
  return *last_sent_at_ + spacing;
}

void ReferSubscription::answered(int status, bool final) {
  in_flight_ = false;
  // Once the final word is out only its own answer counts: its predecessor, overtaken by it, is out of order
  // for the peer (RFC 3261 12.2.2).
  if (final || (status >= 300 && !final_sent_)) over_ = true;
}

unsigned ReferSubscription::refresh(Time now, unsigned expires_s) {
  if (expires_s == 0) {
    // Unsubscribing is not cancelling (RFC 3515 2.4.7): one last NOTIFY says where things stand.
    unsubscribed_ = true;
    if (!waiting_) waiting_ = last_;
    return 0;
  }
  const unsigned granted = std::clamp(expires_s, 60U, 3600U);
  expires_at_ = now + std::chrono::seconds(granted);
  if (!waiting_) waiting_ = last_;
  return granted;
}

}  // namespace baton::dialog
