-- Takes back a claim whose answer never arrived: the connection broke after the server may have moved the messages,
-- and nobody knows their ids. No attempt is used. Reads the processing partition once; it runs after a broken
-- connection only.
WITH lost AS (
  DELETE FROM :"schema".messenger_messages_processing
  WHERE worker_id = $1 AND locked_by = $2
  RETURNING *
),
returned AS (
  INSERT INTO :"schema".messenger_messages_pending
    (id, created_at, available_at, scheduled_at, retry_count, max_retries, priority, crash_count, status,
     transport_name, queue_name, message_type, idempotency_key, body, headers, metadata, last_error, error_history,
     handled)
  SELECT id, created_at, available_at, scheduled_at, retry_count, max_retries, priority, crash_count, 'pending',
         transport_name, queue_name, message_type, idempotency_key, body, headers, metadata, last_error, error_history,
         handled
  FROM lost
  RETURNING id, transport_name, queue_name, priority, available_at
),
arrived AS (
  SELECT transport_name FROM returned
),
woken AS (
  :wake
)
SELECT id, queue_name, priority, greatest(available_at, 'epoch') AS available_at, (SELECT count(*) FROM woken) AS woken
FROM returned
