-- Moves messages to the dead letters, each as a full copy with its last error.
--
-- `:count` is _count.sql, `:held` the fence, _held.sql, `:all` what it does when one no longer holds, _all.sql,
-- `:failure` _failure.sql, `:history` _history.sql.
WITH counted AS (
  :count
),
ended AS (
  DELETE FROM :"schema".messenger_messages_processing held
  WHERE
    :held
  RETURNING *, width_bucket(held.id, $1) AS place
),
settled AS (
  INSERT INTO :"schema".messenger_failed_messages
    (id, message_id, created_at, scheduled_at, retry_count, max_retries, priority, crash_count, transport_name,
     queue_name, message_type, idempotency_key, body, headers, metadata, error, error_class, error_history, handled)
  SELECT o.failed_id, e.id, e.created_at, e.scheduled_at, e.retry_count, e.max_retries, e.priority, e.crash_count,
         e.transport_name, e.queue_name, e.message_type, e.idempotency_key, e.body, e.headers, e.metadata,
         o.error, o.error_class,
         :history
         ||
         :failure
         ,
         CASE WHEN o.handled IS NULL THEN e.handled ELSE ARRAY(SELECT jsonb_array_elements_text(o.handled::jsonb)) END
  FROM ended e
  CROSS JOIN LATERAL (
    SELECT ($5::uuid[])[e.place] AS failed_id, ($6::text[])[e.place] AS error, ($7::text[])[e.place] AS error_class,
           ($8::text[])[e.place] AS handled, ($9::text[])[e.place] AS stack,
           ($10::integer[])[e.place] AS ms, ($11::uuid[])[e.place] AS worker
  ) o
  RETURNING 1
)
SELECT
  :all
