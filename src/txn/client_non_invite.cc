// RFC 3261 17.1.2 (figure 6):
//
//   trying      E          send request, E doubles up to T2 (unreliable only)  trying
//               F          timeout to the user                                 terminated
//               error      failure to the user                                 terminated
//               1xx        to the user                                         proceeding
//               final      to the user                                         completed
//   proceeding  E          send request, E is T2 (unreliable only)             proceeding
//               F          timeout to the user                                 terminated
//               error      failure to the user (unreliable only)               terminated
//               1xx        to the user                                         proceeding
//               final      to the user                                         completed
//   completed   response   -                                                   completed
//               K          -                                                   terminated
//
// In proceeding on a stream nothing is on the way, so a lost connection ends nothing: the peer opens one of
// its own to answer (18.2.2), or F fires. A CANCEL runs through the same machine, silently.
// By TCP for its length alone it goes by UDP instead, when the way fails or 10*T1 have passed.
#include "base/assert.h"
#include "txn/fallback.h"
#include "txn/machines.h"

namespace baton::txn::non_invite_client {
namespace {

void to_user(Core& core, const Transaction& txn, sip::Message response, const Source& source) {
  if (!txn.silent) core.emit(ResponseReceived{txn.id, txn.owner, std::move(response), source});
}

void final_response(Core& core, Transaction& txn, Time now, sip::Message response, const Source& source) {
  core.disarm_all(txn);
  core.keep_nothing(txn);
  if (txn.reliable()) {
    txn.state = State::terminated;  // K is zero
  } else {
    txn.state = State::completed;
    core.arm(txn, Timer::k, now + core.t4());
  }
  to_user(core, txn, std::move(response), source);
}

}  // namespace

void start(Core& core, Transaction& txn, Time now) {
  core.send_repeat(txn);
  if (!txn.reliable()) {
    txn.interval = core.t1();
    core.arm(txn, Timer::e, now + txn.interval);
  }
  core.arm(txn, Timer::f, now + core.give_up());
  if (txn.fallback) core.arm(txn, Timer::fallback, now + 10 * core.t1());
}

void on_response(Core& core, Transaction& txn, Time now, sip::Message response, const Source& source) {
  switch (txn.state) {
    case State::trying:
    case State::proceeding:
      forget_fallback(core, txn);
      if (response.status() >= 200) return final_response(core, txn, now, std::move(response), source);
      txn.state = State::proceeding;
      return to_user(core, txn, std::move(response), source);
    case State::completed:
      return;
    default:
      BATON_ASSERT(false);
  }
}

void on_timer(Core& core, Transaction& txn, Time now, Timer timer) {
  switch (timer) {
    case Timer::e:
      core.send_repeat(txn);
      ++core.probe.requests_retransmitted;
      txn.interval = txn.state == State::proceeding ? core.t2() : core.back_off(txn.interval);
      core.arm(txn, Timer::e, now + txn.interval);
      return;
    case Timer::f:
      txn.state = State::terminated;
      if (txn.silent) return;
      ++core.probe.timeouts;
      core.emit(ClientTimeout{txn.id, txn.owner, txn.method});
      return;
    case Timer::k:
      txn.state = State::terminated;
      return;
    case Timer::fallback:
      return go_by_udp(core, txn, now);
    default:
      BATON_ASSERT(false);
  }
}

void on_transport_failed(Core& core, Transaction& txn, Time now) {
  if (txn.fallback) return go_by_udp(core, txn, now);
  const bool on_the_way = txn.state == State::trying || (txn.state == State::proceeding && !txn.reliable());
  if (!on_the_way) return;
  txn.state = State::terminated;
  if (!txn.silent) core.emit(ClientTransportFailed{txn.id, txn.owner, txn.method});
}

}  // namespace baton::txn::non_invite_client
