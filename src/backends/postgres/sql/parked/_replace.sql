-- Part of every statement that parks, inserted for `:replace`: of one id, what was parked last is parked, and nobody
-- holds it but who parks it. So a relay that still has the one before takes this one out of the parking no more.
ON CONFLICT (id, transport_name) DO UPDATE
SET due_at = excluded.due_at, held_by = excluded.held_by, held_until = excluded.held_until,
    created_at = excluded.created_at, scheduled_at = excluded.scheduled_at, retry_count = excluded.retry_count,
    max_retries = excluded.max_retries, priority = excluded.priority, queue_name = excluded.queue_name,
    message_type = excluded.message_type, idempotency_key = excluded.idempotency_key, body = excluded.body,
    headers = excluded.headers, metadata = excluded.metadata, error_history = excluded.error_history,
    handled = excluded.handled
