// RFC 3261 17.1.1 as corrected by RFC 6026 (figure 5):
//
//   calling     A          send INVITE, A doubles (unreliable only)     calling
//               B          timeout to the user                          terminated
//               error      failure to the user                          terminated
//               error, lost, or 10*T1 (by TCP for its length) send INVITE by UDP   calling
//               1xx        to the user                                  proceeding
//               2xx        to the user                                  accepted
//               3xx-6xx    send ACK, to the user                        completed
//   proceeding  1xx        to the user                                  proceeding
//               2xx        to the user                                  accepted
//               3xx-6xx    send ACK, to the user                        completed
//               B          (after a CANCEL, 9.1) timeout to the user    terminated
//   completed   3xx-6xx    send ACK                                     completed
//               D          -                                            terminated
//   accepted    2xx        to the user                                  accepted
//               M          -                                            terminated
//
// A lost transport ends it only while the INVITE itself is on the way: afterwards the peer opens a
// connection of its own to answer (18.2.2).
#include <algorithm>

#include "base/assert.h"
#include "txn/fallback.h"
#include "txn/machines.h"
#include "txn/requests.h"

namespace baton::txn::invite_client {
namespace {

void to_user(Core& core, const Transaction& txn, sip::Message response, const Source& source) {
  core.emit(ResponseReceived{txn.id, txn.owner, std::move(response), source});
}

void send_cancel(Core& core, Transaction& txn, Time now) {
  const sip::Draft draft = make_cancel(txn.text, *txn.cancel_reason, core.spares());
  txn.cancel_reason.reset();
  // A transaction of its own with the INVITE's branch; its answer tells nobody anything (9.1).
  Transaction& cancel = core.create_client(sip::Method::cancel, branch_of(txn.text), txn.peer);
  cancel.silent = true;
  cancel.owner = txn.owner;
  cancel.text = draft.write();
  non_invite_client::start(core, cancel, now);
  core.arm(txn, Timer::b, now + core.give_up());
}

void provisional(Core& core, Transaction& txn, Time now, sip::Message response, const Source& source) {
  const bool first = txn.state == State::calling;
  txn.state = State::proceeding;
  if (first) {
    forget_fallback(core, txn);
    core.disarm(txn, Timer::a);
    core.disarm(txn, Timer::b);
    core.keep(txn, core.buffers().copy(head_of(txn.text)));
  }
  to_user(core, txn, std::move(response), source);
  if (first && txn.cancel_wanted) send_cancel(core, txn, now);
}

void success(Core& core, Transaction& txn, Time now, sip::Message response, const Source& source) {
  txn.state = State::accepted;
  forget_fallback(core, txn);
  core.disarm_all(txn);
  core.keep_nothing(txn);
  core.arm(txn, Timer::m, now + core.give_up());
  to_user(core, txn, std::move(response), source);
}

void failure(Core& core, Transaction& txn, Time now, sip::Message response, const Source& source) {
  txn.state = State::completed;
  forget_fallback(core, txn);
  core.disarm_all(txn);
  core.keep(txn, make_ack(txn.text, response.header(sip::HeaderId::to), core.spares()).write());
  core.send_repeat(txn);
  if (txn.reliable()) {
    txn.state = State::terminated;  // D is zero
  } else {
    // At least 32 s: H of the peer, whose T1 may be another (17.1.1.2).
    core.arm(txn, Timer::d, now + std::max<Duration>(core.give_up(), 32s));
  }
  to_user(core, txn, std::move(response), source);
}

void timed_out(Core& core, Transaction& txn) {
  txn.state = State::terminated;
  ++core.probe.timeouts;
  core.emit(ClientTimeout{txn.id, txn.owner, txn.method});
}

}  // namespace

void start(Core& core, Transaction& txn, Time now) {
  core.send_repeat(txn);
  if (!txn.reliable()) {
    txn.interval = core.t1();
    core.arm(txn, Timer::a, now + txn.interval);
  }
  core.arm(txn, Timer::b, now + core.give_up());
  if (txn.fallback) core.arm(txn, Timer::fallback, now + 10 * core.t1());
}

void on_response(Core& core, Transaction& txn, Time now, sip::Message response, const Source& source) {
  const int status = response.status();
  switch (txn.state) {
    case State::calling:
    case State::proceeding:
      if (status < 200) return provisional(core, txn, now, std::move(response), source);
      if (status < 300) return success(core, txn, now, std::move(response), source);
      return failure(core, txn, now, std::move(response), source);
    case State::completed:
      if (status >= 300) core.send_repeat(txn);
      return;
    case State::accepted:
      if (status >= 200 && status < 300) to_user(core, txn, std::move(response), source);
      return;
    default:
      BATON_ASSERT(false);
  }
}

void on_timer(Core& core, Transaction& txn, Time now, Timer timer) {
  switch (timer) {
    case Timer::a:
      core.send_repeat(txn);
      ++core.probe.requests_retransmitted;
      txn.interval *= 2;
      core.arm(txn, Timer::a, now + txn.interval);
      return;
    case Timer::b:
      return timed_out(core, txn);
    case Timer::fallback:
      return go_by_udp(core, txn, now);
    case Timer::d:
    case Timer::m:
      txn.state = State::terminated;
      return;
    default:
      BATON_ASSERT(false);
  }
}

void on_transport_failed(Core& core, Transaction& txn, Time now) {
  if (txn.state != State::calling) return;
  if (txn.fallback) return go_by_udp(core, txn, now);
  txn.state = State::terminated;
  core.emit(ClientTransportFailed{txn.id, txn.owner, txn.method});
}

void cancel(Core& core, Transaction& txn, Time now, std::string reason) {
  if (txn.cancel_wanted) return;
  if (txn.state != State::calling && txn.state != State::proceeding) return;
  txn.cancel_wanted = true;
  txn.cancel_reason = std::make_unique<std::string>(std::move(reason));
  // A CANCEL that overtakes its INVITE would cancel nothing (9.1).
  if (txn.state == State::proceeding) send_cancel(core, txn, now);
}

}  // namespace baton::txn::invite_client
