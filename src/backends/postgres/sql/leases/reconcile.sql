-- Puts back what is assigned to the worker $1 without its knowing: under none of the tokens that it knows ($2), and
-- claimed before it made the token $3. The answer to a claim was lost, or a failover has undone a settlement. No
-- attempt is used up. At most $4 messages at a time; the first $5 are passed over: one that no table takes must not
-- hold up those behind it.
--
-- Asked with a heartbeat, so that a claim that commits after its worker has given up on it is found by the next one.
-- Index: the primary key of messenger_messages_processing, all that the worker holds. What is locked is being settled,
-- and is skipped.
-- Fence: $3. A later claim has a greater token, because the claiming process makes tokens in order.
WITH unknown AS (
  DELETE FROM :"schema".messenger_messages_processing
  WHERE ctid = ANY (ARRAY(
    SELECT ctid
    FROM :"schema".messenger_messages_processing
    WHERE worker_id = $1 AND locked_by < $3 AND locked_by <> ALL ($2)
    ORDER BY worker_id, id
    LIMIT $4 OFFSET $5
    FOR UPDATE SKIP LOCKED))
  RETURNING *
),
returned AS (
  INSERT INTO :"schema".messenger_messages_pending
    (id, created_at, available_at, scheduled_at, retry_count, max_retries, priority, crash_count, status,
     transport_name, queue_name, message_type, idempotency_key, body, headers, metadata, last_error, error_history,
     handled)
  SELECT id, created_at, available_at, scheduled_at, retry_count, max_retries, priority, crash_count, 'pending',
         transport_name, queue_name, message_type, idempotency_key, body, headers, metadata, last_error, error_history,
         handled
  FROM unknown
  RETURNING id, transport_name, queue_name, priority, available_at
),
arrived AS (
  SELECT transport_name FROM returned
),
woken AS (
  :wake
)
SELECT id, queue_name, priority, greatest(available_at, 'epoch') AS available_at, (SELECT count(*) FROM woken) AS woken
FROM returned
