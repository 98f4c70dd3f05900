-- Stores one message without an idempotency key: what an awaited `dispatch()` runs. Arrays of one, as `send` takes
-- them, cost 341 us where this costs 300 and a bare prepared INSERT 275; the notification as a CTE costs 15 us more.
-- Returns the database's clock, by which `available_at` was set; no row where the transport is switched off.
INSERT INTO :"schema".messenger_messages_pending
  (id, message_type, transport_name, queue_name, priority, max_retries, scheduled_at, available_at,
   body, headers, metadata)
SELECT $1, $2, $3, $4, $5, $6, $7, coalesce($7, now() + $8 * interval '1 millisecond', now()),
       $9::jsonb, coalesce($10, '{}')::jsonb, coalesce($11, '{}')::jsonb
:asking
WHERE $3 <> ALL (ARRAY(
  :disabled
))
:asked
RETURNING now(),
  -- Only while a listening worker waits, see `send`.
  (SELECT pg_notify(left('symphony_' || :'schema', 63), $3)
   FROM :"schema".messenger_workers w
   WHERE w.waiting AND w.lease_until > now() AND $3 = ANY (w.transports)
   LIMIT 1)
