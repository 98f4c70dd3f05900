-- The $1 workers and invocations that registered last. Those that have died are among them until they are rescued.
SELECT id, host, pid, kind, transports, started_at, last_beat_at, lease_until, in_flight, concurrency, waiting, version,
       release, stop_at, lease_until >= now() AS alive
FROM :"schema".messenger_workers
ORDER BY started_at DESC, id
LIMIT $1
