-- Dispatches refused for a key within its window, of all types. A dispatch that fans out counts once, not once per
-- transport. `_admit.sql` says what `transport_name` holds.
SELECT coalesce(sum(attempts), 0)::integer AS attempts
FROM (
  SELECT max(duplicate_attempts) AS attempts
  FROM :"schema".messenger_deduplication
  WHERE idempotency_key = $1 AND expires_at > now()
  GROUP BY substring(transport_name FROM E'\n(.*)')
) per_type
