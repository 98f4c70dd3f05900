-- One message, or the dead letter that it has become. Index: the primary keys of the partitions, that of messages at
-- work as a whole (by worker first), and messenger_failed_messages_message. Columns as in list.sql.
SELECT NULL::uuid, false, id, message_type, transport_name, queue_name, priority, status, body::text, NULL::integer,
       coalesce(error_history, '[]')::text, headers::text, metadata::text, created_at, available_at, scheduled_at,
       CASE WHEN status <> 'pending' THEN locked_at END, CASE WHEN status <> 'pending' THEN worker_id END, processed_at,
       retry_count, max_retries, crash_count, last_error, idempotency_key, NULL::uuid
FROM :"schema".messenger_messages
WHERE id = $1
UNION ALL
(SELECT NULL, false, message_id, message_type, transport_name, queue_name, priority, 'failed', body::text, NULL,
        error_history::text, headers::text, metadata::text, created_at, coalesce(scheduled_at, created_at), scheduled_at,
        NULL, NULL, failed_at, retry_count, max_retries, crash_count, error, idempotency_key, id
 FROM :"schema".messenger_failed_messages
 WHERE message_id = $1
 ORDER BY failed_at DESC LIMIT 1)
LIMIT 1
