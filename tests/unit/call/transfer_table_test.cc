#include "call/transfer_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace baton::call {
namespace {

bool does(const TransferRow& row, TransferAction action) {
  return std::find(row.actions.begin(), row.actions.end(), action) != row.actions.end();
}

std::ptrdiff_t place(const TransferRow& row, TransferAction action) {
  return std::find(row.actions.begin(), row.actions.end(), action) - row.actions.begin();
}

// The invariants a reader of RFC 5589 would hold the table to, said once more without looking at its rows.
TEST(TransferTable, EveryRowThatTakesTheTargetPromotesItBeforeTheAckAndNotifiesBeforeItMayPart) {
  int rows = 0;
  for (const auto& row : transfer_table) {
    if (!does(row, TransferAction::promote_target)) continue;
    ++rows;
    // A consultation was acknowledged when it was answered.
    if (row.event != TransferEvent::consultation_answered) {
      EXPECT_LT(place(row, TransferAction::promote_target), place(row, TransferAction::acknowledge_target));
      EXPECT_LT(place(row, TransferAction::acknowledge_target), place(row, TransferAction::bridge_media));
    }
    EXPECT_FALSE(does(row, TransferAction::bye_transferor));
    if (row.from == TransferState::orphaned) continue;  // nobody is left to be told
    EXPECT_LT(place(row, TransferAction::promote_target), place(row, TransferAction::notify_success));
    EXPECT_TRUE(does(row, TransferAction::await_notify));
    EXPECT_EQ(row.to, TransferState::parting);
  }
  EXPECT_EQ(rows, 4);
}

TEST(TransferTable, TheTransferorIsReleasedOnlyAfterItsNotifyOrWhenNobodyIsLeft) {
  for (const auto& row : transfer_table) {
    if (!does(row, TransferAction::bye_transferor)) continue;
    const bool lingering =
        row.from == TransferState::lingering && row.event != TransferEvent::transferor_left;
    EXPECT_TRUE(row.event == TransferEvent::notify_settled || row.event == TransferEvent::transferee_left ||
                lingering);
  }
}

TEST(TransferTable, AFailureBeforeTheAnswerGivesTheCallBackAndNeverHangsUpOnAnyone) {
  for (const auto& row : transfer_table) {
    const bool failure = row.event == TransferEvent::target_failed ||
                         row.event == TransferEvent::ring_timeout || row.event == TransferEvent::cancelled ||
                         row.event == TransferEvent::superseded;
    if (row.verdict != Verdict::row || !failure || row.from == TransferState::checking) continue;
    if (row.from == TransferState::orphaned) {
      EXPECT_TRUE(does(row, TransferAction::end_call));
      continue;
    }
    EXPECT_TRUE(does(row, TransferAction::restore_media));
    EXPECT_FALSE(does(row, TransferAction::bye_transferor));
    EXPECT_FALSE(does(row, TransferAction::drop_transferee));
    EXPECT_EQ(row.to, TransferState::ended);
  }
}

TEST(TransferTable, EveryCourseIsRecordedExactlyOnce) {
  const std::set<TransferAction> records{
      TransferAction::record_transferred, TransferAction::record_failed,
      TransferAction::record_refused,     TransferAction::record_abandoned,
      TransferAction::record_superseded,  TransferAction::record_cancelled};
  for (const auto& row : transfer_table) {
    if (row.verdict != Verdict::row) continue;
    const auto count = std::count_if(row.actions.begin(), row.actions.end(),
                                     [&](TransferAction action) { return records.count(action) != 0; });
    const bool decided_before = row.from == TransferState::parting || row.from == TransferState::lingering ||
                                row.from == TransferState::releasing;
    const bool decides =
        !decided_before && (row.to == TransferState::parting || row.to == TransferState::ended);
    EXPECT_EQ(count, decides ? 1 : 0) << to_string(row.from) << " / " << to_string(row.event);
  }
}

TEST(TransferTable, EveryRowSaysWhy) {
  for (const auto& row : transfer_table) EXPECT_FALSE(row.why.empty());
}

}  // namespace
}  // namespace baton::call
