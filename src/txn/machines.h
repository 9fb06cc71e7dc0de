// The four machines, one file each. A machine is a set of functions over a Transaction, one for each thing
// that can happen to it; it sends, arms timers and tells the user through the Core, and ends by setting
// State::terminated.
#pragma once

#include <string>

#include "base/time.h"
#include "txn/core.h"
#include "txn/transaction.h"

namespace baton::txn {

// RFC 6026 figure 5.
namespace invite_client {
void start(Core& core, Transaction& txn, Time now);
void on_response(Core& core, Transaction& txn, Time now, sip::Message response, const Source& source);
void on_timer(Core& core, Transaction& txn, Time now, Timer timer);
void on_transport_failed(Core& core, Transaction& txn, Time now);
void cancel(Core& core, Transaction& txn, Time now, std::string reason);
}  // namespace invite_client

// RFC 3261 figure 6.
namespace non_invite_client {
void start(Core& core, Transaction& txn, Time now);
void on_response(Core& core, Transaction& txn, Time now, sip::Message response, const Source& source);
void on_timer(Core& core, Transaction& txn, Time now, Timer timer);
void on_transport_failed(Core& core, Transaction& txn, Time now);
}  // namespace non_invite_client

// RFC 6026 figure 7.
namespace invite_server {
void start(Core& core, Transaction& txn, Time now);
void on_retransmission(Core& core, Transaction& txn);
void on_ack(Core& core, Transaction& txn, Time now, sip::Message ack, const Source& source);
void respond(Core& core, Transaction& txn, Time now, int status, std::string bytes);
void resend(Core& core, Transaction& txn);
void on_timer(Core& core, Transaction& txn, Time now, Timer timer);
}  // namespace invite_server

// RFC 3261 figure 8, with RFC 4320.
namespace non_invite_server {
void start(Core& core, Transaction& txn, Time now);
void on_retransmission(Core& core, Transaction& txn);
void respond(Core& core, Transaction& txn, Time now, int status, std::string bytes);
void on_timer(Core& core, Transaction& txn, Time now, Timer timer);
}  // namespace non_invite_server

// The 100 of a server transaction the user has not answered yet.
[[nodiscard]] std::string make_trying(const Transaction& txn);

}  // namespace baton::txn
