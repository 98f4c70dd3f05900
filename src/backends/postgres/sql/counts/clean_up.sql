-- Deletes at most $2 rows of metrics older than $1 ms, once they are in the totals (merge.sql).
-- Index: the primary key of messenger_metrics.
DELETE FROM :"schema".messenger_metrics
WHERE ctid = ANY (ARRAY(
  SELECT ctid FROM :"schema".messenger_metrics
  WHERE merged AND minute < now() - $1 * interval '1 millisecond'
  ORDER BY minute LIMIT $2 FOR UPDATE SKIP LOCKED))
RETURNING 1
