-- Deletes at most $2 rows of hours older than $1 ms, and 90 days. Index: the primary key of messenger_metrics_hourly.
DELETE FROM :"schema".messenger_metrics_hourly
WHERE ctid = ANY (ARRAY(
  SELECT ctid FROM :"schema".messenger_metrics_hourly
  WHERE hour < least(now() - $1 * interval '1 millisecond', now() - interval '90 days')
  ORDER BY hour LIMIT $2 FOR UPDATE SKIP LOCKED))
RETURNING 1
