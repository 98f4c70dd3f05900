-- Deletes at most $2 finished messages older than $1 ms. Index: messenger_messages_finished_at.
DELETE FROM :"schema".messenger_messages_finished
WHERE ctid = ANY (ARRAY(
  SELECT ctid FROM :"schema".messenger_messages_finished
  WHERE processed_at < now() - $1 * interval '1 millisecond'
  ORDER BY processed_at LIMIT $2 FOR UPDATE SKIP LOCKED))
RETURNING 1
