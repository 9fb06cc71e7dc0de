// Calls: what a trunk has to say to whoever waits, from a file: to a transferee before the target is there,
// and to a caller who is not put through. A plane is told to play and when to stop; it tells nothing back.
#include <memory>
#include <utility>

#include "call/calls.h"

namespace baton::call {
namespace {

// So that the last word is heard whatever the way to the party takes.
constexpr Duration farewell_margin = 200ms;
constexpr long farewells_max = 200;  // at a time

}  // namespace

// ---- [trunk.transfer] announcement ------------------------------------------------------------------

// Heard to its end, unless the target answers or has failed: what the transferee is to hear otherwise waits.
void Calls::announce(Transfer& transfer) {
  const trunk::Trunk* trunk = cx_.model->trunk(transfer.record.trunk_id);
  const Leg* transferee = legs_.find(transfer.transferee);
  if (trunk == nullptr || transferee == nullptr || transferee->media == 0) return;
  if (Call* call = calls_.find(transfer.call))
    call->comforted = {transfer.transferee, trunk->transfer.comfort_after};
  const Duration lasts = cx_.model->announcement(trunk->transfer.announcement);
  if (lasts == Duration{}) return hear(transfer.transferee, transfer.transferor);
  transfer.heard_next = Transfer::Heard::transferor;
  arm(transfer, TransferTimer::announcement, lasts);
  step(transfer, "announcement");
  cx_.world.media(media::Hear{transferee->media, media::Hear::Play{trunk->transfer.announcement, true}});
}

void Calls::transferee_hears(Transfer& transfer, Transfer::Heard what) {
  transfer.heard_next = what;
  if (!announcing(transfer)) hear_next(transfer);
}

void Calls::hear_next(const Transfer& transfer) {
  switch (transfer.heard_next) {
    case Transfer::Heard::transferor:
      return hear(transfer.transferee, transfer.transferor);
    case Transfer::Heard::target:
      return hear(transfer.transferee, sought(transfer));
    case Transfer::Heard::ring_back:
      if (const Leg* transferee = legs_.find(transfer.transferee);
          transferee != nullptr && transferee->media != 0) {
        cx_.world.media(media::Hear{
            transferee->media, media::Hear::RingBack{cx_.model->country_of(transfer.destination.number)}});
      }
      return;
  }
}

// ---- unavailable_announcement -----------------------------------------------------------------------

// As early media, so that the call is not answered and costs nothing, and the caller's side learns in the end
// why. False: there is none, or the caller could not hear it.
bool Calls::announce_failure(Call& call, const Rejection& rejection, const Why& why) {
  const trunk::Trunk* trunk = cx_.model->trunk(call.span.cdr.trunk_id);
  const Leg* caller = legs_.find(call.caller);
  if (trunk == nullptr || caller == nullptr || cx_.draining) return false;
  const Duration lasts = cx_.model->announcement(trunk->unavailable_announcement);
  // An INVITE without an offer gets ours in its 2xx at the latest, and there will be none. A response that
  // waits for its PRACK holds up the one with the description (RFC 3262 3).
  const bool can_hear = caller->state == LegState::offered && caller->media_ready && caller->remote &&
                        sdp::receives(caller->remote->direction) && (caller->described || !caller->unpracked);
  if (lasts == Duration{} || !can_hear) return false;
  // When nobody at all can be reached, who is told so must not take the ports of calls.
  if (farewell_places_.use_count() > farewells_max) return false;
  call.farewell = std::make_shared<const Farewell>(
      Farewell{cx_.now + lasts + farewell_margin, rejection, why, farewell_places_});
  // Nobody talks: it counts for no limit, and costs nothing.
  if (call.span.ticket) call.span.cdr.price_micros = admission_.release(cx_.now, call.span.ticket);
  call.span.ticket = {};
  turns_.arm(call.farewell->at, call.self.pack(), farewell_timer);
  legs_.progress(call.caller, 183, true, {});
  cx_.world.media(media::Hear{caller->media, media::Hear::Play{trunk->unavailable_announcement, true}});
  return true;
}

void Calls::end_farewell(Call& call) {
  const auto farewell = std::exchange(call.farewell, nullptr);
  refuse_caller(call, farewell->rejection, farewell->why);
}

}  // namespace baton::call
