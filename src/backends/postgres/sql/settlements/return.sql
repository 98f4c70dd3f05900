-- Puts messages back: for a retry (attempts 1, with its error), or released (attempts 0, no error).
-- A release without delay keeps its old place in the queue. A run that has ended clears the message: only one that was
-- not started ($10) stays as suspect as it was.
--
-- Returns where they are now. What is due at once wakes the workers that wait for it. `:count` is _count.sql,
-- `:held` the fence, _held.sql, `:all` what it does when one no longer holds, _all.sql, `:failure` _failure.sql,
-- `:history` _history.sql, `:wake` messages/_wake.sql.
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
  INSERT INTO :"schema".messenger_messages_pending
    (id, created_at, available_at, scheduled_at, retry_count, max_retries, priority, crash_count, status,
     transport_name, queue_name, message_type, idempotency_key, body, headers, metadata, last_error, error_history,
     handled)
  SELECT e.id, e.created_at, coalesce(now() + o.delay_ms * interval '1 millisecond', e.available_at), e.scheduled_at,
         e.retry_count + o.attempts, e.max_retries, e.priority,
         CASE WHEN o.unproven THEN e.crash_count ELSE 0 END, 'pending',
         e.transport_name, e.queue_name, e.message_type, e.idempotency_key, e.body, e.headers, e.metadata,
         coalesce(o.error, e.last_error),
         CASE WHEN o.error IS NULL THEN e.error_history ELSE
           :history
           ||
           :failure
         END,
         CASE WHEN o.handled IS NULL THEN e.handled ELSE ARRAY(SELECT jsonb_array_elements_text(o.handled::jsonb)) END
  FROM ended e
  CROSS JOIN LATERAL (
    SELECT ($5::integer[])[e.place] AS attempts, ($6::double precision[])[e.place] AS delay_ms,
           ($7::text[])[e.place] AS error, ($8::text[])[e.place] AS error_class, ($9::text[])[e.place] AS handled,
           ($10::boolean[])[e.place] AS unproven, ($11::text[])[e.place] AS stack,
           ($12::integer[])[e.place] AS ms, ($13::uuid[])[e.place] AS worker
  ) o
  RETURNING id, transport_name, queue_name, priority, available_at
),
arrived AS (
  SELECT transport_name FROM settled WHERE available_at <= now()
),
woken AS (
  :wake
)
SELECT id, queue_name, priority, greatest(available_at, 'epoch') AS available_at, (SELECT count(*) FROM woken) AS woken
FROM settled
WHERE 1 =
  :all
