-- Ends the pause of transport $1, queue $2 and type $3 (empty: any), and answers what it was; no row: there was none, or
-- it was over by itself. Workers that wait are woken for what has waited. The audit $6 says who, $4, why, $5, and in
-- which role, $7.
-- Index: the primary key of messenger_controls.
WITH ended AS (
  DELETE FROM :"schema".messenger_controls
  WHERE transport_name = $1 AND queue_name = $2 AND message_type = $3
  RETURNING *
),
resumed AS (
  SELECT * FROM ended WHERE coalesce(until > now(), true)
),
arrived AS (
  SELECT w.transport_name
  FROM (SELECT DISTINCT unnest(transports) AS transport_name FROM :"schema".messenger_workers WHERE waiting) w
  JOIN resumed ON resumed.transport_name IN ('', w.transport_name)
),
woken AS (
  :wake
),
noted AS (
  INSERT INTO :"schema".messenger_audit (id, actor, role, action, target, reason, matched, done, ended_at, ended)
  SELECT $6, $4, $7, 'resume', target, $5, 1, 1, now(), 'completed'
  FROM resumed
  CROSS JOIN LATERAL (
    SELECT jsonb_strip_nulls(jsonb_build_object(
      'transport', nullif(transport_name, ''), 'queue', nullif(queue_name, ''), 'type', nullif(message_type, ''),
      'since', since)) AS target
  ) named
)
SELECT transport_name, queue_name, message_type, actor, reason, since, until, (SELECT count(*) FROM woken) AS woken
FROM resumed
