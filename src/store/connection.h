// Opening the SQLite file, with errors a person can act on.
#pragma once

#include <SQLiteCpp/Database.h>

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"

namespace baton::store {

using Connection = std::unique_ptr<SQLite::Database>;

// Creates what is missing, checks that the file is a Baton store, migrates it to the latest schema.
// `pages_max` bounds the file; 0: SQLite's own bound.
[[nodiscard]] Result<Connection, std::string> open_for_writing(const std::string& path,
                                                               std::uint64_t pages_max);

// Read-only; changes nothing, also when the directory belongs to somebody else.
[[nodiscard]] Result<Connection, std::string> open_for_reading(const std::string& path);

// One line for a failed SQLite call on `path`.
[[nodiscard]] std::string describe(const std::string& path, int code, const std::string& message);

}  // namespace baton::store
