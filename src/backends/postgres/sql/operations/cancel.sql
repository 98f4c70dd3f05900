-- A step that cancels those of the messages $1 that wait: they leave the queue, and join the finished ones if $6 says that
-- these are kept. Keys that they hold are free again, as in messages/cancel.sql. Index: the primary key of
-- messenger_messages_pending; of a claim that comes at the same time, one of the two deletes the row. `:turn` and
-- `:noted` are parts.
WITH turn AS (
  :turn
),
acted AS (
  DELETE FROM :"schema".messenger_messages_pending WHERE id = ANY ($1) AND EXISTS (SELECT FROM turn) RETURNING *
),
kept AS (
  INSERT INTO :"schema".messenger_messages_finished
    (id, created_at, available_at, scheduled_at, processed_at, retry_count, max_retries, priority, crash_count, status,
     transport_name, queue_name, message_type, idempotency_key, body, headers, metadata, last_error, error_history,
     handled)
  SELECT id, created_at, available_at, scheduled_at, now(), retry_count, max_retries, priority, crash_count,
         'cancelled', transport_name, queue_name, message_type, idempotency_key, body, headers, metadata, last_error,
         error_history, handled
  FROM acted WHERE $6
),
freed AS (
  DELETE FROM :"schema".messenger_deduplication held
  USING acted
  WHERE held.idempotency_key = acted.idempotency_key
    AND held.transport_name IN (acted.transport_name, acted.transport_name || E'\n' || acted.message_type)
    AND held.message_id = acted.id AND held.first_seen_at > '-infinity'
),
noted AS (
  :noted
)
SELECT id, id, transport_name FROM acted
