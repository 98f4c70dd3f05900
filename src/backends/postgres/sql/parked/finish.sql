-- Ends the messages $20 that were received: they run no more, whatever is parked of them. Of `:carried`, none if
-- finished messages are not kept, they are kept for retention.completed, as 'completed', or as 'discarded' with the
-- reason $19. Repeated, it keeps them once.
--
-- Index: the primary keys, see unpark.sql. `:count` is settlements/_count.sql, `:carried` _carried.sql.
WITH counted AS (
  :count
),
gone AS (
  DELETE FROM :"schema".messenger_parked WHERE id = ANY ($20) AND transport_name || '' = $1
)
INSERT INTO :"schema".messenger_messages_finished
  (id, created_at, available_at, scheduled_at, processed_at, retry_count, max_retries, priority, status, transport_name,
   queue_name, message_type, idempotency_key, body, headers, metadata, last_error, error_history, handled)
SELECT id, created_at, available_at, scheduled_at, now(), retry_count, max_retries, priority,
       CASE WHEN o.reason IS NULL THEN 'completed' ELSE 'discarded' END, transport_name, queue_name, message_type,
       idempotency_key, body::jsonb, headers::jsonb, metadata::jsonb, o.reason, error_history, handled
FROM (
  :carried
) carried
CROSS JOIN LATERAL (SELECT ($19::text[])[place] AS reason) o
ORDER BY id
ON CONFLICT (id) DO NOTHING
RETURNING id
