#include "store/reader.h"

#include <SQLiteCpp/Exception.h>
#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "store/connection.h"
#include "store/rows.h"

namespace baton::store {
namespace {

// Past every text of letters, digits and punctuation that begins with `prefix`.
std::string end_of_prefix(std::string_view prefix) {
  return std::string(prefix) + '\x7f';
}

// Numbers are kept in E.164, but a caller may have shown anything.
struct NumberRanges {
  std::string plain, plain_end, plus, plus_end;
};

NumberRanges ranges_of(const std::string& number) {
  const std::string bare = !number.empty() && number.front() == '+' ? number.substr(1) : number;
  return {bare, end_of_prefix(bare), "+" + bare, end_of_prefix("+" + bare)};
}

// "WHERE …" for a filter, over a table's start column and its two number columns.
std::string where(const Filter& filter, const char* start, const char* number_a, const char* number_b) {
  std::string sql = std::string(" WHERE ") + start + " >= :since";
  if (filter.number.empty()) return sql;
  sql += " AND (";
  const char* separator = "";
  for (const char* column : {number_a, number_b}) {
    for (const char* range : {":plain", ":plus"}) {
      sql +=
          std::string(separator) + "(" + column + " >= " + range + " AND " + column + " < " + range + "_end)";
      separator = " OR ";
    }
  }
  return sql + ")";
}

void bind_filter(SQLite::Statement& statement, const Filter& filter) {
  const std::int64_t since =
      filter.since ? to_micros(*filter.since) : std::numeric_limits<std::int64_t>::min();
  statement.bind(":since", since);
  statement.bind(":limit", static_cast<std::int64_t>(std::min<std::size_t>(filter.limit, 1'000'000)));
  if (filter.number.empty()) return;
  const NumberRanges ranges = ranges_of(filter.number);
  statement.bind(":plain", ranges.plain);
  statement.bind(":plain_end", ranges.plain_end);
  statement.bind(":plus", ranges.plus);
  statement.bind(":plus_end", ranges.plus_end);
}

std::string ambiguous(std::string_view id, const std::vector<std::string>& found) {
  std::string text = "several calls begin with " + std::string(id) + ":";
  for (std::size_t i = 0; i < std::min<std::size_t>(found.size(), 5); ++i) text += " " + found[i];
  return text + (found.size() > 5 ? " …" : "");
}

// The one id that `id` names: itself, or the only one that begins with it.
Result<std::string, std::string> choose(std::string_view id, const std::vector<std::string>& found) {
  if (found.empty()) return fail("no call " + std::string(id));
  if (found.size() > 1) return fail(ambiguous(id, found));
  return found.front();
}

constexpr char roots_sql[] = R"sql(
SELECT DISTINCT root FROM (
  SELECT root_call_uuid AS root FROM cdr WHERE call_uuid >= :from AND call_uuid < :to
  UNION ALL SELECT root_call_uuid FROM cdr WHERE root_call_uuid >= :from AND root_call_uuid < :to
  UNION ALL SELECT root_call_uuid FROM transfer WHERE call_uuid >= :from AND call_uuid < :to
  UNION ALL SELECT root_call_uuid FROM transfer WHERE transfer_id >= :from AND transfer_id < :to
  UNION ALL SELECT root_call_uuid FROM trace WHERE root_call_uuid >= :from AND root_call_uuid < :to
) LIMIT 6)sql";

constexpr char exact_root_sql[] = R"sql(
SELECT root_call_uuid FROM cdr WHERE call_uuid = :id
UNION SELECT root_call_uuid FROM transfer WHERE call_uuid = :id OR transfer_id = :id
UNION SELECT root_call_uuid FROM trace WHERE root_call_uuid = :id
UNION SELECT root_call_uuid FROM cdr WHERE caller_sip_call_id = :id OR destination_sip_call_id = :id
LIMIT 6)sql";

}  // namespace

class Reader::Impl {
 public:
  Impl(std::string path, Connection connection) : path_(std::move(path)), db_(std::move(connection)) {}

