// Version 2: how the audio of each leg was.
#pragma once

namespace baton::store::schema {

// A leg is named by its Call-ID within its call record. What was not measured is NULL.
inline constexpr char v2[] = R"sql(
CREATE TABLE leg_quality (
  call_uuid              TEXT NOT NULL,
  sip_call_id            TEXT NOT NULL,
  root_call_uuid         TEXT NOT NULL,
  party                  TEXT NOT NULL,
  codec                  TEXT NOT NULL,
  ended_at               INTEGER NOT NULL,
  packets_received       INTEGER NOT NULL,
  packets_sent           INTEGER NOT NULL,
  packets_dropped        INTEGER NOT NULL,
  lost                   INTEGER,
  jitter_us              INTEGER,
  jitter_us_max          INTEGER,
  mos                    INTEGER,
  reported_lost          INTEGER,
  reported_jitter_us     INTEGER,
  reported_jitter_us_max INTEGER,
  reported_mos           INTEGER,
  round_trip_us          INTEGER,
  round_trip_us_max      INTEGER,
  PRIMARY KEY (call_uuid, sip_call_id)
) WITHOUT ROWID;
)sql";

}  // namespace baton::store::schema
