// The versions of the store's schema and the way from each to the next. The version is SQLite's user_version.
#pragma once

#include <array>

#include "store/schema/v1.h"
#include "store/schema/v2.h"
#include "store/schema/v3.h"
#include "store/schema/v4.h"

namespace baton::store::schema {

// Marks a file as a Baton store ("BATN"), so that another program's database is never migrated by mistake.
inline constexpr int application_id = 0x4241544E;

// migrations[n] leads from version n to n + 1.
inline constexpr std::array<const char*, 4> migrations = {v1, v2, v3, v4};
inline constexpr int latest_version = static_cast<int>(migrations.size());

}  // namespace baton::store::schema
