#include "store/connection.h"

#include <SQLiteCpp/Exception.h>
#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <system_error>

#include "store/schema/migrations.h"

namespace baton::store {
namespace {

constexpr int writer_busy_timeout_ms = 250;  // the writer's own back-off goes on from there
constexpr int reader_busy_timeout_ms = 2'000;

std::string named(const std::string& path, const std::string& what) {
  return "store " + path + ": " + what;
}

// With the rights this process acts under, which access() does not ask for.
bool may(const std::string& path, int mode) {
  return ::faccessat(AT_FDCWD, path.c_str(), mode, AT_EACCESS) == 0;
}

std::string parent_of(const std::string& path) {
  const std::string parent = std::filesystem::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

// SQLite says "unable to open database file" for all of these.
std::optional<std::string> fault_of_location(const std::string& path, bool writing) {
  std::error_code ignored;
  if (path.empty()) return std::string("store: no file is named");
  const std::string directory = parent_of(path);
  if (!std::filesystem::exists(directory, ignored)) {
    return named(path, "the directory " + directory + " does not exist");
  }
  if (!std::filesystem::is_directory(directory, ignored))
    return named(path, directory + " is not a directory");
  if (std::filesystem::is_directory(path, ignored)) return named(path, "is a directory, not a file");
  const bool there = may(path, F_OK);
  if (!writing) {
    if (!there && errno == ENOENT) {
      return named(path, "does not exist; the server makes it when it first starts");
    }
    if (!may(path, R_OK)) return named(path, "cannot be read: " + std::string(strerror(errno)));
    return std::nullopt;
  }
  // The write-ahead log is a file beside the store, so the directory counts too.
  if (!may(directory, W_OK | X_OK)) {
    return named(path, "the directory " + directory + " is not writable: " + strerror(errno));
  }
  if (there && !may(path, R_OK | W_OK)) {
    return named(path, "is not writable: " + std::string(strerror(errno)));
  }
  return std::nullopt;
}

// Call records are personal data: not for everybody on the machine. SQLite gives its other files the same
// mode.
std::optional<std::string> create_file(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  if (fd < 0) return named(path, "cannot be made: " + std::string(strerror(errno)));
  ::close(fd);
  return std::nullopt;
}

// Whose file it is; the text says so when it is not ours.
std::optional<std::string> fault_of_identity(SQLite::Database& db, const std::string& path, bool writing) {
  const int id = db.execAndGet("PRAGMA application_id").getInt();
  const int version = db.execAndGet("PRAGMA user_version").getInt();
  const bool empty = db.execAndGet("SELECT count(*) FROM sqlite_master").getInt() == 0;
  if (id == 0 && version == 0 && empty) {
    if (writing) return std::nullopt;
    return named(path, "is empty; the server fills it when it first starts");
  }
  if (id != schema::application_id) return named(path, "is an SQLite database, but not a Baton store");
  if (version > schema::latest_version) {
    return named(path, "was written by a newer Baton (schema " + std::to_string(version) +
                           ", this program knows up to " + std::to_string(schema::latest_version) + ")");
  }
  if (!writing && version < schema::latest_version) {
    return named(path, "has an older schema (" + std::to_string(version) +
                           "); start the server once to bring it to " +
                           std::to_string(schema::latest_version));
  }
  return std::nullopt;
}

std::optional<std::string> migrate(SQLite::Database& db, const std::string& path) {
  // Immediate: two servers started at once must not both migrate.
  SQLite::Transaction transaction(db, SQLite::TransactionBehavior::IMMEDIATE);
  if (auto fault = fault_of_identity(db, path, true)) return fault;
  int version = db.execAndGet("PRAGMA user_version").getInt();
  if (version == schema::latest_version) return std::nullopt;
  for (; version < schema::latest_version; ++version) {
    db.exec(schema::migrations[static_cast<std::size_t>(version)]);
  }
  db.exec("PRAGMA application_id = " + std::to_string(schema::application_id));
  db.exec("PRAGMA user_version = " + std::to_string(version));
  transaction.commit();
  return std::nullopt;
}

std::optional<std::string> configure_writer(SQLite::Database& db, const std::string& path,
                                            std::uint64_t pages_max) {
  if (auto fault = fault_of_identity(db, path, true)) return fault;
  const std::string mode = db.execAndGet("PRAGMA journal_mode = WAL").getString();
  if (mode != "wal") {
    return named(path, "its file system does not support a write-ahead log (a network file system?)");
  }
  // A CDR that was reported as written must survive a power cut: one sync a batch.
  db.exec("PRAGMA synchronous = FULL");
  db.exec("PRAGMA journal_size_limit = 67108864");
  if (pages_max != 0) db.execAndGet("PRAGMA max_page_count = " + std::to_string(pages_max));
  return migrate(db, path);
}

// Without write permission SQLite can read a WAL store only when the log's files are there or can be made. A
// store that was closed cleanly has no log, and then nobody is writing it.
bool needs_immutable(const std::string& path) {
  const bool log_there = may(path + "-wal", F_OK);
  return !log_there && !may(parent_of(path), W_OK);
}

std::string as_uri(const std::string& path) {
  std::string uri = "file:";
  constexpr char digits[] = "0123456789ABCDEF";
  for (const char c : path) {
    if (c == '?' || c == '#' || c == '%') {
      const auto byte = static_cast<unsigned char>(c);
      uri += {'%', digits[byte >> 4U], digits[byte & 15U]};
    } else {
      uri += c;
    }
  }
  return uri + "?immutable=1";
}

}  // namespace

std::string describe(const std::string& path, int code, const std::string& message) {
  switch (code & 0xff) {
    case SQLITE_NOTADB:
      return named(path, "is not a database");
    case SQLITE_CORRUPT:
      return named(path, "is damaged (" + message + "); restore it from a backup or move it away");
    case SQLITE_FULL:
      return named(path, "the disk is full");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return named(path, "is locked by another program");
    case SQLITE_READONLY:
      return named(path, "is not writable");
    case SQLITE_CANTOPEN:
      return named(path, "cannot be opened; check the permissions of the file and its directory");
    default:
      return named(path, message);
  }
}

Result<Connection, std::string> open_for_writing(const std::string& path, std::uint64_t pages_max) {
  if (auto fault = fault_of_location(path, true)) return fail(*std::move(fault));
  if (auto fault = create_file(path)) return fail(*std::move(fault));
  try {
    auto db = std::make_unique<SQLite::Database>(path, SQLite::OPEN_READWRITE | SQLite::OPEN_NOMUTEX,
                                                 writer_busy_timeout_ms);
    if (auto fault = configure_writer(*db, path, pages_max)) return fail(*std::move(fault));
    return db;
  } catch (const SQLite::Exception& e) {
    return fail(describe(path, e.getErrorCode(), e.what()));
  }
}

Result<Connection, std::string> open_for_reading(const std::string& path) {
  if (auto fault = fault_of_location(path, false)) return fail(*std::move(fault));
  const int flags = SQLite::OPEN_READONLY | SQLite::OPEN_NOMUTEX;
  try {
    auto db = needs_immutable(path) ? std::make_unique<SQLite::Database>(
                                          as_uri(path), flags | SQLite::OPEN_URI, reader_busy_timeout_ms)
                                    : std::make_unique<SQLite::Database>(path, flags, reader_busy_timeout_ms);
    if (auto fault = fault_of_identity(*db, path, false)) return fail(*std::move(fault));
    return db;
  } catch (const SQLite::Exception& e) {
    return fail(describe(path, e.getErrorCode(), e.what()));
  }
}

}  // namespace baton::store
