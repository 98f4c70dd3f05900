-- Deletes at most $1 pauses that are over by themselves. The table has few rows.
DELETE FROM :"schema".messenger_controls
WHERE ctid = ANY (ARRAY(
  SELECT ctid FROM :"schema".messenger_controls WHERE until <= now() LIMIT $1 FOR UPDATE SKIP LOCKED))
RETURNING 1
