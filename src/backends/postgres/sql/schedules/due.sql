-- The schedules that are due, the longest due first, by messenger_schedules_due; and when the first of the others is.
-- Nothing is locked: settle.sql updates only what nobody has changed since, by its version.
-- Returns at least one row; id is NULL if nothing is due.
--
-- Whether messages of theirs are at work is looked up once for all of them, and only if a schedule asks for it: the
-- primary key of messages at work begins with the worker, so they are looked for in all of it. Once for each schedule,
-- 100 of them took 130 ms beside 200,000 dead entries, and 8 s where the planner may read a whole table; this takes 20
-- and 80 ms. IS TRUE keeps it a filter: given a list, Postgres 15 reads all of the index once for each message in it.
WITH due AS MATERIALIZED (
  SELECT s.*
  FROM :"schema".messenger_schedules s
  WHERE s.enabled AND s.next_run_at <= now()
  ORDER BY s.next_run_at
  LIMIT $1
),
awaited AS MATERIALIZED (
  SELECT unnest(last_message_ids) AS id FROM due WHERE overlap = 'skip'
),
at_work AS MATERIALIZED (
  SELECT m.id
  FROM :"schema".messenger_messages_processing m
  WHERE EXISTS (SELECT FROM awaited) AND (m.id IN (SELECT id FROM awaited)) IS TRUE
)
SELECT now() AS now,
       (SELECT min(s.next_run_at) FROM :"schema".messenger_schedules s WHERE s.enabled AND s.next_run_at > now()) AS later,
       due.id, due.name, due.version, to_jsonb(due)::text AS record,
       due.overlap = 'skip' AND (
         EXISTS (SELECT FROM :"schema".messenger_messages_pending m WHERE m.id = ANY (due.last_message_ids))
         OR EXISTS (SELECT FROM at_work WHERE at_work.id = ANY (due.last_message_ids))
       ) AS unfinished
FROM (VALUES (1)) AS always (here)
LEFT JOIN due ON true
ORDER BY due.next_run_at
