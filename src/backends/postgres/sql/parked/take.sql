-- Takes up to $4 messages of the transport $1 that are due, the longest due first, to publish them: they stay parked,
-- held under the token $2 for $3 ms. Those that come after some 16 MiB of text stay for the next one.
--
-- Index: messenger_parked_due, from its beginning; passed over is what others hold, a batch per relay. Two relays at
-- once take different messages, and what a relay held that died is due again when its time is over. Unpark names the
-- token (unpark.sql), so one that comes too late takes nothing out.
WITH found AS MATERIALIZED (
  SELECT id, due_at, octet_length(body) + octet_length(headers) + octet_length(metadata) AS bytes
  FROM :"schema".messenger_parked
  WHERE transport_name = $1 AND due_at <= now() AND (held_until IS NULL OR held_until <= now())
  ORDER BY due_at, id
  LIMIT $4
  FOR UPDATE SKIP LOCKED
),
taken AS (
  UPDATE :"schema".messenger_parked
  SET held_by = $2, held_until = now() + $3 * interval '1 millisecond'
  WHERE transport_name || '' = $1 AND id = ANY (ARRAY(
    SELECT id
    FROM (SELECT id, sum(bytes) OVER (ORDER BY due_at, id) - bytes < 16777216 AS fits FROM found) head
    WHERE fits))
  RETURNING *
)
SELECT id, message_type, queue_name, priority, body, headers, metadata, created_at, due_at, scheduled_at, retry_count,
       max_retries, idempotency_key, error_history::text, handled
FROM taken
ORDER BY due_at, id
