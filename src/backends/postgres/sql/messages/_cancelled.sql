-- Part of what cancels messages, inserted for `:cancelled`: those that have `acted` join the finished ones. Whether they
-- are kept at all, the statement says behind it.
INSERT INTO :"schema".messenger_messages_finished
  (id, created_at, available_at, scheduled_at, processed_at, retry_count, max_retries, priority, crash_count, status,
   transport_name, queue_name, message_type, idempotency_key, body, headers, metadata, last_error, error_history,
   handled)
SELECT id, created_at, available_at, scheduled_at, now(), retry_count, max_retries, priority, crash_count,
       'cancelled', transport_name, queue_name, message_type, idempotency_key, body, headers, metadata, last_error,
       error_history, handled
FROM acted
