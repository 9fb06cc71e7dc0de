// The notifier's side of the subscription a REFER makes (RFC 3515 2.4, RFC 6665 4.2): what is to be said, in
// order, one NOTIFY at a time, at most one a second, the final one never lost. A value; owned by its leg; it
// says what to send and when, the leg sends it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/time.h"

namespace baton::dialog {

struct Notification {
  std::string event;               // "refer" or "refer;id=93809824"
  std::string subscription_state;  // "active;expires=75" or "terminated;reason=noresource"
  std::string body;                // message/sipfrag
  bool final = false;
};

class ReferSubscription {
 public:
  // `cseq` names the REFER; `with_id` from the second REFER of a dialog on (RFC 3515 2.4.6). `lifetime` must
  // be longer than the target may ring.
  ReferSubscription(std::uint32_t cseq, bool with_id, Time now, Duration lifetime);

  // What the subscriber is to learn next. A newer provisional replaces one not sent yet; nothing follows a
  // final.
  void report(int status, std::string reason = {});
  // The rest of the course is of no interest to anyone: nothing further is sent (the dialog is gone).
  void abandon() { over_ = true; }

  // The NOTIFY to send now, if one is due. Counts as sent. `force` lets the final one go although its
  // predecessor is still unanswered.
  [[nodiscard]] std::optional<Notification> next(Time now, bool force = false);
  // What next() gave out goes only now.
  void went_out(Time now) { last_sent_at_ = now; }
  // When next() may have something that it has not now; nothing: only after an answer or a report.
  [[nodiscard]] std::optional<Time> next_due() const;

  // The answer to a NOTIFY (408 for none at all), and whether that was the final one. Refusals end the
  // subscription, and it alone (RFC 6665 4.2.2).
  void answered(int status, bool final);

  // SUBSCRIBE for this event in the dialog: a refresh (`expires` > 0) or an unsubscribe (0). The NOTIFY it is
  // owed becomes due. Returns the granted seconds.
  unsigned refresh(Time now, unsigned expires_s);

  [[nodiscard]] std::uint32_t cseq() const { return cseq_; }
  [[nodiscard]] bool over() const { return over_; }  // nothing more will be sent
  [[nodiscard]] bool final_sent() const { return final_sent_; }
  [[nodiscard]] std::optional<Time> final_sent_at() const {
    return final_sent_ ? last_sent_at_ : std::nullopt;
  }
  // The final word has been delivered or refused, or there is nobody to deliver it to.
  [[nodiscard]] bool settled() const { return over_; }

 private:
  struct Report {
    int status = 0;
    std::string reason;
  };
  std::uint32_t cseq_;
  bool with_id_;
  Time expires_at_;
  std::optional<Report> waiting_;
  Report last_{100, {}};
  std::optional<Time> last_sent_at_;
  bool in_flight_ = false;
  bool final_sent_ = false;
  bool unsubscribed_ = false;
  bool over_ = false;
};

}  // namespace baton::dialog
