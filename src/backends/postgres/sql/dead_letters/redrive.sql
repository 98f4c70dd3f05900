-- Puts dead letters back as new messages: the letter out and the message in, in one statement. The lineage is in
-- the headers. Two redrives of one letter make one message: the DELETE finds the row once, and an id named twice
-- counts once. They are due at once, so workers that wait are woken.
WITH chosen AS (
  SELECT DISTINCT ON (failed_id) * FROM unnest($1::uuid[], $2::uuid[]) AS c (failed_id, new_id)
),
letter AS (
  DELETE FROM :"schema".messenger_failed_messages WHERE id = ANY ($1) RETURNING *
),
stored AS (
  INSERT INTO :"schema".messenger_messages_pending
    (id, scheduled_at, max_retries, priority, transport_name, queue_name, message_type, idempotency_key,
     body, headers, metadata, last_error, error_history, handled)
  SELECT c.new_id, NULL, l.max_retries, l.priority, l.transport_name, l.queue_name, l.message_type, l.idempotency_key,
         l.body,
         l.headers || jsonb_build_object(
           'redriven-from', l.id,
           'original-message-id', coalesce(l.headers ->> 'original-message-id', l.message_id::text)),
         l.metadata, l.error, l.error_history, l.handled
  FROM letter l JOIN chosen c ON c.failed_id = l.id
  RETURNING id, (headers ->> 'redriven-from')::uuid AS failed_id, transport_name
),
arrived AS (
  SELECT transport_name FROM stored
),
woken AS (
  :wake
)
SELECT id, failed_id, transport_name, (SELECT count(*) FROM woken) AS woken FROM stored