  // Runs `body` inside one read transaction, so that what it reads belongs together.
  template <typename T, typename F>
  Result<T, std::string> read(F&& body) {
    try {
      SQLite::Transaction transaction(*db_);
      return body(*db_);
    } catch (const SQLite::Exception& e) {
      return fail(describe(path_, e.getErrorCode(), e.what()));
    }
  }

 private:
  std::string path_;
  Connection db_;
};

namespace {

using Rows = std::vector<std::string>;

Rows texts(SQLite::Statement& statement) {
  Rows rows;
  while (statement.executeStep()) rows.push_back(statement.getColumn(0).getString());
  return rows;
}

// What is written apart from the records themselves.
void add_media(SQLite::Database& db, std::vector<call::Cdr>& cdrs) {
  SQLite::Statement legs(db, std::string("SELECT ") + leg_quality_columns +
                                 " FROM leg_quality WHERE call_uuid = ? ORDER BY ended_at, sip_call_id");
  SQLite::Statement recordings(db, std::string("SELECT ") + recording_columns +
                                       " FROM recording WHERE call_uuid = ? ORDER BY started_at, rowid");
  for (call::Cdr& cdr : cdrs) {
    legs.reset();
    legs.bind(1, cdr.call_uuid);
    while (legs.executeStep()) cdr.media.push_back(read_leg_quality(legs));
    recordings.reset();
    recordings.bind(1, cdr.call_uuid);
    while (recordings.executeStep()) cdr.recordings.push_back(read_recording(recordings));
  }
}

std::vector<call::Cdr> cdrs_of(SQLite::Database& db, const std::string& root) {
  SQLite::Statement statement(db, std::string("SELECT ") + cdr_columns +
                                      " FROM cdr WHERE root_call_uuid = ? ORDER BY initiated_at, rowid");
  statement.bind(1, root);
  std::vector<call::Cdr> cdrs;
  while (statement.executeStep()) cdrs.push_back(read_cdr(statement));
  add_media(db, cdrs);
  return cdrs;
}

std::vector<call::TransferRecord> transfers_of(SQLite::Database& db, const std::string& root) {
  SQLite::Statement statement(db, std::string("SELECT ") + transfer_columns +
                                      " FROM transfer WHERE root_call_uuid = ? ORDER BY started_at, rowid");
  statement.bind(1, root);
  std::vector<call::TransferRecord> transfers;
  while (statement.executeStep()) transfers.push_back(read_transfer(statement));
  return transfers;
}

std::vector<call::TraceMessage> trace_of(SQLite::Database& db, const std::string& root, std::size_t limit) {
  SQLite::Statement statement(db, std::string("SELECT ") + trace_columns +
                                      " FROM trace WHERE root_call_uuid = ? ORDER BY sequence LIMIT ?");
  statement.bind(1, root);
  statement.bind(2, static_cast<std::int64_t>(std::min<std::size_t>(limit, 1'000'000)));
  std::vector<call::TraceMessage> trace;
  while (statement.executeStep()) trace.push_back(read_trace(statement));
  return trace;
}

Result<call::Cdr, std::string> cdr_named(SQLite::Database& db, std::string_view id) {
  SQLite::Statement find(db, "SELECT call_uuid FROM cdr WHERE call_uuid >= ? AND call_uuid < ? LIMIT 6");
  find.bind(1, std::string(id));
  find.bind(2, end_of_prefix(id));
  Rows found = texts(find);
  // The first in order is the id itself, when there is such a call.
  if (!found.empty() && found.front() == id) found.resize(1);
  auto call_uuid = choose(id, found);
  if (!call_uuid) return fail(std::move(call_uuid.error()));
  SQLite::Statement statement(db, std::string("SELECT ") + cdr_columns + " FROM cdr WHERE call_uuid = ?");
  statement.bind(1, *call_uuid);
  if (!statement.executeStep()) return fail("no call " + std::string(id));
  std::vector<call::Cdr> one{read_cdr(statement)};
  add_media(db, one);
  return std::move(one.front());
}

Result<std::string, std::string> root_named(SQLite::Database& db, std::string_view id) {
  SQLite::Statement exact(db, exact_root_sql);
  exact.bind(":id", std::string(id));
  Rows found = texts(exact);
  if (found.empty()) {
    SQLite::Statement begins(db, roots_sql);
    begins.bind(":from", std::string(id));
    begins.bind(":to", end_of_prefix(id));
    found = texts(begins);
  }
  return choose(id, found);
}

}  // namespace

