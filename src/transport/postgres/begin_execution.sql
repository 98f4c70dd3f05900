-- Notes that an execution begins, unless another delivery of it has ended, or runs within its lease of $3 ms.
-- The primary key of messenger_executions decides. One row: it may run.
INSERT INTO :"schema".messenger_executions AS known (route, execution_id, lease_until)
VALUES ($1, $2, now() + $3 * interval '1 millisecond')
ON CONFLICT (route, execution_id) DO UPDATE
SET started_at = now(), lease_until = excluded.lease_until
WHERE known.finished_at IS NULL AND known.lease_until < now()
RETURNING 1
