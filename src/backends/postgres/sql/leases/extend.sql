-- One heartbeat: keeps the lease of everything that the worker holds. No row: the worker was declared dead, and its
-- messages have gone to others. Another started_at than before: the same, and a claim has registered it again since.
-- That is all a beat has to tell, so its cost does not grow with what the worker holds; lost.sql tells the rest.
UPDATE :"schema".messenger_workers
SET last_beat_at = now(), lease_until = now() + $2 * interval '1 millisecond', in_flight = $3
WHERE id = $1
RETURNING started_at
