// Calls: what a transfer does otherwise where its trunk says so ([trunk.transfer]).
#include <utility>

#include "base/assert.h"
#include "call/calls.h"

namespace baton::call {
namespace {

constexpr Duration bye_wait_transferor = 32s;  // 64*T1: a BYE that was sent has arrived by then
constexpr Duration bye_wait_either = 2s;

}  // namespace

// ---- fallback_targets -------------------------------------------------------------------------------

void Calls::target_failed(Transfer& transfer, int status, std::string reason, std::string who) {
  const bool more = transfer.next_fallback < transfer.fallbacks.size();
  if (more) step(transfer, "target_failed", status, reason);
  fire(transfer.self, more ? TransferEvent::next_target : TransferEvent::target_failed, status,
       std::move(reason), std::move(who));
}

void Calls::ring_timed_out(Transfer& transfer) {
  const bool more = transfer.next_fallback < transfer.fallbacks.size();
  const std::string reason = "The target did not answer in time";
  if (more) step(transfer, "target_failed", 408, reason);
  fire(transfer.self, more ? TransferEvent::next_target : TransferEvent::ring_timeout, 408, reason, "target");
}

// Each is a call like the first: it is admitted, and must be one that the account may make.
void Calls::call_next_target(Transfer& transfer) {
  BATON_ASSERT(transfer.next_fallback < transfer.fallbacks.size());
  const std::string number = transfer.fallbacks[transfer.next_fallback++];
  disarm(transfer, TransferTimer::ring);
  disarm(transfer, TransferTimer::turn);
  if (transfer.ticket) admission_.release(cx_.now, std::exchange(transfer.ticket, {}));
  transfer.destination = {};
  transfer.destination.number = number;
  transfer.record.target_number = number;
  Hunt fresh;
  fresh.number = number;
  fresh.party = transfer.hunt.party;
  fresh.caller = transfer.hunt.caller;
  fresh.codecs = transfer.hunt.codecs;
  fresh.headers = std::move(transfer.hunt.headers);
  fresh.max_forwards = transfer.hunt.max_forwards;
  transfer.hunt = std::move(fresh);
  const Call* call = calls_.find(transfer.call);
  const trunk::Account* account = call == nullptr ? nullptr : cx_.model->account(call->account_id);
  if (account != nullptr) {
    if (const auto allowed = trunk::check_geo(*cx_.model, *account, number); !allowed) {
      return target_failed(transfer, allowed.error().status, allowed.error().text, "baton");
    }
  }
  call_target(transfer);
}

// ---- last_bye ---------------------------------------------------------------------------------------

// Only a call that goes on is worth waiting for: a transferor without one is let go at once.
void Calls::settled(Transfer& transfer) {
  const Call* call = calls_.find(transfer.call);
  const bool goes_on = call != nullptr && transfer.target && call->has(transfer.transferee);
  const bool wait = goes_on && transfer.last_bye != trunk::LastBye::server;
  fire(transfer.self, wait ? TransferEvent::left_to_transferor : TransferEvent::notify_settled);
}

void Calls::await_bye(Transfer& transfer) {
  Call* call = calls_.find(transfer.call);
  BATON_ASSERT(call != nullptr);
  call->lingering.push_back(transfer.self);
  arm(transfer, TransferTimer::bye,
      transfer.last_bye == trunk::LastBye::transferor ? bye_wait_transferor : bye_wait_either);
}

void Calls::tell_lingering(Call& call, LegHandle leaver) {
  for (const TransferHandle handle : std::exchange(call.lingering, {})) {
    const Transfer* transfer = transfers_.find(handle);
    if (transfer == nullptr) continue;
    fire(handle,
         transfer->transferee == leaver ? TransferEvent::transferee_left : TransferEvent::target_left);
  }
}

// ---- early_bye --------------------------------------------------------------------------------------

void Calls::excuse_transferor(Transfer& transfer) {
  Call* call = calls_.find(transfer.call);
  BATON_ASSERT(call != nullptr);
  Leg* leg = legs_.find(transfer.transferor);
  transfer.transferor_left_at = leg != nullptr ? leg->ended_at.value_or(cx_.now) : cx_.now;
  if (leg != nullptr) {
    leg->call = 0;
    transfer.left_source = source_of(*leg);
  }
  (transfer.transferor_called ? call->caller : call->callee) = {};
  stop_recording(call->span);
  transfer.old_span = std::move(call->span);
  call->span = {};
  step(transfer, "transferor_left");
}

void Calls::end_orphaned_call(Transfer& transfer) {
  Call* call = calls_.find(transfer.call);
  BATON_ASSERT(call != nullptr);
  tell_lingering(*call, transfer.transferee);
  if (Leg* leg = legs_.find(transfer.transferee)) {
    hear_silence(leg->self);
    leg->call = 0;
    legs_.hang_up(leg->self,
                  {.code = Hangup::normal,
                   .reason = "SIP;cause=487;text=\"The transferor hung up before the transfer failed\""});
  }
  call->caller = {};
  call->callee = {};
  log(Severity::info, "call.ended",
      {{"call", call->root_uuid}, {"by", "baton"}, {"cause", "transfer_failed"}});
}

}  // namespace baton::call
