-- Deletes at most $2 rows of metrics older than $1 ms. Index: the primary key of messenger_metrics.
DELETE FROM :"schema".messenger_metrics
WHERE ctid = ANY (ARRAY(
  SELECT ctid FROM :"schema".messenger_metrics
  WHERE minute < now() - $1 * interval '1 millisecond'
  ORDER BY minute LIMIT $2 FOR UPDATE SKIP LOCKED))
RETURNING 1
