-- Deletes a schedule by its name. Messages that it has dispatched stay. The audit $2 says who, $3, why, $4, and in which
-- role, $5. Index: the unique name of messenger_schedules.
WITH deleted AS (
  DELETE FROM :"schema".messenger_schedules WHERE name = $1 RETURNING id
),
noted AS (
  INSERT INTO :"schema".messenger_audit (id, actor, role, action, target, reason, matched, done, ended_at, ended)
  SELECT $2, $3, $5, 'removeSchedule', jsonb_build_object('schedule', $1), $4, 1, 1, now(), 'completed' FROM deleted
)
SELECT id FROM deleted
