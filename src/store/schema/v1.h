// Version 1 of the schema. Never edited once released: a change is a new version with its own file.
#pragma once

namespace baton::store::schema {

// Times are microseconds since 1970-01-01 UTC. Wire bytes are a BLOB because they need not be text.
inline constexpr char v1[] = R"sql(
CREATE TABLE cdr (
  call_uuid               TEXT PRIMARY KEY NOT NULL,
  root_call_uuid          TEXT NOT NULL,
  transfer_id             TEXT NOT NULL,
  leg_role                TEXT NOT NULL,
  account_id              TEXT NOT NULL,
  trunk_id                TEXT NOT NULL,
  trunk_domain            TEXT NOT NULL,
  carrier_id              TEXT NOT NULL,
  direction               TEXT NOT NULL,
  from_number             TEXT NOT NULL,
  to_number               TEXT NOT NULL,
  from_country            TEXT NOT NULL,
  to_country              TEXT NOT NULL,
  initiated_at            INTEGER NOT NULL,
  answered_at             INTEGER,
  ended_at                INTEGER NOT NULL,
  sip_status              INTEGER NOT NULL,
  hangup_code             INTEGER NOT NULL,
  hangup_cause            TEXT NOT NULL,
  hangup_source           TEXT NOT NULL,
  transport               TEXT NOT NULL,
  caller_sip_call_id      TEXT NOT NULL,
  destination_sip_call_id TEXT NOT NULL,
  price_micros            INTEGER NOT NULL
);
CREATE INDEX cdr_by_root ON cdr (root_call_uuid);
CREATE INDEX cdr_by_start ON cdr (initiated_at);
CREATE INDEX cdr_by_from ON cdr (from_number, initiated_at);
CREATE INDEX cdr_by_to ON cdr (to_number, initiated_at);
CREATE INDEX cdr_by_caller_sip ON cdr (caller_sip_call_id);
CREATE INDEX cdr_by_destination_sip ON cdr (destination_sip_call_id);

CREATE TABLE transfer (
  transfer_id    TEXT PRIMARY KEY NOT NULL,
  call_uuid      TEXT NOT NULL,
  root_call_uuid TEXT NOT NULL,
  account_id     TEXT NOT NULL,
  trunk_id       TEXT NOT NULL,
  transferor     TEXT NOT NULL,
  transferee     TEXT NOT NULL,
  refer_to       TEXT NOT NULL,
  target_number  TEXT NOT NULL,
  referred_by    TEXT NOT NULL,
  caller_id      TEXT NOT NULL,
  carrier_id     TEXT NOT NULL,
  outcome        TEXT NOT NULL,
  refer_status   INTEGER NOT NULL,
  final_status   INTEGER NOT NULL,
  refused_by     TEXT NOT NULL,
  reason         TEXT NOT NULL,
  depth          INTEGER NOT NULL,
  started_at     INTEGER NOT NULL,
  ended_at       INTEGER NOT NULL
);
CREATE INDEX transfer_by_root ON transfer (root_call_uuid);
CREATE INDEX transfer_by_call ON transfer (call_uuid);
CREATE INDEX transfer_by_start ON transfer (started_at);
CREATE INDEX transfer_by_transferee ON transfer (transferee, started_at);
CREATE INDEX transfer_by_target ON transfer (target_number, started_at);

CREATE TABLE transfer_step (
  transfer_id TEXT NOT NULL REFERENCES transfer (transfer_id) ON DELETE CASCADE,
  position    INTEGER NOT NULL,
  at          INTEGER NOT NULL,
  what        TEXT NOT NULL,
  status      INTEGER NOT NULL,
  detail      TEXT NOT NULL,
  PRIMARY KEY (transfer_id, position)
) WITHOUT ROWID;

-- A server counts its messages anew after a restart, but no call outlives one, so a call's numbers are its own.
CREATE TABLE trace (
  root_call_uuid TEXT NOT NULL,
  sequence       INTEGER NOT NULL,
  party          TEXT NOT NULL,
  at             INTEGER NOT NULL,
  sent           INTEGER NOT NULL,
  transport      TEXT NOT NULL,
  local          TEXT NOT NULL,
  remote         TEXT NOT NULL,
  bytes          BLOB NOT NULL
);
CREATE UNIQUE INDEX trace_by_root ON trace (root_call_uuid, sequence);
)sql";

}  // namespace baton::store::schema
