-- Parks messages that were received and are to run again: for a retry, with its error ($19 message, $20 class, $21
-- stack) and its run ($22 ms, $23 worker), or later without one. Without a delay they are due at once, in their old place.
-- Repeated, it parks them once, and counts them once; what is buried stays so. Nobody holds them, see _replace.sql: a
-- relay that has published the message before takes no run out that came after.
--
-- Index: the primary key, in its order; messenger_failed_messages_carried, once per message. `:count` is
-- settlements/_count.sql, `:failure` settlements/_failure.sql, `:carried` _carried.sql, `:replace` _replace.sql.
WITH counted AS (
  :count
)
INSERT INTO :"schema".messenger_parked
  (transport_name, id, due_at, created_at, scheduled_at, retry_count, max_retries, priority, queue_name, message_type,
   idempotency_key, body, headers, metadata, error_history, handled)
SELECT transport_name, id, coalesce(now() + delay_ms * interval '1 millisecond', least(available_at, now())),
       created_at, scheduled_at, retry_count, max_retries, priority, queue_name, message_type, idempotency_key, body,
       headers, metadata,
       CASE WHEN o.error IS NULL THEN error_history ELSE error_history ||
         :failure
       END,
       handled
FROM (
  :carried
) carried
CROSS JOIN LATERAL (
  SELECT ($19::text[])[place] AS error, ($20::text[])[place] AS error_class, ($21::text[])[place] AS stack,
         ($22::integer[])[place] AS ms, ($23::uuid[])[place] AS worker
) o
WHERE NOT EXISTS (SELECT FROM :"schema".messenger_failed_messages f
                  WHERE f.message_id = carried.id AND f.transport_name = $1 AND f.carried)
ORDER BY id
:replace
RETURNING id
