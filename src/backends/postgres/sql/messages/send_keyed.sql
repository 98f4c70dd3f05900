-- Stores a batch in which messages may carry idempotency keys. The primary key of messenger_deduplication decides:
-- inside the window the first message of a key and a type wins against all others, and each refusal is counted.
-- The caller sends each (key, transport, type) at most once, with the number of its repeats inside the batch.
-- Returns one row per message: the id that holds the key, which is its own where it was stored. If the batch has a
-- message for a transport that is switched off, nothing is stored and no key taken; then one row names that transport.
WITH
:asking
disabled AS MATERIALIZED (
  :disabled
),
refused AS MATERIALIZED (
  SELECT name FROM disabled WHERE name = ANY ($3) LIMIT 1
),
:asked
incoming AS (
  SELECT *
  FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::smallint[], $6::integer[], $7::timestamptz[],
              $8::double precision[], $9::text[], $10::text[], $11::text[],
              $12::text[], $13::double precision[], $14::integer[])
    AS m (id, message_type, transport_name, queue_name, priority, max_retries, scheduled_at,
          delay_ms, body, headers, metadata, idempotency_key, window_ms, repeats)
  :asking
  WHERE NOT EXISTS (SELECT FROM refused)
  :asked
),
  :admit
resolved AS (
  SELECT m.*, coalesce(a.message_id, m.id) AS holder
  FROM incoming m LEFT JOIN admitted a USING (id)
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
arrived AS (
  SELECT unnest($3::text[]) AS transport_name
),
woken AS (
  :wake
)
SELECT id, holder, now() AS now, (SELECT count(*) FROM woken) AS woken
:asking
       , NULL AS refused
:asked
FROM resolved
:asking
UNION ALL
SELECT NULL, NULL, now(), 0, name FROM refused
:asked
