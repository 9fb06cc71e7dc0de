// One transaction: a state, its timers, and what has to be sent again. Lives in the Core's slab from the
// first message until its machine says terminated.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/address.h"
#include "base/time.h"
#include "sip/message.h"
#include "txn/layer.h"
#include "txn/requests.h"

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
inline constexpr std::size_t timers_count = 15;
inline constexpr Time never = Time::max();

// How a request goes that was too long for UDP when it comes to nothing by TCP.
struct Fallback {
  Destination to;
  std::string via;  // as it stands in `bytes`; another takes its place
  std::string bytes;
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
  std::string key;   // in the table of its side
  std::uint64_t key_hash = 0;

  std::array<Time, timers_count> deadlines = [] {
    std::array<Time, timers_count> all{};
    all.fill(never);
    return all;
  }();
  Duration interval{};  // of the timer that repeats: A, E or G

  // What is repeated. Client: the request, and once completed the ACK. Server: the last response, empty
  // when there is none.
  std::string repeat;

  std::unique_ptr<Fallback> fallback;  // client: until something has come back
  // INVITE client, until a final comes: what its ACK and CANCEL are made from.
  std::unique_ptr<RequestHead> head;
  bool cancel_wanted = false;
  bool cancel_sent = false;
  std::string cancel_reason;

  // Server.
  std::string vias;                     // lines of its responses, the top one with received and rport
  std::optional<sip::Message> request;  // until the first response: a 100 may have to be made from it
  std::string merge_key;                // 8.2.2.2; empty when it is not in that table
  std::uint64_t merge_hash = 0;
  bool opens = false;        // the request had no To tag
  std::string answer_to;     // then the To of the last response
  bool cancel_seen = false;  // the user was told

  // Client: its place among those of its peer.
  std::uint64_t sequence = 0;
  TxnId before, after;

  [[nodiscard]] bool reliable() const { return peer.transport != Transport::udp; }
  [[nodiscard]] bool is_client() const {
    return role == Role::invite_client || role == Role::non_invite_client;
  }
  [[nodiscard]] Time& deadline(Timer timer) { return deadlines[static_cast<std::size_t>(timer)]; }
};

}  // namespace baton::txn
