-- Keys that have refused dispatches within their window, those that were taken last first: taken before $1, which may be
-- NULL, and $2 of them at most. `_admit.sql` says what `transport_name` holds, and what was first seen at -infinity.
-- Index: messenger_deduplication_refused.
SELECT idempotency_key, split_part(transport_name, E'\n', 1), nullif(split_part(transport_name, E'\n', 2), ''),
       message_id, first_seen_at, CASE WHEN expires_at < 'infinity' THEN expires_at END, duplicate_attempts
FROM :"schema".messenger_deduplication
WHERE duplicate_attempts > 0 AND first_seen_at > '-infinity' AND first_seen_at < coalesce($1, 'infinity')
ORDER BY first_seen_at DESC, idempotency_key DESC, transport_name DESC
LIMIT $2
