// One connection's prepared statements, and what a batch of records does with them.
#pragma once

#include <SQLiteCpp/Statement.h>

#include <cstddef>
#include <deque>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/connection.h"
#include "store/port.h"

namespace baton::store {

struct BatchError {
  int code = 0;  // SQLite's extended result code
  std::string message;
};

class Batch {
 public:
  // The connection must outlive the batch. Throws SQLite::Exception when the schema is not there.
  explicit Batch(SQLite::Database& db);

  struct Refused {
    std::size_t position = 0;  // among the records
    std::string why;
  };
  struct Written {
    std::size_t added = 0;         // a record whose key is there already changes nothing
    std::vector<Refused> refused;  // what SQLite will not have, however often it is tried; by position
  };

  // Writes the first `count` records in one transaction: all but those that are refused for what they are,
  // or, with an error, none.
  [[nodiscard]] Result<Written, BatchError> write(const std::deque<Record>& records, std::size_t count);

 private:
  [[nodiscard]] bool attempt(const std::deque<Record>& records, std::size_t count, Written& written);
  [[nodiscard]] bool in_transaction() const;
  void reset();
  [[nodiscard]] bool insert(const call::Cdr& cdr);
  [[nodiscard]] bool insert(const call::TransferRecord& transfer);
  [[nodiscard]] bool insert(const call::TraceMessage& message);
  [[nodiscard]] bool insert(const call::LegQuality& leg);
  [[nodiscard]] bool insert(const call::RecordingRecord& recording);

  SQLite::Database& db_;
  SQLite::Statement cdr_, transfer_, trace_, leg_quality_, recording_;
};

}  // namespace baton::store
