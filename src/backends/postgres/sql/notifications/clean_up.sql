-- Deletes at most $1 notes on notifications that a week has passed over. A few rows, so no index.
DELETE FROM :"schema".messenger_notifications
WHERE ctid = ANY (ARRAY(
  SELECT ctid FROM :"schema".messenger_notifications
  WHERE updated_at < now() - interval '7 days' LIMIT $1 FOR UPDATE SKIP LOCKED))
RETURNING 1