Reader::Reader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Reader::~Reader() = default;

Result<std::unique_ptr<Reader>, std::string> Reader::open(const std::string& path) {
  auto connection = open_for_reading(path);
  if (!connection) return fail(std::move(connection.error()));
  return std::unique_ptr<Reader>(new Reader(std::make_unique<Impl>(path, std::move(*connection))));
}

Result<std::vector<call::Cdr>, std::string> Reader::cdrs(const Filter& filter) {
  return impl_->read<std::vector<call::Cdr>>([&](SQLite::Database& db) {
    SQLite::Statement statement(db, std::string("SELECT ") + cdr_columns + " FROM cdr" +
                                        where(filter, "initiated_at", "from_number", "to_number") +
                                        " ORDER BY initiated_at DESC, rowid DESC LIMIT :limit");
    bind_filter(statement, filter);
    std::vector<call::Cdr> cdrs;
    while (statement.executeStep()) cdrs.push_back(read_cdr(statement));
    add_media(db, cdrs);
    return cdrs;
  });
}

Result<std::vector<call::TransferRecord>, std::string> Reader::transfers(const Filter& filter) {
  return impl_->read<std::vector<call::TransferRecord>>([&](SQLite::Database& db) {
    SQLite::Statement statement(db, std::string("SELECT ") + transfer_columns + " FROM transfer" +
                                        where(filter, "started_at", "transferee", "target_number") +
                                        " ORDER BY started_at DESC, rowid DESC LIMIT :limit");
    bind_filter(statement, filter);
    std::vector<call::TransferRecord> transfers;
    while (statement.executeStep()) transfers.push_back(read_transfer(statement));
    return transfers;
  });
}

Result<std::vector<call::RecordingRecord>, std::string> Reader::recordings(const Filter& filter) {
  return impl_->read<std::vector<call::RecordingRecord>>([&](SQLite::Database& db) {
    std::string sql = std::string("SELECT ") + recording_columns + " FROM recording";
    // A recording's numbers are its call's.
    if (filter.number.empty()) {
      sql += " WHERE started_at >= :since";
    } else {
      sql += " WHERE started_at >= :since AND call_uuid IN (SELECT call_uuid FROM cdr" +
             where(filter, "initiated_at", "from_number", "to_number") + ")";
    }
    SQLite::Statement statement(db, sql + " ORDER BY started_at DESC, rowid DESC LIMIT :limit");
    bind_filter(statement, filter);
    std::vector<call::RecordingRecord> recordings;
    while (statement.executeStep()) recordings.push_back(read_recording(statement));
    return recordings;
  });
}

Result<call::Cdr, std::string> Reader::cdr(std::string_view call_uuid) {
  if (call_uuid.empty()) return fail(std::string("which call?"));
  return impl_->read<call::Cdr>([&](SQLite::Database& db) { return cdr_named(db, call_uuid); });
}

Result<std::string, std::string> Reader::find_root(std::string_view id) {
  if (id.empty()) return fail(std::string("which call?"));
  return impl_->read<std::string>([&](SQLite::Database& db) { return root_named(db, id); });
}

Result<History, std::string> Reader::history(std::string_view root_call_uuid, std::size_t trace_max) {
  return impl_->read<History>([&](SQLite::Database& db) {
    const std::string root(root_call_uuid);
    return History{root, cdrs_of(db, root), transfers_of(db, root), trace_of(db, root, trace_max)};
  });
}

}  // namespace baton::store
