#include "call/transfer_table.h"

namespace baton::call {

std::string_view to_string(TransferState state) {
  switch (state) {
    case TransferState::checking:
      return "checking";
    case TransferState::dialing:
      return "dialing";
    case TransferState::ringing:
      return "ringing";
    case TransferState::orphaned:
      return "orphaned";
    case TransferState::parting:
      return "parting";
    case TransferState::lingering:
      return "lingering";
    case TransferState::releasing:
      return "releasing";
    case TransferState::ended:
      return "ended";
  }
  return "";
}

std::string_view to_string(TransferEvent event) {
  switch (event) {
    case TransferEvent::target_allowed:
      return "target_allowed";
    case TransferEvent::target_forbidden:
      return "target_forbidden";
    case TransferEvent::consultation_answered:
      return "consultation_answered";
    case TransferEvent::consultation_ringing:
      return "consultation_ringing";
    case TransferEvent::target_ringing:
      return "target_ringing";
    case TransferEvent::target_early_media:
      return "target_early_media";
    case TransferEvent::target_answered:
      return "target_answered";
    case TransferEvent::target_failed:
      return "target_failed";
    case TransferEvent::ring_timeout:
      return "ring_timeout";
    case TransferEvent::next_target:
      return "next_target";
    case TransferEvent::transferor_excused:
      return "transferor_excused";
    case TransferEvent::transferor_left:
      return "transferor_left";
    case TransferEvent::transferee_left:
      return "transferee_left";
    case TransferEvent::target_left:
      return "target_left";
    case TransferEvent::superseded:
      return "superseded";
    case TransferEvent::cancelled:
      return "cancelled";
    case TransferEvent::left_to_transferor:
      return "left_to_transferor";
    case TransferEvent::bye_overdue:
      return "bye_overdue";
    case TransferEvent::notify_settled:
      return "notify_settled";
  }
  return "";
}

std::string_view to_string(TransferAction action) {
  switch (action) {
    case TransferAction::none:
      return "";
    case TransferAction::accept_refer:
      return "accept_refer";
    case TransferAction::refuse_refer:
      return "refuse_refer";
    case TransferAction::notify_trying:
      return "notify_trying";
    case TransferAction::notify_progress:
      return "notify_progress";
    case TransferAction::notify_success:
      return "notify_success";
    case TransferAction::notify_failure:
      return "notify_failure";
    case TransferAction::notify_timeout:
      return "notify_timeout";
    case TransferAction::notify_gone:
      return "notify_gone";
    case TransferAction::await_notify:
      return "await_notify";
    case TransferAction::call_target:
      return "call_target";
    case TransferAction::call_next_target:
      return "call_next_target";
    case TransferAction::await_bye:
      return "await_bye";
    case TransferAction::excuse_transferor:
      return "excuse_transferor";
    case TransferAction::end_call:
      return "end_call";
    case TransferAction::await_consultation:
      return "await_consultation";
    case TransferAction::cancel_target:
      return "cancel_target";
    case TransferAction::promote_target:
      return "promote_target";
    case TransferAction::acknowledge_target:
      return "acknowledge_target";
    case TransferAction::announce:
      return "announce";
    case TransferAction::play_ring_back:
      return "play_ring_back";
    case TransferAction::play_target:
      return "play_target";
    case TransferAction::bridge_media:
      return "bridge_media";
    case TransferAction::restore_media:
      return "restore_media";
    case TransferAction::bye_transferor:
      return "bye_transferor";
    case TransferAction::drop_transferee:
      return "drop_transferee";
    case TransferAction::record_transferred:
      return "record_transferred";
    case TransferAction::record_failed:
      return "record_failed";
    case TransferAction::record_refused:
      return "record_refused";
    case TransferAction::record_abandoned:
      return "record_abandoned";
    case TransferAction::record_superseded:
      return "record_superseded";
    case TransferAction::record_cancelled:
      return "record_cancelled";
  }
  return "";
}

}  // namespace baton::call
