-- Notes that an execution has ended ($3), or that it failed, so that another delivery of it may try again.
UPDATE :"schema".messenger_executions
SET finished_at = CASE WHEN $3 THEN now() END, lease_until = CASE WHEN $3 THEN lease_until ELSE '-infinity' END
WHERE route = $1 AND execution_id = $2
RETURNING 1
