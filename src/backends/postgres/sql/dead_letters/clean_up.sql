-- Deletes at most $2 dead letters older than $1 ms. Index: messenger_failed_messages_newest.
DELETE FROM :"schema".messenger_failed_messages
WHERE ctid = ANY (ARRAY(
  SELECT ctid FROM :"schema".messenger_failed_messages
  WHERE failed_at < now() - $1 * interval '1 millisecond'
  ORDER BY failed_at LIMIT $2 FOR UPDATE SKIP LOCKED))
RETURNING 1
