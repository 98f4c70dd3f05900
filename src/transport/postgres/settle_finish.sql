-- Ends messages and keeps them for retention.completed, as 'completed', or as 'discarded' with the reason.
--
-- Index: the primary key of messenger_messages_processing. Fence: (id, locked_by) as given; a message claimed again
-- since is not touched. Answers with the ids that were still held. `:count` is count.sql.
WITH counted AS (
  :count
),
outcome AS (
  SELECT * FROM unnest($1::uuid[], $2::uuid[], $4::text[], $5::text[]) AS o (id, token, status, reason)
),
ended AS (
  DELETE FROM :"schema".messenger_messages_processing held
  WHERE held.id = ANY ($1) AND (held.id, held.locked_by) IN (SELECT id, token FROM outcome)
  RETURNING *
)
INSERT INTO :"schema".messenger_messages_finished
  (id, created_at, available_at, scheduled_at, processed_at, locked_at, locked_by, worker_id, retry_count, max_retries,
   priority, crash_count, status, transport_name, queue_name, message_type, idempotency_key, body, headers, metadata,
   last_error, error_history, handled)
SELECT id, e.created_at, e.available_at, e.scheduled_at, now(), e.locked_at, e.locked_by, e.worker_id, e.retry_count,
       e.max_retries, e.priority, e.crash_count, o.status, e.transport_name, e.queue_name, e.message_type,
       e.idempotency_key, e.body, e.headers, e.metadata, coalesce(o.reason, e.last_error), e.error_history, e.handled
FROM ended e JOIN outcome o USING (id)
RETURNING id
