// The session timer of one dialog (RFC 4028) from our side, as a value: what we ask for, what was agreed and
// when which side has to act. The leg keeps the clock.
#pragma once

#include <optional>

#include "base/time.h"
#include "sip/draft.h"
#include "sip/message.h"

namespace baton::dialog {

// Session-Expires: an interval and who is to refresh.
struct SessionExpires {
  enum class Refresher : std::uint8_t { unsaid, uac, uas };
  Duration interval{};
  Refresher refresher = Refresher::unsaid;

  // Nothing when absent or malformed (a header field that can not be read asks for nothing).
  [[nodiscard]] static std::optional<SessionExpires> of(const sip::Message& message);
};

class SessionTimer {
 public:
  SessionTimer() = default;
  // `expires` zero: we ask for none, but serve a peer that does. `min_se` is at least 90 s (RFC 4028 4).
  SessionTimer(Duration expires, Duration min_se);

  // ---- Requests of ours: INVITE, re-INVITE, UPDATE ----
  // Session-Expires and Min-SE. In a dialog that has a timer the roles stay as they are (7.4).
  void ask(sip::Draft& request) const;
  // The peer's 422: asks for what it wants from now on. False when it says nothing that helps (7.4).
  [[nodiscard]] bool raise(const sip::Message& response);
  // The 2xx to one of them decides (7.2).
  void take(const sip::Message& response);

  // ---- Requests of the peer ----
  // The Min-SE of the 422 that is due in seconds; nothing: the interval is acceptable (9).
  [[nodiscard]] std::optional<unsigned> too_small(const sip::Message& request) const;
  // Settles the interval and says so in the 2xx (9, table 2).
  void answer(const sip::Message& request, sip::Draft& response);

  // ---- Agreed ----
  [[nodiscard]] bool active() const { return interval_ > Duration::zero(); }
  [[nodiscard]] bool we_refresh() const { return active() && we_refresh_; }
  [[nodiscard]] Duration interval() const { return interval_; }
  [[nodiscard]] Duration refresh_after() const { return interval_ / 2; }
  // After so long without a refresh the session is ended (10).
  [[nodiscard]] Duration over_after() const;

 private:
  Duration wanted_{};
  Duration min_se_{};
  Duration peer_min_{};  // learned from a 422
  Duration interval_{};  // zero: no timer
  bool we_refresh_ = false;
};

}  // namespace baton::dialog
