// The transfer as a table: what each event means in each state, and why. It is compiled, executed and printed
// (docs/transfer.md) from here; a (state, event) pair with two rows or none does not build. Someone who knows
// RFC 5589 and no C++ can check it. What needs two conditions is two events.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace baton::call {

enum class TransferState : std::uint8_t {
  checking,   // the REFER waits for its answer: an allow-listed host is being looked up
  dialing,    // 202 is out; the target is being called, nothing heard yet
  ringing,    // the target rings or sends early media
  orphaned,   // early_bye = "continue": the transferor has hung up, the target is still sought
  parting,    // decided; the transferor hears its final NOTIFY and is then let go
  lingering,  // last_bye: the transferor knows, and its own BYE is waited for
  releasing,  // our BYE to the transferor is out
  ended,
};
inline constexpr std::size_t transfer_states = 8;

enum class TransferEvent : std::uint8_t {
  target_allowed,         // the look-up found only public addresses
  target_forbidden,       // it found none, or a private one
  consultation_answered,  // Replaces names an answered call of the transferor's on this server
  consultation_ringing,   // … one whose other party rings still
  target_ringing,         // 180, 181, 182, 183 without a description
  target_early_media,     // 18x with a description
  target_answered,        // 2xx with a usable description
  target_failed,          // every route ended without an answer, or there was none to try
  ring_timeout,           // rang as long as the trunk allows
  next_target,            // either of these two, and the trunk names another number to try (fallback_targets)
  transferor_left,        // BYE from the transferor, or its dialog died
  transferor_excused,     // the same before the answer, where the transfer goes on (early_bye = "continue")
  transferee_left,        // BYE from the transferee, or its dialog died
  target_left,            // BYE from the target after its answer; told to those that linger
  superseded,             // another REFER on the same dialog was accepted
  cancelled,              // through the API, or the server stops
  notify_settled,         // the final NOTIFY is answered, refused, or 2 s old; or nobody subscribed
  left_to_transferor,     // the same after a success, where the transferor hangs up itself (last_bye)
  bye_overdue,            // it has not: 32 s with last_bye = "transferor", 2 s with "either"
};
inline constexpr std::size_t transfer_events = 19;

enum class TransferAction : std::uint8_t {
  none,
  accept_refer,        // 202 (or 200), with the subscription unless none was wanted
  refuse_refer,        // the final answer to the REFER
  notify_trying,       // NOTIFY 100
  notify_progress,     // NOTIFY with the target's 18x
  notify_success,      // NOTIFY 200, terminated
  notify_failure,      // NOTIFY with what ended it, terminated
  notify_timeout,      // NOTIFY 408, terminated
  notify_gone,         // NOTIFY 487, terminated
  await_notify,        // 2 s for the answer to the final NOTIFY
  call_target,         // admission, routes, INVITE; starts the ring timer
  call_next_target,    // the same with the next of the trunk's fallback targets
  await_consultation,  // starts the ring timer for a target that the transferor has called itself
  cancel_target,       // CANCEL; ACK and BYE when its 200 crosses. A consultation stays with the transferor
  promote_target,      // the target takes the transferor's place in the call, out of a consultation call too
  acknowledge_target,  // ACK
  announce,            // the transferee hears the trunk's announcement to its end, before what follows
  play_ring_back,      // the transferee hears the tone of the target's country, unless it hears early media
  play_target,         // the transferee hears the target's early media
  bridge_media,        // transferee and target hear each other, the transferor nobody
  restore_media,       // the transferee hears the transferor again
  bye_transferor,      // and out of its consultation call
  await_bye,           // starts the wait for the transferor's own BYE
  excuse_transferor,   // its place in the call stays empty until the target answers
  end_call,            // BYE to the transferee, whom nobody waits for any more; with a Reason
  drop_transferee,     // BYE, with a Reason
  record_transferred,
  record_failed,
  record_refused,
  record_abandoned,
  record_superseded,
  record_cancelled,
};

enum class Verdict : std::uint8_t {
  row,         // does something
  ignored,     // a named crossing: may come, changes nothing
  impossible,  // can not come; an assertion if it does
};

struct TransferRow {
  static constexpr std::size_t actions_max = 7;
  TransferState from = TransferState::ended;
  TransferEvent event = TransferEvent::cancelled;
  Verdict verdict = Verdict::impossible;
  TransferState to = TransferState::ended;
  std::array<TransferAction, actions_max> actions{};
  std::string_view why;
};

