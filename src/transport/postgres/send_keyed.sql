-- Stores a batch in which messages may carry idempotency keys. The primary key of messenger_deduplication decides:
-- inside the window the first message of a key wins, whoever else dispatches it, and each refusal is counted.
-- Keys are taken in sorted order, so that two batches with the same keys wait for each other and never deadlock.
-- The caller sends each (key, transport) at most once, with the number of its repeats inside the batch.
-- Answers with one row a message: the id that holds the key, which is its own where it was stored.
WITH incoming AS (
  SELECT *
  FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::smallint[], $6::integer[], $7::timestamptz[],
              $8::double precision[], $9::text[], $10::text[], $11::text[],
              $12::text[], $13::double precision[], $14::integer[])
    AS m (id, message_type, transport_name, queue_name, priority, max_retries, scheduled_at,
          delay_ms, body, headers, metadata, idempotency_key, window_ms, repeats)
),
admitted AS (
  INSERT INTO :"schema".messenger_deduplication AS held
    (idempotency_key, transport_name, message_id, expires_at, duplicate_attempts)
  SELECT idempotency_key, transport_name, id, now() + window_ms * interval '1 millisecond', repeats
  FROM incoming
  WHERE idempotency_key IS NOT NULL
  ORDER BY idempotency_key, transport_name
  ON CONFLICT (idempotency_key, transport_name) DO UPDATE SET
    message_id = CASE WHEN held.expires_at <= now() THEN excluded.message_id ELSE held.message_id END,
    first_seen_at = CASE WHEN held.expires_at <= now() THEN now() ELSE held.first_seen_at END,
    duplicate_attempts = CASE WHEN held.expires_at <= now() THEN excluded.duplicate_attempts
                              ELSE held.duplicate_attempts + 1 + excluded.duplicate_attempts END,
    expires_at = CASE WHEN held.expires_at <= now() THEN excluded.expires_at ELSE held.expires_at END
  RETURNING idempotency_key, transport_name, message_id
),
resolved AS (
  SELECT m.*, coalesce(a.message_id, m.id) AS holder
  FROM incoming m LEFT JOIN admitted a USING (idempotency_key, transport_name)
),
stored AS (
  INSERT INTO :"schema".messenger_messages_pending
    (id, message_type, transport_name, queue_name, priority, max_retries, scheduled_at, available_at,
     body, headers, metadata, idempotency_key)
  SELECT id, message_type, transport_name, queue_name, priority, max_retries, scheduled_at,
         coalesce(scheduled_at, now() + delay_ms * interval '1 millisecond', now()),
         body::jsonb, coalesce(headers, '{}')::jsonb, coalesce(metadata, '{}')::jsonb, idempotency_key
  FROM resolved
  WHERE holder = id
),
woken AS (
  -- One notification a transport, and only while a listening worker waits: NOTIFY takes a lock of the whole cluster
  -- at commit, and a busy worker looks by itself.
  SELECT pg_notify(left('symphony_' || :'schema', 63), sent.transport_name)
  FROM (SELECT DISTINCT transport_name FROM unnest($3::text[]) AS t (transport_name)) sent
  WHERE EXISTS (SELECT FROM :"schema".messenger_workers w
                WHERE w.waiting AND w.lease_until > now() AND sent.transport_name = ANY (w.transports))
)
SELECT id, holder, now() AS now, (SELECT count(*) FROM woken) AS woken FROM resolved
