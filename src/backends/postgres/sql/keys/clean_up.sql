-- Deletes at most $1 idempotency keys whose window has passed. Index: messenger_deduplication_expiry.
DELETE FROM :"schema".messenger_deduplication
WHERE ctid = ANY (ARRAY(
  SELECT ctid FROM :"schema".messenger_deduplication
  WHERE expires_at < now()
  ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED))
RETURNING 1
