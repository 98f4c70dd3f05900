-- Deletes at most $1 idempotency keys whose window has passed, and their shadows (see `_admit.sql`), which do not count.
-- Index: messenger_deduplication_expiry.
WITH gone AS (
  DELETE FROM :"schema".messenger_deduplication
  WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM :"schema".messenger_deduplication
    WHERE expires_at < now()
    ORDER BY expires_at, idempotency_key LIMIT 2 * $1 FOR UPDATE SKIP LOCKED))
  RETURNING first_seen_at
)
SELECT 1 FROM gone WHERE first_seen_at > '-infinity'
