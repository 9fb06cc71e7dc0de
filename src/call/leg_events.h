// What a leg tells the call layer. Legs never see each other's SIP; these few events are all that crosses,
// with headers and SDP as payload inside the leg.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "base/target.h"
#include "call/info.h"
#include "call/leg.h"

namespace baton::call {

// A new incoming INVITE; leg.request holds it. Needs reject(), or progress()/answer().
struct LegOffered {
  LegHandle leg;
};
// Incoming: its media endpoint is open; answer() will not fail for want of one.
struct LegReady {
  LegHandle leg;
};
// Outgoing: 18x. `early_media` when it brought a usable description.
struct LegProgress {
  LegHandle leg;
  int status = 180;
  bool early_media = false;
};
// Outgoing: 2xx with a usable description. The ACK is owed: acknowledge(), after the leg has its place in the
// call (an instant BYE must find it there).
struct LegAnswered {
  LegHandle leg;
};
// Outgoing: over without an answer. Terminal.
struct LegFailed {
  LegHandle leg;
  int status = 0;  // 408 and 503 also for timeouts and transport errors of ours
  std::string reason;
  bool unreachable = false;  // nobody answered at all
  bool ours = false;         // it never left this machine: no port, no listener
};
// Outgoing: what became of the first request to a target, whatever the leg makes of it. Before the other
// events about it.
struct LegTarget {
  Target target;
  enum class Fate : std::uint8_t { answered, unreachable, asked_to_wait } fate = Fate::answered;
  Duration wait{};  // with asked_to_wait: the 503's Retry-After
};
// Incoming: the ACK came.
struct LegConfirmed {
  LegHandle leg;
};
// The peer changed its description (hold, resume, new address); media is already set.
struct LegUpdated {
  LegHandle leg;
};
// Its answer to an offer of ours in mid-call says something else about holding than it said before.
struct LegWishChanged {
  LegHandle leg;
};

// Confirmed: no media from the party for too long although it should send.
struct LegSilent {
  LegHandle leg;
  bool lost = false;  // and none will come: the media plane has lost its end
};

// The peer pressed a key, and its other party is not told by the media plane.
struct LegDigit {
  LegHandle leg;
  KeyPress key;
};

enum class LegEnd : std::uint8_t {
  hung_up,    // the peer's BYE
  cancelled,  // the peer's CANCEL before the answer
  lost,       // no ACK, or the dialog turned out to be dead
  released,   // by us
};
// Over. Terminal.
struct LegEnded {
  LegHandle leg;
  LegEnd how = LegEnd::released;
  std::string reason;  // the peer's Reason header
};

// The peer sent REFER; `index` of leg.open_refers waits for answer_refer().
enum class ReferTiming : std::uint8_t { good, too_early, too_late };
struct LegReferred {
  LegHandle leg;
  txn::TxnId txn;
  ReferTiming timing = ReferTiming::good;
  LegHandle about{};  // the leg that Target-Dialog names; none: the one it was sent on
};
// The subscription of that REFER has said its last word, or nobody listens any more.
struct LegNotified {
  LegHandle leg;
  std::uint32_t refer_cseq = 0;
};

using LegEvent =
    std::variant<LegOffered, LegReady, LegProgress, LegAnswered, LegFailed, LegConfirmed, LegUpdated,
                 LegWishChanged, LegEnded, LegReferred, LegNotified, LegSilent, LegTarget, LegDigit>;

}  // namespace baton::call
