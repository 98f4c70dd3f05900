-- The schedules that are due, the longest due first, by messenger_schedules_due; and when the first of the others is.
-- Nothing is locked: settle.sql updates only what nobody has changed since, by its version.
-- Returns at least one row; id is NULL if nothing is due.
SELECT now() AS now,
       (SELECT min(s.next_run_at) FROM :"schema".messenger_schedules s WHERE s.enabled AND s.next_run_at > now()) AS later,
       due.id, due.name, due.version, due.record, due.unfinished
FROM (VALUES (1)) AS always (here)
LEFT JOIN LATERAL (
  SELECT s.id, s.name, s.version, to_jsonb(s)::text AS record,
         s.overlap = 'skip' AND (
           EXISTS (SELECT FROM :"schema".messenger_messages_pending m WHERE m.id = ANY (s.last_message_ids))
           OR EXISTS (SELECT FROM :"schema".messenger_messages_processing m WHERE m.id = ANY (s.last_message_ids))
         ) AS unfinished
  FROM :"schema".messenger_schedules s
  WHERE s.enabled AND s.next_run_at <= now()
  ORDER BY s.next_run_at
  LIMIT $1
) due ON true
