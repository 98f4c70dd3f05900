-- Deletes at most $2 rows of hours older than $1 ms, and 90 days; none if $1 is NULL, which least() would pass over.
-- Index: the primary key of messenger_metrics_hourly.
DELETE FROM :"schema".messenger_metrics_hourly
WHERE ctid = ANY (ARRAY(
  SELECT ctid FROM :"schema".messenger_metrics_hourly
  WHERE hour < now() - $1 * interval '1 millisecond' AND hour < now() - interval '90 days'
  ORDER BY hour LIMIT $2 FOR UPDATE SKIP LOCKED))
RETURNING 1
