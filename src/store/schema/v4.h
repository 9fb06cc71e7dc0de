// Version 4: the steps of a transfer in its row.
#pragma once

namespace baton::store::schema {

// A row for each of them was half of what writing a transferred call cost. As before, `at` is microseconds
// since 1970-01-01 UTC. SQLite reads them with json_each().
inline constexpr char v4[] = R"sql(
ALTER TABLE transfer ADD COLUMN steps TEXT NOT NULL DEFAULT '[]';
UPDATE transfer SET steps = (
  SELECT json_group_array(json_object('at', at, 'what', CAST(what AS TEXT), 'status', status, 'detail', CAST(detail AS TEXT)))
  FROM (SELECT at, what, status, detail FROM transfer_step
        WHERE transfer_step.transfer_id = transfer.transfer_id ORDER BY position));
DROP TABLE transfer_step;
)sql";

}  // namespace baton::store::schema
