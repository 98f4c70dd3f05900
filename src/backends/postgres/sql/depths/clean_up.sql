-- Deletes at most $2 rows of depths older than $1 ms. Index: the primary key of messenger_depths.
DELETE FROM :"schema".messenger_depths
WHERE ctid = ANY (ARRAY(
  SELECT ctid FROM :"schema".messenger_depths
  WHERE minute < now() - $1 * interval '1 millisecond'
  ORDER BY minute LIMIT $2 FOR UPDATE SKIP LOCKED))
RETURNING 1
