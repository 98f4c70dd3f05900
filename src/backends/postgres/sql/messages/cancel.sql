-- Cancels a waiting message: it leaves the queue, and joins the finished ones if $2 says that these are kept. If it holds
-- a key, that is free again; the shadow of the key stays, because it may stand for other types: see keys/_admit.sql.
--
-- Index: the primary key of messenger_messages_pending. A claim of the message may come at the same time: one of the
-- two deletes the row. Returns the state of the message; 'pending' if it was claimed meanwhile, so ask again.
WITH taken AS (
  DELETE FROM :"schema".messenger_messages_pending WHERE id = $1 RETURNING *
),
kept AS (
  INSERT INTO :"schema".messenger_messages_finished
    (id, created_at, available_at, scheduled_at, processed_at, retry_count, max_retries, priority, crash_count, status,
     transport_name, queue_name, message_type, idempotency_key, body, headers, metadata, last_error, error_history,
     handled)
  SELECT id, created_at, available_at, scheduled_at, now(), retry_count, max_retries, priority, crash_count,
         'cancelled', transport_name, queue_name, message_type, idempotency_key, body, headers, metadata, last_error,
         error_history, handled
  FROM taken WHERE $2
),
freed AS (
  DELETE FROM :"schema".messenger_deduplication held
  USING taken
  WHERE held.idempotency_key = taken.idempotency_key
    AND held.transport_name IN (taken.transport_name, taken.transport_name || E'\n' || taken.message_type)
    AND held.message_id = taken.id AND held.first_seen_at > '-infinity'
)
SELECT true AS cancelled, 'cancelled' AS status FROM taken
UNION ALL
(SELECT false, status FROM :"schema".messenger_messages WHERE id = $1 AND NOT EXISTS (SELECT FROM taken))
UNION ALL
(SELECT false, 'failed' FROM :"schema".messenger_failed_messages WHERE message_id = $1 LIMIT 1)
LIMIT 1
