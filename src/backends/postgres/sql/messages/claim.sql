-- Claims up to $9 messages: moves them from the pending to the processing partition under the token $5. Those that come
-- after some 64 MiB of text stay, and the last column says that there are any.
--
-- Index: messenger_messages_claim, one range per lane ($6 queue, $7 priority), in the order of the lanes; the loop
-- stops as soon as enough rows are locked, so no lane is read further than needed and what lies in the future is
-- never read at all. A lane may have a floor ($11, $12), below which an earlier claim has left nothing; see floors.rs.
-- Fence: locked_by = $5. Lease: the worker's row, written in the same statement, so that no message is ever held by a
-- worker that nobody can declare dead. A lease that is fresh enough is only locked, not rewritten. A worker that
-- listens ($13) and finds nothing is marked as waiting, and unmarked by its next claim that finds something. One that a
-- rescue has marked as dead (in_flight below 0) is alive.
-- Bytes: how long the text of a body will be is estimated from what is stored, without reading it: pglz compresses 90
-- times at most, lz4 255 times, and `jsonb` has half the bytes of its text or more, unless that is numbers such as
-- 1e308. 2 MiB is more than a body can have with the default payload.maxBytes, so that at least 32 always fit.
-- If the claim fits, as nearly always, that costs one sum; only otherwise is each message's place in it found.
-- The form `ctid = ANY (<array>)` has one plan whatever the statistics say; a join on the CTE falls from 43k to 5.9k
-- messages per second under stale ones.
WITH found AS MATERIALIZED (
  SELECT array_agg(head.place) AS places, array_agg(head.bytes) AS sizes, sum(head.bytes) < 67108864 AS fits
  FROM (
    SELECT head.place, head.bytes
    FROM unnest($6::text[], $7::smallint[], $11::timestamptz[], $12::uuid[])
      AS lane (queue_name, priority, floor_at, floor_id)
    CROSS JOIN LATERAL (
      SELECT m.ctid AS place,
             CASE WHEN $9 > 32 THEN least(
               2097152,
               pg_column_size(m.body)
                 * CASE pg_column_compression(m.body) WHEN 'pglz' THEN 90::bigint WHEN 'lz4' THEN 255 ELSE 2 END
             )::int ELSE 0 END AS bytes
      FROM :"schema".messenger_messages_pending m
      WHERE m.transport_name = $10
        AND m.queue_name = lane.queue_name
        AND m.priority = lane.priority
        AND m.available_at <= now()
        AND (m.available_at, m.id)
          > (least(coalesce(lane.floor_at, '-infinity'), now() - interval '2 seconds'), lane.floor_id)
        AND m.crash_count = 0
        AND ($8::text[] IS NULL OR m.message_type = ANY ($8))
      ORDER BY m.available_at, m.id
      LIMIT $9
      FOR UPDATE SKIP LOCKED
    ) head
    LIMIT $9
  ) head
),
moved AS (
  DELETE FROM :"schema".messenger_messages_pending
  WHERE ctid = ANY ((
    SELECT CASE WHEN fits THEN places ELSE ARRAY(
      SELECT place
      FROM (SELECT place, sum(bytes) OVER (ROWS UNBOUNDED PRECEDING) - bytes < 67108864 AS fits
            FROM unnest(places, sizes) AS each (place, bytes)) head
      WHERE head.fits
    ) END
    FROM found
  )::tid[])
  RETURNING id, created_at, available_at, scheduled_at, retry_count, max_retries, priority, crash_count, transport_name,
            queue_name, message_type, idempotency_key, body, headers, metadata, last_error, error_history, handled
),
lease AS (
  INSERT INTO :"schema".messenger_workers AS w (id, host, pid, transports, lease_until, waiting)
  VALUES ($1, $2, $3, ARRAY[$10::text], now() + $4 * interval '1 millisecond', $13 AND NOT EXISTS (SELECT FROM moved))
  ON CONFLICT (id) DO UPDATE
    SET last_beat_at = now(),
        lease_until = excluded.lease_until,
        waiting = excluded.waiting,
        in_flight = greatest(w.in_flight, 0),
        transports = CASE WHEN $10 = ANY (w.transports) THEN w.transports ELSE w.transports || excluded.transports END
    WHERE w.lease_until < now() + $4 * interval '0.8 millisecond'
       OR w.waiting <> excluded.waiting
       OR NOT $10 = ANY (w.transports)
)
INSERT INTO :"schema".messenger_messages_processing
  (id, created_at, available_at, scheduled_at, locked_at, locked_by, worker_id, retry_count, max_retries, priority,
   crash_count, status, transport_name, queue_name, message_type, idempotency_key, body, headers, metadata,
   last_error, error_history, handled)
SELECT id, created_at, available_at, scheduled_at, now(), $5, $1, retry_count, max_retries, priority,
       crash_count, 'processing', transport_name, queue_name, message_type, idempotency_key, body, headers, metadata,
       last_error, error_history, handled
FROM moved
RETURNING id, message_type, queue_name, priority, body::text, headers::text, metadata::text, created_at,
          available_at, scheduled_at, retry_count, max_retries, crash_count, idempotency_key, handled, locked_at,
          (SELECT NOT fits FROM found)
