-- Part of what puts dead letters back, inserted for `:redriven`: the message in, for each `letter` that is out, under the id
-- that was `chosen` for it; what a broker has carried is parked for it. The lineage is in the headers. They are due at once,
-- so workers that wait are woken.
revived AS (
  SELECT l.*, c.new_id,
         l.headers || jsonb_build_object(
           'redriven-from', l.id,
           'original-message-id', coalesce(l.headers ->> 'original-message-id', l.message_id::text)) AS lineage
  FROM letter l JOIN chosen c ON c.failed_id = l.id
),
stored AS (
  INSERT INTO :"schema".messenger_messages_pending
    (id, scheduled_at, max_retries, priority, transport_name, queue_name, message_type, idempotency_key,
     body, headers, metadata, last_error, error_history, handled)
  SELECT new_id, NULL, max_retries, priority, transport_name, queue_name, message_type, idempotency_key,
         body, lineage, metadata, error, error_history, handled
  FROM revived WHERE NOT carried
),
parked AS (
  INSERT INTO :"schema".messenger_parked
    (id, due_at, max_retries, priority, transport_name, queue_name, message_type, idempotency_key,
     body, headers, metadata, error_history, handled)
  SELECT new_id, now(), max_retries, priority, transport_name, queue_name, message_type, idempotency_key,
         body::text, lineage::text, metadata::text, error_history, coalesce(handled, '{}')
  FROM revived WHERE carried
),
arrived AS (
  SELECT transport_name FROM revived
),
