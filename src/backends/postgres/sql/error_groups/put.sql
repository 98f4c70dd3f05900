-- Sets the state $3 of a group of errors, of the type $1 and the class $2, and what is noted about it ($4), if it was ever
-- seen. One that was not merged yet (counts/merge.sql) begins without an occurrence: what it has is added then. The audit
-- $5 says who, $6, why, $7, and in which role, $8.
-- Index: the primary key of messenger_error_groups, and messenger_metrics_not_hourly.
WITH put AS (
  INSERT INTO :"schema".messenger_error_groups AS g
    (message_type, error_class, first_at, last_at, occurrences, state, state_at, note)
  SELECT $1, $2, seen.first_at, seen.last_at, 0, $3, now(), $4
  FROM (
    SELECT first_at, last_at FROM :"schema".messenger_error_groups WHERE message_type = $1 AND error_class = $2
    UNION ALL
    (SELECT minute, minute FROM (
       SELECT message_type, minute, errors FROM :"schema".messenger_metrics WHERE NOT hourly
       ORDER BY minute DESC LIMIT 20000) newest
     WHERE message_type = $1 AND errors ? $2)
    LIMIT 1
  ) seen
  ON CONFLICT (message_type, error_class) DO UPDATE
  SET state = excluded.state, state_at = excluded.state_at, note = excluded.note
  RETURNING 1
),
noted AS (
  INSERT INTO :"schema".messenger_audit (id, actor, role, action, target, reason, matched, done, ended_at, ended)
  SELECT $5, $6, $8, 'judgeErrors', jsonb_build_object('type', $1, 'class', $2, 'state', $3), $7, 1, 1, now(), 'completed'
  FROM put
)
SELECT 1 FROM put
