-- One message, or the dead letter that it has become. Index: the primary keys of the partitions, that of messages at
-- work as a whole (by worker first), and messenger_failed_messages_message. Columns as in list.sql.
SELECT NULL::uuid, id, message_type, transport_name, queue_name, priority, status, body::text, headers::text,
       metadata::text, created_at, available_at, scheduled_at, processed_at, retry_count, max_retries, crash_count,
       last_error, coalesce(error_history, '[]')::text, idempotency_key, NULL::uuid
FROM :"schema".messenger_messages
WHERE id = $1
UNION ALL
(SELECT NULL, message_id, message_type, transport_name, queue_name, priority, 'failed', body::text, headers::text,
        metadata::text, created_at, coalesce(scheduled_at, created_at), scheduled_at, failed_at, retry_count,
        max_retries, crash_count, error, error_history::text, idempotency_key, id
 FROM :"schema".messenger_failed_messages
 WHERE message_id = $1
 ORDER BY failed_at DESC LIMIT 1)
LIMIT 1
