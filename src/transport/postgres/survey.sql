-- Which queues of a transport hold anything, and whether a suspect is due. Hops from queue to queue along
-- messenger_messages_claim (a loose index scan), so its cost is the number of queues, not of messages.
WITH RECURSIVE queue AS (
  (SELECT queue_name FROM :"schema".messenger_messages_pending
   WHERE transport_name = $1 ORDER BY queue_name LIMIT 1)
  UNION ALL
  SELECT (SELECT m.queue_name FROM :"schema".messenger_messages_pending m
          WHERE m.transport_name = $1 AND m.queue_name > queue.queue_name ORDER BY m.queue_name LIMIT 1)
  FROM queue WHERE queue.queue_name IS NOT NULL
)
SELECT coalesce(array_agg(queue_name) FILTER (WHERE queue_name IS NOT NULL), '{}') AS queues,
       EXISTS (SELECT FROM :"schema".messenger_messages_pending
               WHERE transport_name = $1 AND crash_count > 0 AND available_at <= now()) AS suspects
FROM queue
