-- Begins an execution, unless another delivery of it has ended, or runs within its lease of $3 ms: then it says which,
-- and how many milliseconds of the lease are left. One row: when it began, or why it may not; none if another
-- delivery began at this moment.
-- The primary key of messenger_executions decides. `started_at` is the token of a run: a later one begins later.
WITH begun AS (
  INSERT INTO :"schema".messenger_executions AS known (route, execution_id, lease_until)
  VALUES ($1, $2, now() + $3 * interval '1 millisecond')
  ON CONFLICT (route, execution_id) DO UPDATE
  SET started_at = now(), lease_until = excluded.lease_until
  WHERE known.finished_at IS NULL AND known.lease_until < now()
  RETURNING started_at
)
SELECT started_at, false AS done, 0::float8 AS left_ms FROM begun
UNION ALL
SELECT NULL, finished_at IS NOT NULL,
       CASE WHEN isfinite(lease_until) THEN (extract(epoch FROM lease_until - now()) * 1000)::float8 END
FROM :"schema".messenger_executions
WHERE route = $1 AND execution_id = $2 AND NOT EXISTS (SELECT FROM begun)
