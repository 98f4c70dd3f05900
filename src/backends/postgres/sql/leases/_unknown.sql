-- Part of health checks, inserted for `:unknown`: how many messages are held by living workers that do not
-- know of them, up to 10,000 for each. At its last beat a worker said how many it has; more than that cannot be its own
-- of those that were claimed a lease and more before. Index: the primary key of messenger_messages_processing.
SELECT coalesce(sum(held.messages - w.in_flight), 0)::bigint
FROM :"schema".messenger_workers w
CROSS JOIN LATERAL (
  SELECT count(*) AS messages
  FROM (SELECT FROM :"schema".messenger_messages_processing m
        WHERE m.worker_id = w.id AND m.locked_at < w.last_beat_at - (w.lease_until - w.last_beat_at)
        ORDER BY m.worker_id
        LIMIT 10000) old
) held
WHERE w.lease_until >= now() AND held.messages > w.in_flight
