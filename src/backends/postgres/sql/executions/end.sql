-- Records that an execution has ended ($4), or that it failed, so that another delivery of it may try again.
-- The primary key finds it. Fence: $3, when this run began. What has begun again since, or has ended, stays as it is.
UPDATE :"schema".messenger_executions
SET finished_at = CASE WHEN $4 THEN now() END, lease_until = CASE WHEN $4 THEN lease_until ELSE '-infinity' END
WHERE route = $1 AND execution_id = $2 AND started_at = $3 AND finished_at IS NULL
RETURNING 1
