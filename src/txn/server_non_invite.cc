// RFC 3261 17.2.2 (figure 8) with RFC 4320:
//
//   trying      request    -                                                     trying
//               trying     send 100 (when the peer's Timer E has reached T2)     proceeding
//               100        send it; over UDP not before the line above           proceeding
//               final      send it; a 408 is not sent                            completed
//               lapse      - (the peer has given up: nothing will be sent)       terminated
//   proceeding  request    send the 100                                          proceeding
//               final      send it; a 408 is not sent                            completed
//               lapse      -                                                     terminated
//   completed   request    send the final                                        completed
//               J          -                                                     terminated
//
// No other provisional is sent (RFC 4320 4.1). A lost transport changes no state: as long as the transaction
// stands, a repeat of the request is recognised instead of being carried out twice.
#include "base/assert.h"
#include "txn/machines.h"

namespace baton::txn::non_invite_server {
namespace {

void drop_request(Transaction& txn) {
  txn.request.reset();
}

void send_trying(Core& core, Transaction& txn, std::string bytes) {
  core.disarm(txn, Timer::trying);
  drop_request(txn);
  txn.state = State::proceeding;
  core.send_response(txn, std::move(bytes));
}

void provisional(Core& core, Transaction& txn, int status, std::string bytes) {
  const bool too_early = !txn.reliable() && txn.deadlines.of(Timer::trying) != never;
  if (status == 100 && !too_early) send_trying(core, txn, std::move(bytes));
}

}  // namespace

void start(Core& core, Transaction& txn, Time now) {
  core.arm(txn, Timer::trying, now + core.until_t2());
  core.arm(txn, Timer::lapse, now + core.give_up());
}

void on_retransmission(Core& core, Transaction& txn) {
  if (!txn.answered) return;
  core.send_repeat(txn);
  ++core.probe.responses_retransmitted;
}

void respond(Core& core, Transaction& txn, Time now, int status, std::string bytes) {
  if (txn.state == State::completed) return;
  if (status < 200) return provisional(core, txn, status, std::move(bytes));
  core.disarm_all(txn);
  drop_request(txn);
  if (status == 408) {  // RFC 4320 4.2
    txn.answered = false;
    core.keep_nothing(txn);
  } else {
    core.send_response(txn, std::move(bytes));
  }
  // 17.2.2 lets J be zero on streams. But a peer whose connection died asks again on a new one, and must hear
  // the answer it missed rather than that its CSeq is used up.
  txn.state = State::completed;
  core.arm(txn, Timer::j, now + core.give_up());
}

void on_timer(Core& core, Transaction& txn, Time, Timer timer) {
  switch (timer) {
    case Timer::trying:
      return send_trying(core, txn, make_trying(txn));
    case Timer::lapse:
      ++core.probe.lapsed;
      [[fallthrough]];
    case Timer::j:
      txn.state = State::terminated;
      return;
    default:
      BATON_ASSERT(false);
  }
}

}  // namespace baton::txn::non_invite_server
