-- Forgets at most $2 groups of errors that were not seen for $1 ms, and 90 days, unless somebody has set their state or
-- written a note. Index: messenger_error_groups_latest.
DELETE FROM :"schema".messenger_error_groups
WHERE ctid = ANY (ARRAY(
  SELECT ctid FROM :"schema".messenger_error_groups
  WHERE last_at < now() - $1 * interval '1 millisecond' AND last_at < now() - interval '90 days'
    AND state = 'open' AND note IS NULL
  ORDER BY last_at LIMIT $2 FOR UPDATE SKIP LOCKED))
RETURNING 1