namespace table {
using S = TransferState;
using E = TransferEvent;
using A = TransferAction;

consteval TransferRow row(S from, E event, S to, std::initializer_list<A> actions, std::string_view why) {
  TransferRow r{from, event, Verdict::row, to, {}, why};
  std::size_t i = 0;
  for (const A action : actions) r.actions[i++] = action;
  return r;
}
consteval TransferRow ignored(S from, E event, std::string_view why) {
  return {from, event, Verdict::ignored, from, {}, why};
}
consteval TransferRow impossible(S from, E event, std::string_view why) {
  return {from, event, Verdict::impossible, from, {}, why};
}
}  // namespace table

// clang-format off
inline constexpr auto transfer_table = [] {
  using namespace table;
  return std::array{
    // ---- checking -----------------------------------------------------------------------------------------
    row(S::checking, E::target_allowed, S::dialing, {A::accept_refer, A::notify_trying, A::announce, A::call_target},
        "RFC 3515 2.4.2: accepted only when the request is authorised; the 202 precedes the first NOTIFY"),
    row(S::checking, E::consultation_answered, S::parting,
        {A::accept_refer, A::notify_trying, A::promote_target, A::bridge_media, A::notify_success,
         A::record_transferred, A::await_notify},
        "RFC 5589 7: both calls are here, so their far ends are joined and nobody is called"),
    row(S::checking, E::consultation_ringing, S::dialing,
        {A::accept_refer, A::notify_trying, A::announce, A::await_consultation},
        "RFC 5589 7.6: the transferor does not wait for the answer; the two are joined when it comes"),
    row(S::checking, E::target_forbidden, S::ended, {A::refuse_refer, A::record_refused},
        "A name that leads to a private address is refused like the address itself"),
    row(S::checking, E::transferor_left, S::ended, {A::refuse_refer, A::drop_transferee, A::record_abandoned},
        "Its BYE ends the call as it would without a REFER"),
    row(S::checking, E::transferee_left, S::ended, {A::refuse_refer, A::bye_transferor, A::record_abandoned},
        "Nobody is left to transfer"),
    row(S::checking, E::superseded, S::ended, {A::refuse_refer, A::record_superseded},
        "The newer REFER replaces the older one"),
    row(S::checking, E::cancelled, S::ended, {A::refuse_refer, A::record_cancelled},
        "Cancelled before it was accepted"),
    impossible(S::checking, E::next_target, "The target is not called yet"),
    impossible(S::checking, E::transferor_excused, "Nothing is accepted yet: its BYE ends the call"),
    impossible(S::checking, E::left_to_transferor, "There is no subscription yet"),
    impossible(S::checking, E::bye_overdue, "Nobody waits for a BYE"),
    impossible(S::checking, E::target_ringing, "The target is not called yet"),
    impossible(S::checking, E::target_early_media, "The target is not called yet"),
    impossible(S::checking, E::target_answered, "The target is not called yet"),
    impossible(S::checking, E::target_failed, "The target is not called yet"),
    impossible(S::checking, E::ring_timeout, "The ring timer starts with the INVITE"),
    impossible(S::checking, E::target_left, "The target is not called yet"),
    impossible(S::checking, E::notify_settled, "There is no subscription yet"),

    // ---- dialing ------------------------------------------------------------------------------------------
    row(S::dialing, E::target_ringing, S::ringing, {A::notify_progress, A::play_ring_back},
        "RFC 3515 2.4.5: progress is reported; the transferee hears that it rings"),
    row(S::dialing, E::target_early_media, S::ringing, {A::notify_progress, A::play_target},
        "The target's own early media is better than our tone"),
    row(S::dialing, E::target_answered, S::parting,
        {A::promote_target, A::acknowledge_target, A::bridge_media, A::notify_success, A::record_transferred, A::await_notify},
        "RFC 5589 6: promotion precedes the ACK, so an instant BYE of the target finds its call; "
        "the NOTIFY precedes our BYE"),
    row(S::dialing, E::target_failed, S::ended, {A::restore_media, A::notify_failure, A::record_failed},
        "RFC 5589 6.3: a failed transfer leaves the call as it was"),
    row(S::dialing, E::ring_timeout, S::ended, {A::cancel_target, A::restore_media, A::notify_timeout, A::record_failed},
        "RFC 5589 6.3, with 408 for a target that never answers"),
    row(S::dialing, E::transferor_left, S::ended, {A::cancel_target, A::drop_transferee, A::record_abandoned},
        "An early BYE ends the call: the documented rule"),
    row(S::dialing, E::transferee_left, S::parting, {A::cancel_target, A::notify_gone, A::record_abandoned, A::await_notify},
        "Nobody is left to transfer; the transferor learns it before its BYE"),
    row(S::dialing, E::superseded, S::ended, {A::cancel_target, A::restore_media, A::notify_gone, A::record_superseded},
        "RFC 3515 2.4.6: each REFER has its own subscription; the older one ends here"),
    row(S::dialing, E::cancelled, S::ended, {A::cancel_target, A::restore_media, A::notify_gone, A::record_cancelled},
        "The call stays with the transferor"),
    row(S::dialing, E::next_target, S::dialing, {A::cancel_target, A::call_next_target},
        "The trunk names who else may take the call; the REFER is not answered for until the last has failed"),
    row(S::dialing, E::transferor_excused, S::orphaned, {A::excuse_transferor, A::play_ring_back},
        "The trunk's choice: the transferee is not dropped because the transferor could not wait"),
    impossible(S::dialing, E::left_to_transferor, "The target has not answered"),
    impossible(S::dialing, E::bye_overdue, "Nobody waits for a BYE"),
    impossible(S::dialing, E::consultation_answered, "Replaces is looked up once, while the REFER is checked"),
    impossible(S::dialing, E::consultation_ringing, "Replaces is looked up once, while the REFER is checked"),
    impossible(S::dialing, E::target_allowed, "The look-up is over"),
    impossible(S::dialing, E::target_forbidden, "The look-up is over"),
    impossible(S::dialing, E::target_left, "It has not answered; a withdrawn answer is a failure"),
    ignored(S::dialing, E::notify_settled, "RFC 3515 2.4.7: the end of the subscription is not the end of the transfer"),

    // ---- ringing ------------------------------------------------------------------------------------------
    row(S::ringing, E::target_ringing, S::ringing, {A::notify_progress, A::play_ring_back},
        "Rings on, or anew at the next route"),
    row(S::ringing, E::target_early_media, S::ringing, {A::notify_progress, A::play_target},
        "Early media after ringing"),
    row(S::ringing, E::target_answered, S::parting,
        {A::promote_target, A::acknowledge_target, A::bridge_media, A::notify_success, A::record_transferred, A::await_notify},
        "RFC 5589 6: promotion precedes the ACK, so an instant BYE of the target finds its call; "
        "the NOTIFY precedes our BYE"),
    row(S::ringing, E::target_failed, S::ended, {A::restore_media, A::notify_failure, A::record_failed},
        "RFC 5589 6.3: a failed transfer leaves the call as it was"),
    row(S::ringing, E::ring_timeout, S::ended, {A::cancel_target, A::restore_media, A::notify_timeout, A::record_failed},
        "RFC 5589 6.3, with 408 for a target that never answers"),
    row(S::ringing, E::transferor_left, S::ended, {A::cancel_target, A::drop_transferee, A::record_abandoned},
        "An early BYE ends the call: the documented rule"),
    row(S::ringing, E::transferee_left, S::parting, {A::cancel_target, A::notify_gone, A::record_abandoned, A::await_notify},
        "Nobody is left to transfer; the transferor learns it before its BYE"),
    row(S::ringing, E::superseded, S::ended, {A::cancel_target, A::restore_media, A::notify_gone, A::record_superseded},
        "RFC 3515 2.4.6: each REFER has its own subscription; the older one ends here"),
    row(S::ringing, E::cancelled, S::ended, {A::cancel_target, A::restore_media, A::notify_gone, A::record_cancelled},
        "The call stays with the transferor"),
    row(S::ringing, E::next_target, S::dialing, {A::cancel_target, A::play_ring_back, A::call_next_target},
        "The trunk names who else may take the call; the REFER is not answered for until the last has failed"),
    row(S::ringing, E::transferor_excused, S::orphaned, {A::excuse_transferor, A::play_ring_back},
        "The trunk's choice: the transferee is not dropped because the transferor could not wait"),
    impossible(S::ringing, E::left_to_transferor, "The target has not answered"),
    impossible(S::ringing, E::bye_overdue, "Nobody waits for a BYE"),
    impossible(S::ringing, E::consultation_answered, "Replaces is looked up once, while the REFER is checked"),
    impossible(S::ringing, E::consultation_ringing, "Replaces is looked up once, while the REFER is checked"),
    impossible(S::ringing, E::target_allowed, "The look-up is over"),
    impossible(S::ringing, E::target_forbidden, "The look-up is over"),
    impossible(S::ringing, E::target_left, "It has not answered; a withdrawn answer is a failure"),
    ignored(S::ringing, E::notify_settled, "RFC 3515 2.4.7: the end of the subscription is not the end of the transfer"),

    // ---- orphaned -----------------------------------------------------------------------------------------
    row(S::orphaned, E::target_ringing, S::orphaned, {A::play_ring_back},
        "Nobody is left to be notified"),
    row(S::orphaned, E::target_early_media, S::orphaned, {A::play_target},
        "Nobody is left to be notified"),
    row(S::orphaned, E::target_answered, S::ended,
        {A::promote_target, A::acknowledge_target, A::bridge_media, A::record_transferred},
        "As with the transferor there, but there is nobody to let go"),
    row(S::orphaned, E::next_target, S::orphaned, {A::cancel_target, A::play_ring_back, A::call_next_target},
        "The trunk names who else may take the call"),
    row(S::orphaned, E::target_failed, S::ended, {A::end_call, A::record_failed},
        "There is nobody to give the transferee back to"),
    row(S::orphaned, E::ring_timeout, S::ended, {A::cancel_target, A::end_call, A::record_failed},
        "There is nobody to give the transferee back to"),
    row(S::orphaned, E::transferee_left, S::ended, {A::cancel_target, A::record_abandoned},
        "Nobody is left to transfer"),
    row(S::orphaned, E::cancelled, S::ended, {A::cancel_target, A::end_call, A::record_cancelled},
        "There is nobody to give the transferee back to"),
    ignored(S::orphaned, E::notify_settled, "RFC 3515 2.4.7: the end of the subscription is not the end of the transfer"),
    impossible(S::orphaned, E::transferor_left, "It has left"),
    impossible(S::orphaned, E::transferor_excused, "It has left"),
    impossible(S::orphaned, E::superseded, "Only the transferor could send another REFER"),
    impossible(S::orphaned, E::left_to_transferor, "It has left"),
    impossible(S::orphaned, E::bye_overdue, "Nobody waits for a BYE"),
    impossible(S::orphaned, E::target_left, "It has not answered; a withdrawn answer is a failure"),
    impossible(S::orphaned, E::consultation_answered, "Replaces is looked up once, while the REFER is checked"),
    impossible(S::orphaned, E::consultation_ringing, "Replaces is looked up once, while the REFER is checked"),
    impossible(S::orphaned, E::target_allowed, "The look-up is over"),
    impossible(S::orphaned, E::target_forbidden, "The look-up is over"),

    // ---- parting ------------------------------------------------------------------------------------------
    row(S::parting, E::notify_settled, S::releasing, {A::bye_transferor},
        "RFC 5589 6.1; the BYE never overtakes the NOTIFY it would turn into a 481"),
    row(S::parting, E::transferor_left, S::ended, {},
        "It may hang up itself once it knows"),
    ignored(S::parting, E::transferee_left, "The call is between transferee and target now, and ends as any call"),
    ignored(S::parting, E::target_left, "The call is between transferee and target now, and ends as any call"),
    ignored(S::parting, E::cancelled, "Too late: it is decided"),
    row(S::parting, E::left_to_transferor, S::lingering, {A::await_bye},
        "RFC 5589 6.1: the transferor ends its own dialog, where the trunk leaves it to that"),
    impossible(S::parting, E::next_target, "It is decided"),
    impossible(S::parting, E::transferor_excused, "It is decided"),
    impossible(S::parting, E::bye_overdue, "Nobody waits for a BYE"),
    impossible(S::parting, E::superseded, "A transferor on its way out gets 481"),
    impossible(S::parting, E::consultation_answered, "Replaces is looked up once, while the REFER is checked"),
    impossible(S::parting, E::consultation_ringing, "Replaces is looked up once, while the REFER is checked"),
    impossible(S::parting, E::target_allowed, "The look-up is over"),
    impossible(S::parting, E::target_forbidden, "The look-up is over"),
    impossible(S::parting, E::target_ringing, "The target has answered or is disowned"),
    impossible(S::parting, E::target_early_media, "The target has answered or is disowned"),
    impossible(S::parting, E::target_answered, "The target has answered or is disowned"),
    impossible(S::parting, E::target_failed, "The target has answered or is disowned"),
    impossible(S::parting, E::ring_timeout, "The ring timer is off"),

    // ---- lingering ----------------------------------------------------------------------------------------
    row(S::lingering, E::transferor_left, S::ended, {},
        "It hangs up itself, as the trunk says"),
    row(S::lingering, E::bye_overdue, S::releasing, {A::bye_transferor},
        "A dialog that nobody ends would stay for ever"),
    row(S::lingering, E::transferee_left, S::releasing, {A::bye_transferor},
        "The call it handed over has ended: nobody is left in it alone"),
    row(S::lingering, E::target_left, S::releasing, {A::bye_transferor},
        "The call it handed over has ended: nobody is left in it alone"),
    ignored(S::lingering, E::notify_settled, "It is settled"),
    ignored(S::lingering, E::left_to_transferor, "It is settled"),
    ignored(S::lingering, E::cancelled, "Too late: it is decided"),
    impossible(S::lingering, E::consultation_answered, "Replaces is looked up once, while the REFER is checked"),
    impossible(S::lingering, E::consultation_ringing, "Replaces is looked up once, while the REFER is checked"),
    impossible(S::lingering, E::next_target, "It is decided"),
    impossible(S::lingering, E::transferor_excused, "It is decided"),
    impossible(S::lingering, E::superseded, "A transferor on its way out gets 481"),
    impossible(S::lingering, E::target_allowed, "The look-up is over"),
    impossible(S::lingering, E::target_forbidden, "The look-up is over"),
    impossible(S::lingering, E::target_ringing, "The target has answered"),
    impossible(S::lingering, E::target_early_media, "The target has answered"),
    impossible(S::lingering, E::target_answered, "The target has answered"),
    impossible(S::lingering, E::target_failed, "The target has answered"),
    impossible(S::lingering, E::ring_timeout, "The ring timer is off"),

    // ---- releasing ----------------------------------------------------------------------------------------
    row(S::releasing, E::transferor_left, S::ended, {},
        "BYE answered, crossed by its own, or given up"),
    ignored(S::releasing, E::notify_settled, "The BYE did not wait for it any longer"),
    ignored(S::releasing, E::transferee_left, "The call is between transferee and target now, and ends as any call"),
    ignored(S::releasing, E::target_left, "The call is between transferee and target now, and ends as any call"),
    ignored(S::releasing, E::cancelled, "Too late: it is decided"),
    ignored(S::releasing, E::left_to_transferor, "The BYE did not wait for it any longer"),
    impossible(S::releasing, E::next_target, "It is decided"),
    impossible(S::releasing, E::transferor_excused, "It is decided"),
    impossible(S::releasing, E::bye_overdue, "The BYE is out"),
    impossible(S::releasing, E::superseded, "A transferor on its way out gets 481"),
    impossible(S::releasing, E::consultation_answered, "Replaces is looked up once, while the REFER is checked"),
    impossible(S::releasing, E::consultation_ringing, "Replaces is looked up once, while the REFER is checked"),
    impossible(S::releasing, E::target_allowed, "The look-up is over"),
    impossible(S::releasing, E::target_forbidden, "The look-up is over"),
    impossible(S::releasing, E::target_ringing, "The target has answered or is disowned"),
    impossible(S::releasing, E::target_early_media, "The target has answered or is disowned"),
    impossible(S::releasing, E::target_answered, "The target has answered or is disowned"),
    impossible(S::releasing, E::target_failed, "The target has answered or is disowned"),
    impossible(S::releasing, E::ring_timeout, "The ring timer is off"),
  };
}();
// clang-format on

