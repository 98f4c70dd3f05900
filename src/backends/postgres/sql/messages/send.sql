-- Stores a batch that carries no idempotency keys: one INSERT, whatever its size. `send_one` is for a single message.
-- Returns the database's clock, by which `available_at` was set, and a transport that is switched off, if the batch has
-- a message for one: then nothing is stored.
WITH
:asking
disabled AS MATERIALIZED (
  :disabled
),
refused AS MATERIALIZED (
  SELECT name FROM disabled WHERE name = ANY ($3) LIMIT 1
),
:asked
stored AS (
  INSERT INTO :"schema".messenger_messages_pending
    (id, message_type, transport_name, queue_name, priority, max_retries, scheduled_at, available_at,
     body, headers, metadata)
  SELECT m.id, m.message_type, m.transport_name, m.queue_name, m.priority, m.max_retries, m.scheduled_at,
         coalesce(m.scheduled_at, now() + m.delay_ms * interval '1 millisecond', now()),
         m.body::jsonb, coalesce(m.headers, '{}')::jsonb, coalesce(m.metadata, '{}')::jsonb
  FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::smallint[], $6::integer[], $7::timestamptz[],
              $8::double precision[], $9::text[], $10::text[], $11::text[])
    AS m (id, message_type, transport_name, queue_name, priority, max_retries, scheduled_at,
          delay_ms, body, headers, metadata)
  :asking
  WHERE NOT EXISTS (SELECT FROM refused)
  :asked
),
arrived AS (
  SELECT unnest($3::text[]) AS transport_name
),
woken AS (
  :wake
)
SELECT now() AS now, (SELECT count(*) FROM woken) AS woken
:asking
       , (SELECT name FROM refused) AS refused
:asked
