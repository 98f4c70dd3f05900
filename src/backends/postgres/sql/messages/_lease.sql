-- Part of a claim, inserted for `:lease`: the worker's row, written in the same statement, so that no message is ever
-- held by a worker that nobody can declare dead. A lease that is fresh enough is only locked, not rewritten. A worker
-- that listens ($13) and finds nothing is marked as waiting; its next claim that finds something, or does not listen,
-- unmarks it. One that a rescue has marked as dead (in_flight below 0) is alive.
INSERT INTO :"schema".messenger_workers AS w
  (id, host, pid, transports, lease_until, waiting, kind, concurrency, version, release)
VALUES ($1, $2, $3, ARRAY[$10::text], now() + $4 * interval '1 millisecond', $13 AND NOT EXISTS (SELECT FROM moved),
        $14, $15, $16, $17)
ON CONFLICT (id) DO UPDATE
  SET last_beat_at = now(),
      lease_until = excluded.lease_until,
      waiting = excluded.waiting,
      in_flight = greatest(w.in_flight, 0),
      transports = CASE WHEN $10 = ANY (w.transports) THEN w.transports ELSE w.transports || excluded.transports END
  WHERE w.lease_until < now() + $4 * interval '0.8 millisecond'
     OR w.waiting <> excluded.waiting
     OR NOT $10 = ANY (w.transports)
