-- Notes how full each queue is, once a minute: by whichever process comes first, the others find its row or its lock. The
-- sum has the empty names. Beyond 100 queues the others are left out of it, which `capped` says, too.
--
-- Counts as depth.sql does, up to 10,000 messages per queue and state while there are ten queues, and up to 1,000 where
-- there are a hundred: 100,000 entries of messenger_messages_claim for each state, whatever waits. Queues are found by
-- hops along the same index. What runs is read as a whole, up to 10,000.
WITH RECURSIVE turn AS MATERIALIZED (
  SELECT date_trunc('minute', now()) AS minute
  WHERE NOT EXISTS (SELECT FROM :"schema".messenger_depths
                    WHERE minute = date_trunc('minute', now()) AND transport_name = '' AND queue_name = '')
    AND pg_try_advisory_xact_lock(hashtextextended('symphony depths ' || :'schema', 0))
),
place AS (
  SELECT first.transport_name, first.queue_name, 1 AS number
  FROM turn CROSS JOIN LATERAL (
    SELECT m.transport_name, m.queue_name FROM :"schema".messenger_messages_pending m
    ORDER BY m.transport_name DESC, m.queue_name DESC LIMIT 1) first
  UNION ALL
  SELECT next.transport_name, next.queue_name, place.number + 1
  FROM place CROSS JOIN LATERAL (
    SELECT m.transport_name, m.queue_name FROM :"schema".messenger_messages_pending m
    WHERE (m.transport_name, m.queue_name) < (place.transport_name, place.queue_name)
    ORDER BY m.transport_name DESC, m.queue_name DESC LIMIT 1) next
  WHERE place.number <= 100
),
bound AS MATERIALIZED (
  SELECT greatest(1000, least(10000, 100000 / greatest(count(*), 1))) AS cap FROM place
),
running AS (
  SELECT transport_name, queue_name, count(*) AS processing
  FROM turn CROSS JOIN LATERAL (
    SELECT transport_name, queue_name FROM :"schema".messenger_messages_processing LIMIT 10000) held
  GROUP BY transport_name, queue_name
),
waiting AS (
  SELECT place.transport_name, place.queue_name, due.pending, later.delayed, first.oldest_ms
  FROM place
  CROSS JOIN LATERAL (
    SELECT count(*) AS pending FROM (
      SELECT FROM generate_series(10, 1, -1) AS p CROSS JOIN LATERAL (
        SELECT FROM :"schema".messenger_messages_pending m
        WHERE m.transport_name = place.transport_name AND m.queue_name = place.queue_name AND m.priority = p
          AND m.available_at <= now()
        ORDER BY m.available_at LIMIT (SELECT cap FROM bound)) each
      LIMIT (SELECT cap FROM bound)) capped) due
  CROSS JOIN LATERAL (
    SELECT count(*) AS delayed FROM (
      SELECT FROM generate_series(10, 1, -1) AS p CROSS JOIN LATERAL (
        SELECT FROM :"schema".messenger_messages_pending m
        WHERE m.transport_name = place.transport_name AND m.queue_name = place.queue_name AND m.priority = p
          AND m.available_at > now()
        ORDER BY m.available_at LIMIT (SELECT cap FROM bound)) each
      LIMIT (SELECT cap FROM bound)) capped) later
  CROSS JOIN LATERAL (
    SELECT max(extract(epoch FROM now() - greatest(each.available_at, 'epoch')) * 1000)::double precision AS oldest_ms
    FROM generate_series(10, 1, -1) AS p CROSS JOIN LATERAL (
      SELECT m.available_at FROM :"schema".messenger_messages_pending m
      WHERE m.transport_name = place.transport_name AND m.queue_name = place.queue_name AND m.priority = p
        AND m.available_at <= now()
      ORDER BY m.available_at LIMIT 1) each) first
  WHERE place.number <= 100
),
counted AS MATERIALIZED (
  SELECT transport_name, queue_name, coalesce(pending, 0) AS pending, coalesce(delayed, 0) AS delayed,
         coalesce(processing, 0) AS processing, oldest_ms,
         coalesce(pending, 0) >= cap OR coalesce(delayed, 0) >= cap OR coalesce(processing, 0) >= 10000 AS capped
  FROM waiting FULL JOIN running USING (transport_name, queue_name) CROSS JOIN bound
)
INSERT INTO :"schema".messenger_depths
  (minute, transport_name, queue_name, pending, delayed, processing, oldest_ms, capped)
SELECT turn.minute, all_of.*
FROM turn CROSS JOIN LATERAL (
  SELECT transport_name, queue_name, pending, delayed, processing, oldest_ms, capped FROM counted
  UNION ALL
  SELECT '', '', coalesce(sum(pending), 0), coalesce(sum(delayed), 0), coalesce(sum(processing), 0), max(oldest_ms),
         coalesce(bool_or(capped), false) OR (SELECT count(*) > 100 FROM place)
  FROM counted
) all_of
ON CONFLICT (minute, transport_name, queue_name) DO NOTHING
