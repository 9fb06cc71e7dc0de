#include "store/batch.h"

#include <SQLiteCpp/Exception.h>
#include <SQLiteCpp/Transaction.h>
#include <sqlite3.h>

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

// The record itself is what SQLite will not have; trying again can not help.
bool blames_record(int code) {
  switch (code & 0xff) {
    case SQLITE_CONSTRAINT:
    case SQLITE_TOOBIG:
    case SQLITE_MISMATCH:
    case SQLITE_RANGE:
      return true;
    default:
      return false;
  }
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
      trace_(db, insert_sql("trace", trace_columns, trace_column_count, "root_call_uuid, sequence")),
      leg_quality_(db, insert_sql("leg_quality", leg_quality_columns, leg_quality_column_count,
                                  "call_uuid, sip_call_id")),
      recording_(db, insert_sql("recording", recording_columns, recording_column_count, "recording_id")) {}

Result<Batch::Written, BatchError> Batch::write(const std::deque<Record>& records, std::size_t count) {
  try {
    Written written;
    while (!attempt(records, count, written)) {
    }
    return written;
  } catch (const SQLite::Exception& e) {
    return fail(BatchError{e.getExtendedErrorCode(), e.what()});
  }
}

// False when a refusal took the transaction with it, as a trigger may: all but the refused are to be tried
// anew.
bool Batch::attempt(const std::deque<Record>& records, std::size_t count, Written& written) {
  reset();
  SQLite::Transaction transaction(db_, SQLite::TransactionBehavior::IMMEDIATE);
  written.added = 0;
  auto refused = written.refused.begin();
  for (std::size_t i = 0; i < count; ++i) {
    if (refused != written.refused.end() && refused->position == i) {
      ++refused;
      continue;
    }
    try {
      written.added +=
          std::visit([this](const auto& record) { return insert(record); }, records[i]) ? 1U : 0U;
    } catch (const SQLite::Exception& e) {
      if (!blames_record(e.getExtendedErrorCode())) throw;
      reset();
      refused = written.refused.insert(refused, {i, e.what()}) + 1;
      if (!in_transaction()) return false;
    }
  }
  transaction.commit();
  return true;
}

bool Batch::in_transaction() const {
  return sqlite3_get_autocommit(db_.getHandle()) == 0;
}

// A statement that failed half-way would refuse new values.
void Batch::reset() {
  for (SQLite::Statement* statement : {&cdr_, &transfer_, &trace_, &leg_quality_, &recording_})
    statement->tryReset();
}

bool Batch::insert(const call::Cdr& cdr) {
  bind(cdr_, cdr);
  return run(cdr_);
}

bool Batch::insert(const call::TransferRecord& transfer) {
  bind(transfer_, transfer);
  return run(transfer_);
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
