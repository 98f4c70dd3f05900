-- Pauses transport $1, queue $2 and type $3 (empty: any) until $6, or for $7 ms (both NULL: until somebody resumes it).
-- One that is paused stays so since when it was, with another reason and another end. The audit $8, of the role $9, is of
-- the same statement.
-- Index: the primary key of messenger_controls.
WITH paused AS (
  INSERT INTO :"schema".messenger_controls AS c
    (transport_name, queue_name, message_type, actor, reason, until)
  VALUES ($1, $2, $3, $4, $5, coalesce($6, now() + $7 * interval '1 millisecond'))
  ON CONFLICT (transport_name, queue_name, message_type) DO UPDATE
    SET actor = excluded.actor, reason = excluded.reason, until = excluded.until,
        since = CASE WHEN c.until <= now() THEN now() ELSE c.since END
  RETURNING *
),
noted AS (
  INSERT INTO :"schema".messenger_audit (id, actor, role, action, target, reason, matched, done, ended_at, ended)
  SELECT $8, actor, $9, 'pause', target, reason, 1, 1, now(), 'completed'
  FROM paused
  CROSS JOIN LATERAL (
    SELECT jsonb_strip_nulls(jsonb_build_object(
      'transport', nullif(transport_name, ''), 'queue', nullif(queue_name, ''), 'type', nullif(message_type, ''),
      'until', until)) AS target
  ) named
)
SELECT transport_name, queue_name, message_type, actor, reason, since, until FROM paused
