-- Finishes messages and keeps them for retention.completed, as 'completed', or as 'discarded' with the reason ($5; an
-- empty array if all are completed).
--
-- `:count` is _count.sql, `:held` the fence, _held.sql, `:all` what it does when one no longer holds, _all.sql.
WITH counted AS (
  :count
),
ended AS (
  DELETE FROM :"schema".messenger_messages_processing held
  WHERE
    :held
  RETURNING *, width_bucket(held.id, $1) AS place
),
settled AS (
  INSERT INTO :"schema".messenger_messages_finished
    (id, created_at, available_at, scheduled_at, processed_at, locked_at, locked_by, worker_id, retry_count, max_retries,
     priority, crash_count, status, transport_name, queue_name, message_type, idempotency_key, body, headers, metadata,
     last_error, error_history, handled)
  SELECT e.id, e.created_at, e.available_at, e.scheduled_at, now(), e.locked_at, e.locked_by, e.worker_id, e.retry_count,
         e.max_retries, e.priority, e.crash_count, CASE WHEN o.reason IS NULL THEN 'completed' ELSE 'discarded' END,
         e.transport_name, e.queue_name, e.message_type, e.idempotency_key, e.body, e.headers, e.metadata,
         coalesce(o.reason, e.last_error), e.error_history, e.handled
  FROM ended e CROSS JOIN LATERAL (SELECT ($5::text[])[e.place] AS reason) o
  RETURNING 1
)
SELECT
  :all
