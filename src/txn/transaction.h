// One transaction: a state, its timers, and what has to be sent again. Lives in the Core's slab from the
// first message until its machine says terminated.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/address.h"
#include "base/assert.h"
#include "base/keyed_hash.h"
#include "base/time.h"
#include "sip/message.h"
#include "txn/layer.h"

namespace baton::txn {

enum class Role : std::uint8_t { invite_client, non_invite_client, invite_server, non_invite_server };

enum class State : std::uint8_t {
  calling,     // INVITE client: nothing heard yet
  trying,      // non-INVITE: nothing heard, or nothing answered
  proceeding,  // a provisional was heard or sent; INVITE server: no final yet
  completed,   // a final (non-2xx for INVITE) was heard or sent
  confirmed,   // INVITE server: its non-2xx final was acknowledged
  accepted,    // INVITE: a 2xx was heard or sent (RFC 6026 7)
  terminated,  // erased as soon as the machine returns
};

// RFC 3261 table 4 and RFC 6026, by their letters; then three that have none.
enum class Timer : std::uint8_t {
  a,         // INVITE request again, over UDP
  b,         // INVITE gave up; re-armed by a CANCEL (9.1)
  d,         // waiting for response retransmissions
  e,         // non-INVITE request again, over UDP
  f,         // non-INVITE gave up
  g,         // INVITE response again, over UDP
  h,         // waiting for the ACK
  i,         // waiting for ACK retransmissions
  j,         // waiting for non-INVITE request retransmissions
  k,         // waiting for response retransmissions
  l,         // accepted INVITE retransmissions (RFC 6026)
  m,         // retransmitted or further 2xx (RFC 6026)
  trying,    // the 100 that is due when the user has not answered (17.2.1, RFC 4320 4.1)
  lapse,     // non-INVITE server: the client has given up, an answer would be useless (RFC 4320 4.2)
  fallback,  // nothing has come back by TCP
};
inline constexpr Time never = Time::max();

// The name of a transaction in a table.
using Key = WideHash;

// How a request goes that was too long for UDP when it comes to nothing by TCP.
struct Fallback {
  Destination to;
  std::string via;  // as it stands in `bytes`; another takes its place
  std::string bytes;
};

// Timers of one transaction that run at the same time: few, of many kinds.
class Deadlines {
 public:
  [[nodiscard]] Time of(Timer timer) const {
    for (std::size_t i = 0; i < count_; ++i) {
      if (timers_[i] == timer) return times_[i];
    }
    return never;
  }
  // `never`: it runs no more. False: nothing ran before.
  bool set(Timer timer, Time at) {
    std::size_t i = 0;
    while (i < count_ && timers_[i] != timer) ++i;
    const bool ran = i < count_;
    if (at == never) {
      if (!ran) return false;
      --count_;
      timers_[i] = timers_[count_];
      times_[i] = times_[count_];
      return true;
    }
    BATON_ASSERT(i < at_once_max);
    timers_[i] = timer;
    times_[i] = at;
    if (!ran) ++count_;
    return ran;
  }
  [[nodiscard]] std::size_t count() const { return count_; }
  void clear() { count_ = 0; }

 private:
  static constexpr std::size_t at_once_max = 3;  // A or E, B or F, and the fallback's
  std::array<Time, at_once_max> times_{};
  std::array<Timer, at_once_max> timers_{};
  std::uint8_t count_ = 0;
};

struct Transaction {
  TxnId id;
  Role role = Role::non_invite_client;
  State state = State::trying;
  sip::Method method = sip::Method::other;
  bool silent = false;  // the layer's own (CANCEL, the 482 to a merged request): no events about it
  bool once = false;    // INVITE server: the final is never repeated by a timer
  Owner owner = 0;

  Destination peer;  // client: where the request goes; server: where its responses go
  Key key;           // in the table of its side

  Deadlines deadlines;
  Duration interval{};  // of the timer that repeats: A, E or G

  // What is sent again, and what more is made from; nearly all that it keeps while it waits for repeats.
  //   client: the request, of an INVITE that is being answered its head; once completed the ACK
  //   server: the Vias of its responses, as lines; when there is one, the last response, which has them
  std::string text;
  // Server: where the Vias are, the top one with received and rport.
  std::uint32_t vias_at = 0, vias_length = 0;

  std::unique_ptr<Fallback> fallback;  // client: until something has come back
  std::unique_ptr<std::string>
      cancel_reason;  // INVITE client: of a CANCEL that waits; there when it is wanted
  bool cancel_wanted = false;

  // Server.
  bool answered = false;  // `text` is a response
  bool opens = false;     // the request had no To tag, and
  Key merge;              // … this is its name in that table (8.2.2.2), if it is in it
  bool merges = false;
  bool cancel_seen = false;             // the user was told
  std::optional<sip::Message> request;  // until the first response: a 100 may have to be made from it

  // Client: its place among those of its peer.
  std::uint64_t sequence = 0;
  TxnId before, after;

  [[nodiscard]] bool reliable() const { return peer.transport != Transport::udp; }
  [[nodiscard]] bool is_client() const {
    return role == Role::invite_client || role == Role::non_invite_client;
  }
  [[nodiscard]] std::string_view vias() const { return std::string_view(text).substr(vias_at, vias_length); }
};

}  // namespace baton::txn
