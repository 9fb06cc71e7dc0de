#include "txn/fallback.h"

#include "base/assert.h"
#include "txn/machines.h"
#include "txn/requests.h"

namespace baton::txn {

void go_by_udp(Core& core, Transaction& txn, Time now) {
  BATON_ASSERT(txn.fallback != nullptr);
  const std::unique_ptr<Fallback> other = std::move(txn.fallback);
  core.disarm(txn, Timer::fallback);
  core.note_refused_tcp(now, txn.peer.remote);
  std::string branch, via;
  append_branch(branch, core.rng());
  append_via(via, other->to, branch);
  core.keep(txn, other->bytes.replace(other->bytes.find(other->via), other->via.size(), via));
  core.redirect(txn, other->to, branch);
  ++core.probe.long_by_udp;
  if (txn.role == Role::invite_client) {
    invite_client::start(core, txn, now);
  } else {
    non_invite_client::start(core, txn, now);
  }
}

void forget_fallback(Core& core, Transaction& txn) {
  if (!txn.fallback) return;
  txn.fallback.reset();
  core.disarm(txn, Timer::fallback);
}

}  // namespace baton::txn
