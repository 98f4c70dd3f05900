-- Deletes at most $1 records of notifications older than a week. A few rows, so no index.
DELETE FROM :"schema".messenger_notifications
WHERE ctid = ANY (ARRAY(
  SELECT ctid FROM :"schema".messenger_notifications
  WHERE updated_at < now() - interval '7 days' LIMIT $1 FOR UPDATE SKIP LOCKED))
RETURNING 1
