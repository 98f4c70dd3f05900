-- Makes dead letters ($24 their ids) of messages that were received, each a full copy with its last error ($19
-- message, $20 class, $21 stack) and its run ($22 ms, $23 worker), and takes them out of the parking. Repeated, or said of two deliveries of one
-- message, it makes one.
--
-- Index: messenger_failed_messages_carried; the primary key of messenger_parked, in its order, see unpark.sql.
-- `:count` is settlements/_count.sql, `:failure` settlements/_failure.sql, `:carried` _carried.sql.
WITH counted AS (
  :count
),
gone AS (
  DELETE FROM :"schema".messenger_parked WHERE id = ANY ($2) AND transport_name || '' = $1
)
INSERT INTO :"schema".messenger_failed_messages
  (id, message_id, created_at, scheduled_at, retry_count, max_retries, priority, transport_name, queue_name,
   message_type, idempotency_key, body, headers, metadata, error, error_class, error_history, handled, carried)
SELECT o.failed_id, id, created_at, scheduled_at, retry_count, max_retries, priority, transport_name, queue_name,
       message_type, idempotency_key, body::jsonb, headers::jsonb, metadata::jsonb, o.error, o.error_class,
       carried.error_history
       ||
       :failure
       ,
       handled, true
FROM (
  :carried
) carried
CROSS JOIN LATERAL (
  SELECT ($19::text[])[place] AS error, ($20::text[])[place] AS error_class, ($21::text[])[place] AS stack,
         ($22::integer[])[place] AS ms, ($23::uuid[])[place] AS worker, ($24::uuid[])[place] AS failed_id
) o
ORDER BY id
ON CONFLICT (message_id, transport_name) WHERE carried DO NOTHING
RETURNING id
