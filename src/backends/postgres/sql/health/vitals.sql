-- What a health check needs in addition to depth and metrics, as one JSON value. Counts stop at $1.
-- Index: messenger_failed_messages_newest, by failed_at, messenger_schedules_due, and messenger_parked_due, which is
-- hopped along from transport to transport; the other tables have few rows.
SELECT jsonb_build_object(
  'deadLetters', (SELECT count(*) FROM (SELECT FROM :"schema".messenger_failed_messages LIMIT $1) capped),
  'recentDeadLetters', (SELECT count(*) FROM (
    SELECT FROM :"schema".messenger_failed_messages WHERE failed_at > now() - interval '1 hour' LIMIT $1) capped),
  'workers', (SELECT count(*) FROM (SELECT FROM :"schema".messenger_workers WHERE lease_until >= now() LIMIT $1) capped),
  'staleWorkers', (SELECT count(*) FROM (
    SELECT FROM :"schema".messenger_workers WHERE lease_until < now() - interval '1 minute' LIMIT $1) capped),
  'heldByNobody', (
    :unheld
  ),
  'unknownToWorkers', (
    :unknown
  ),
  'overdueSchedules', (SELECT count(*) FROM (
    SELECT FROM :"schema".messenger_schedules WHERE enabled AND next_run_at < now() - interval '5 minutes'
    LIMIT $1) capped),
  'overdueParked', (
    WITH RECURSIVE transport AS (
      (SELECT transport_name AS name FROM :"schema".messenger_parked ORDER BY transport_name, due_at LIMIT 1)
      UNION ALL
      SELECT (SELECT p.transport_name FROM :"schema".messenger_parked p
              WHERE p.transport_name > transport.name ORDER BY p.transport_name, p.due_at LIMIT 1)
      FROM transport WHERE transport.name IS NOT NULL
    )
    SELECT count(*) FROM (
      SELECT FROM transport CROSS JOIN LATERAL (
        SELECT FROM :"schema".messenger_parked p
        WHERE p.transport_name = transport.name AND p.due_at < now() - interval '5 minutes'
        ORDER BY p.due_at LIMIT $1) overdue
      LIMIT $1) capped),
  'circuits', coalesce((
    SELECT jsonb_agg(jsonb_build_object(
      'messageType', message_type, 'state', CASE state WHEN 'half_open' THEN 'halfOpen' ELSE state END,
      'runs', runs, 'failures', failures, 'reason', reason,
      'openedAt', floor(extract(epoch FROM opened_at) * 1000), 'probeAt', floor(extract(epoch FROM probe_at) * 1000))
      ORDER BY message_type)
    FROM :"schema".messenger_circuits WHERE state <> 'closed'), '[]'),
  'pauses', coalesce((
    SELECT jsonb_agg(jsonb_build_object(
      'transport', nullif(transport_name, ''), 'queue', nullif(queue_name, ''), 'type', nullif(message_type, ''),
      'actor', actor, 'reason', reason, 'since', floor(extract(epoch FROM since) * 1000)::bigint,
      'until', CASE WHEN isfinite(until) THEN floor(extract(epoch FROM until) * 1000)::bigint END)
      ORDER BY since, transport_name, queue_name, message_type)
    FROM :"schema".messenger_controls WHERE coalesce(until > now(), true)), '[]')
)::text AS vitals
