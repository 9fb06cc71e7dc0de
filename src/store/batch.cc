#include "store/batch.h"

#include <SQLiteCpp/Exception.h>
#include <SQLiteCpp/Transaction.h>

#include <variant>

#include "store/rows.h"

namespace baton::store {
namespace {

std::string insert_sql(const char* table, const char* columns, int count, const char* key) {
  std::string places = "?";
  for (int i = 1; i < count; ++i) places += ",?";
  return std::string("INSERT INTO ") + table + " (" + columns + ") VALUES (" + places + ") ON CONFLICT (" +
         key + ") DO NOTHING";
}

// True when a row was added.
bool run(SQLite::Statement& statement) {
  const bool added = statement.exec() > 0;
  statement.reset();
  return added;
}

}  // namespace

Batch::Batch(SQLite::Database& db)
    : db_(db),
      cdr_(db, insert_sql("cdr", cdr_columns, cdr_column_count, "call_uuid")),
      transfer_(db, insert_sql("transfer", transfer_columns, transfer_column_count, "transfer_id")),
      step_(db, insert_sql("transfer_step", step_columns, step_column_count, "transfer_id, position")),
      trace_(db, insert_sql("trace", trace_columns, trace_column_count, "root_call_uuid, sequence")),
      leg_quality_(db, insert_sql("leg_quality", leg_quality_columns, leg_quality_column_count,
                                  "call_uuid, sip_call_id")),
      recording_(db, insert_sql("recording", recording_columns, recording_column_count, "recording_id")) {}

Result<std::size_t, BatchError> Batch::write(const std::deque<Record>& records, std::size_t count) {
  try {
    // A statement that failed half-way would refuse new values.
    for (SQLite::Statement* statement : {&cdr_, &transfer_, &step_, &trace_, &leg_quality_, &recording_})
      statement->tryReset();
    SQLite::Transaction transaction(db_, SQLite::TransactionBehavior::IMMEDIATE);
    std::size_t added = 0;
    for (std::size_t i = 0; i < count; ++i) {
      added += std::visit([this](const auto& record) { return insert(record); }, records[i]) ? 1U : 0U;
    }
    transaction.commit();
    return added;
  } catch (const SQLite::Exception& e) {
    return fail(BatchError{e.getExtendedErrorCode(), e.what()});
  }
}

bool Batch::insert(const call::Cdr& cdr) {
  bind(cdr_, cdr);
  return run(cdr_);
}

bool Batch::insert(const call::TransferRecord& transfer) {
  bind(transfer_, transfer);
  if (!run(transfer_)) return false;
  for (std::size_t i = 0; i < transfer.steps.size(); ++i) {
    bind(step_, transfer, i);
    run(step_);
  }
  return true;
}

bool Batch::insert(const call::TraceMessage& message) {
  bind(trace_, message);
  return run(trace_);
}

bool Batch::insert(const call::LegQuality& leg) {
  bind(leg_quality_, leg);
  return run(leg_quality_);
}

bool Batch::insert(const call::RecordingRecord& recording) {
  bind(recording_, recording);
  return run(recording_);
}

}  // namespace baton::store
