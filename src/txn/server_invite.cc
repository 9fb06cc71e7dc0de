// RFC 3261 17.2.1 as corrected by RFC 6026 (figure 7):
//
//   proceeding  trying     send 100 (200 ms without an answer)              proceeding
//               INVITE     send the last provisional, if any                proceeding
//               1xx        send it                                          proceeding
//               2xx        send it                                          accepted
//               3xx-6xx    send it                                          completed
//   completed   INVITE     send the final                                   completed
//               G          send the final, G doubles up to T2 (unreliable)  completed
//               ACK        -                                                confirmed
//               H          tell the user                                    terminated
//   confirmed   ACK        -                                                confirmed
//               I          -                                                terminated
//   accepted    INVITE     -                                                accepted
//               ACK        to the user                                      accepted
//               2xx again  send it (resend())                               accepted
//               L          -                                                terminated
//
// A lost transport changes no state (RFC 6026 7.1).
#include "base/assert.h"
#include "txn/machines.h"

namespace baton::txn::invite_server {
namespace {

constexpr Duration trying_delay = 200ms;  // 17.2.1

void complete(Core& core, Transaction& txn, Time now) {
  txn.state = State::completed;
  if (!txn.reliable() && !txn.once) {
    txn.interval = core.t1();
    core.arm(txn, Timer::g, now + txn.interval);
  }
  core.arm(txn, Timer::h, now + core.give_up());
}

}  // namespace

void start(Core& core, Transaction& txn, Time now) {
  core.arm(txn, Timer::trying, now + trying_delay);
}

void on_retransmission(Core& core, Transaction& txn) {
  const bool answers = txn.state == State::proceeding || txn.state == State::completed;
  if (!answers || !txn.answered) return;
  core.send_repeat(txn);
  ++core.probe.responses_retransmitted;
}

void on_ack(Core& core, Transaction& txn, Time now, sip::Message ack, const Source& source) {
  switch (txn.state) {
    case State::proceeding:
      return;  // acknowledges nothing
    case State::completed:
      core.disarm_all(txn);
      if (txn.reliable()) {
        txn.state = State::terminated;  // I is zero
      } else {
        txn.state = State::confirmed;
        core.arm(txn, Timer::i, now + core.t4());
      }
      return;
    case State::confirmed:
      return;
    case State::accepted:
      return core.emit(AckReceived{std::move(ack), source});
    default:
      BATON_ASSERT(false);
  }
}

void respond(Core& core, Transaction& txn, Time now, int status, std::string bytes) {
  if (txn.state != State::proceeding) return;
  core.disarm(txn, Timer::trying);
  txn.request.reset();
  core.send_response(txn, std::move(bytes));
  if (status < 200) return;
  if (status >= 300) return complete(core, txn, now);
  txn.state = State::accepted;
  core.arm(txn, Timer::l, now + core.give_up());
}

void resend(Core& core, Transaction& txn) {
  if (txn.state != State::accepted) return;
  core.send_repeat(txn);
  ++core.probe.responses_retransmitted;
}

void on_timer(Core& core, Transaction& txn, Time now, Timer timer) {
  switch (timer) {
    case Timer::trying:
      core.send_response(txn, make_trying(txn));
      return txn.request.reset();
    case Timer::g:
      core.send_repeat(txn);
      ++core.probe.responses_retransmitted;
      txn.interval = core.back_off(txn.interval);
      return core.arm(txn, Timer::g, now + txn.interval);
    case Timer::h:
      txn.state = State::terminated;
      if (txn.silent) return;
      ++core.probe.timeouts;
      return core.emit(AckNeverCame{txn.id, txn.owner});
    case Timer::i:
    case Timer::l:
      txn.state = State::terminated;
      return;
    default:
      BATON_ASSERT(false);
  }
}

}  // namespace baton::txn::invite_server
