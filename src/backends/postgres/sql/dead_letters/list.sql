-- One page of dead letters, newest first. `:letters` is _letters.sql.
SELECT id, message_id, message_type, transport_name, queue_name, priority, body::text, headers::text, metadata::text,
       error, error_class, error_history::text, failed_at, retry_count, crash_count, created_at, idempotency_key
:letters
