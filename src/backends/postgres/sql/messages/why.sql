-- What is known of why the message $1 waits, as one JSON value, NULL if nobody knows the message. Counts stop at $2.
--
-- Six looks, each by an index or into a table of few rows: the message by the primary keys of the partitions, that of
-- messages at work as a whole (by worker first), or its dead letter by messenger_failed_messages_message; pauses, circuits,
-- the workers that take its transport, the one that holds it; and of those that are before it no more than $2, by
-- messenger_messages_claim, one range for each priority above its own and one within it.
WITH it AS (
  SELECT id, status, transport_name, queue_name, message_type, priority, available_at, crash_count, retry_count, worker_id,
         locked_at
  FROM :"schema".messenger_messages
  WHERE id = $1
  UNION ALL
  (SELECT message_id, 'failed', transport_name, queue_name, message_type, priority, failed_at, crash_count, retry_count,
          NULL, NULL
   FROM :"schema".messenger_failed_messages WHERE message_id = $1 ORDER BY failed_at DESC LIMIT 1)
  LIMIT 1
)
SELECT jsonb_build_object(
  'status', it.status, 'transport', it.transport_name, 'queue', it.queue_name, 'type', it.message_type,
  'priority', it.priority, 'retryCount', it.retry_count, 'suspect', it.status = 'pending' AND it.crash_count > 0,
  'crashes', it.crash_count,
  'dueIn', CASE WHEN isfinite(it.available_at) THEN extract(epoch FROM it.available_at - now()) * 1000 END,
  'availableAt', CASE WHEN isfinite(it.available_at) THEN floor(extract(epoch FROM it.available_at) * 1000)::bigint END,
  'pause', CASE WHEN it.status = 'pending' THEN (
    SELECT jsonb_build_object(
      'transport', nullif(transport_name, ''), 'queue', nullif(queue_name, ''), 'type', nullif(message_type, ''),
      'actor', actor, 'reason', reason, 'since', floor(extract(epoch FROM since) * 1000)::bigint,
      'until', CASE WHEN isfinite(until) THEN floor(extract(epoch FROM until) * 1000)::bigint END)
    FROM :"schema".messenger_controls c
    WHERE c.transport_name IN ('', it.transport_name) AND c.queue_name IN ('', it.queue_name)
      AND c.message_type IN ('', it.message_type) AND coalesce(c.until > now(), true)
    ORDER BY since LIMIT 1) END,
  'circuit', CASE WHEN it.status = 'pending' THEN (
    SELECT jsonb_build_object(
      'messageType', message_type, 'state', CASE state WHEN 'half_open' THEN 'halfOpen' ELSE state END,
      'runs', runs, 'failures', failures, 'reason', reason,
      'openedAt', floor(extract(epoch FROM opened_at) * 1000), 'probeAt', floor(extract(epoch FROM probe_at) * 1000))
    FROM :"schema".messenger_circuits
    WHERE message_type = it.message_type AND state <> 'closed') END,
  'workers', (
    SELECT count(*) FROM (
      SELECT FROM :"schema".messenger_workers w
      WHERE w.lease_until >= now() AND it.transport_name = ANY (w.transports)
      LIMIT $2) capped),
  'ahead', CASE WHEN it.status = 'pending' AND it.available_at <= now() AND it.crash_count = 0 THEN (
    SELECT count(*) FROM (
      SELECT before.id
      FROM generate_series(10, it.priority, -1) AS lane (priority)
      CROSS JOIN LATERAL (
        SELECT m.id FROM :"schema".messenger_messages_pending m
        WHERE m.transport_name = it.transport_name AND m.queue_name = it.queue_name AND m.priority = lane.priority
          AND m.available_at <= now()
          AND (lane.priority > it.priority OR (m.available_at, m.id) < (it.available_at, it.id))
        ORDER BY m.available_at, m.id
        LIMIT $2
      ) before
      LIMIT $2) capped) END,
  'holder', CASE WHEN it.worker_id IS NOT NULL THEN (
    SELECT jsonb_build_object(
      'id', it.worker_id, 'host', w.host, 'pid', w.pid, 'since', floor(extract(epoch FROM it.locked_at) * 1000)::bigint,
      'until', floor(extract(epoch FROM w.lease_until) * 1000)::bigint, 'isAlive', coalesce(w.lease_until >= now(), false))
    FROM (SELECT) always
    LEFT JOIN :"schema".messenger_workers w ON w.id = it.worker_id) END
)::text AS facts
FROM it
