-- What waits and what runs in each queue of a transport, counted up to $2 per row: a number for people must not cost
-- more as the queue grows. Queues are found as in survey.sql. Each count is ordered, which only the index does without
-- sorting: unordered, with a million messages of one priority, each of the other nine read the whole table (3.4 s).
WITH RECURSIVE queue AS (
  (SELECT queue_name FROM :"schema".messenger_messages_pending
   WHERE transport_name = $1 ORDER BY queue_name DESC LIMIT 1)
  UNION ALL
  SELECT (SELECT m.queue_name FROM :"schema".messenger_messages_pending m
          WHERE m.transport_name = $1 AND m.queue_name < queue.queue_name ORDER BY m.queue_name DESC LIMIT 1)
  FROM queue WHERE queue.queue_name IS NOT NULL
),
running AS (
  SELECT queue_name, count(*) AS processing
  FROM (SELECT queue_name FROM :"schema".messenger_messages_processing WHERE transport_name = $1 LIMIT $2) held
  GROUP BY queue_name
)
SELECT coalesce(queue.queue_name, running.queue_name) AS queue_name,
       coalesce(waiting.pending, 0) AS pending,
       coalesce(waiting.delayed, 0) AS delayed,
       coalesce(running.processing, 0) AS processing,
       waiting.oldest_age_ms
FROM (SELECT queue_name FROM queue WHERE queue_name IS NOT NULL) queue
FULL JOIN running USING (queue_name)
LEFT JOIN LATERAL (
  SELECT sum(lane.pending)::bigint AS pending,
         sum(lane.delayed)::bigint AS delayed,
         max(lane.oldest_age_ms) AS oldest_age_ms
  FROM (
    SELECT (SELECT count(*) FROM (SELECT FROM :"schema".messenger_messages_pending m
              WHERE m.transport_name = $1 AND m.queue_name = queue.queue_name AND m.priority = p
                AND m.available_at <= now() ORDER BY m.available_at LIMIT $2) capped) AS pending,
           (SELECT count(*) FROM (SELECT FROM :"schema".messenger_messages_pending m
              WHERE m.transport_name = $1 AND m.queue_name = queue.queue_name AND m.priority = p
                AND m.available_at > now() ORDER BY m.available_at LIMIT $2) capped) AS delayed,
           (SELECT extract(epoch FROM now() - m.available_at)::double precision * 1000
              FROM :"schema".messenger_messages_pending m
              WHERE m.transport_name = $1 AND m.queue_name = queue.queue_name AND m.priority = p
                AND m.available_at <= now()
              ORDER BY m.available_at LIMIT 1) AS oldest_age_ms
    FROM generate_series(1, 10) AS p
  ) lane
) waiting ON true
ORDER BY 1