namespace table {
// Index of the row for a pair; npos when there is none or more than one.
constexpr std::size_t npos = static_cast<std::size_t>(-1);
constexpr std::size_t find(TransferState from, TransferEvent event) {
  std::size_t found = npos;
  for (std::size_t i = 0; i < transfer_table.size(); ++i) {
    if (transfer_table[i].from != from || transfer_table[i].event != event) continue;
    if (found != npos) return npos;
    found = i;
  }
  return found;
}

// Every state but `ended` (whose transfer is gone) answers every event exactly once.
consteval bool complete() {
  for (std::size_t s = 0; s + 1 < transfer_states; ++s) {
    for (std::size_t e = 0; e < transfer_events; ++e) {
      if (find(static_cast<TransferState>(s), static_cast<TransferEvent>(e)) == npos) return false;
    }
  }
  return true;
}
static_assert(complete(), "a (state, event) pair of the transfer table has two rows or none");
}  // namespace table

// `from` must not be ended.
[[nodiscard]] constexpr const TransferRow& transfer_row(TransferState from, TransferEvent event) {
  return transfer_table[table::find(from, event)];
}

[[nodiscard]] std::string_view to_string(TransferState state);
[[nodiscard]] std::string_view to_string(TransferEvent event);
[[nodiscard]] std::string_view to_string(TransferAction action);

}  // namespace baton::call
