// Version 3: recordings.
#pragma once

namespace baton::store::schema {

inline constexpr char v3[] = R"sql(
CREATE TABLE recording (
  recording_id    TEXT PRIMARY KEY NOT NULL,
  call_uuid       TEXT NOT NULL,
  root_call_uuid  TEXT NOT NULL,
  transfer_id     TEXT NOT NULL,
  chain_id        TEXT NOT NULL,
  segment         INTEGER NOT NULL,
  account_id      TEXT NOT NULL,
  trunk_id        TEXT NOT NULL,
  file            TEXT NOT NULL,
  status          TEXT NOT NULL,
  reason          TEXT NOT NULL,
  started_at      INTEGER NOT NULL,
  ended_at        INTEGER NOT NULL,
  duration_ms     INTEGER NOT NULL,
  bytes           INTEGER NOT NULL,
  packets_dropped INTEGER NOT NULL
);
CREATE INDEX recording_by_call ON recording (call_uuid);
CREATE INDEX recording_by_root ON recording (root_call_uuid);
CREATE INDEX recording_by_start ON recording (started_at);
)sql";

}  // namespace baton::store::schema
