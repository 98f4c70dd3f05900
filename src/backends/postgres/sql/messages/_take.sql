-- Part of every claim, inserted for `:take`: what has been `moved` is held from now on, under the token $5 by the worker
-- $1. Headers and metadata are mostly empty, and then NULL here: only an empty object has 8 bytes or less, and to write
-- two of them as text was a twentieth of the claim.
INSERT INTO :"schema".messenger_messages_processing
  (id, created_at, available_at, scheduled_at, locked_at, locked_by, worker_id, retry_count, max_retries, priority,
   crash_count, status, transport_name, queue_name, message_type, idempotency_key, body, headers, metadata,
   last_error, error_history, handled)
SELECT id, created_at, available_at, scheduled_at, now(), $5, $1, retry_count, max_retries, priority,
       crash_count, 'processing', transport_name, queue_name, message_type, idempotency_key, body, headers, metadata,
       last_error, error_history, handled
FROM moved
RETURNING id, message_type, queue_name, priority, body::text,
          CASE WHEN pg_column_size(headers) > 8 THEN headers::text END,
          CASE WHEN pg_column_size(metadata) > 8 THEN metadata::text END,
          created_at, available_at, scheduled_at, retry_count, max_retries, crash_count, idempotency_key, handled,
          locked_at
