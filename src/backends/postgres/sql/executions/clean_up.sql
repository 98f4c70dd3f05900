-- Forgets at most $1 executions that began more than a day ago: no delivery comes that late.
-- Index: messenger_executions_started_at.
DELETE FROM :"schema".messenger_executions
WHERE ctid = ANY (ARRAY(
  SELECT ctid FROM :"schema".messenger_executions
  WHERE started_at < now() - interval '1 day'
  ORDER BY started_at LIMIT $1 FOR UPDATE SKIP LOCKED))
RETURNING 1
