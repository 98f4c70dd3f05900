-- Which of the workers $1 are still there: those that live, and those that are dead while messages are in their name, which
-- the next rescue takes back. One that was declared dead meanwhile, and registered again with its next claim, has not been
-- asked: it is now. Index: the primary keys of messenger_workers and of messenger_messages_processing.
WITH again AS (
  UPDATE :"schema".messenger_workers SET stop_at = now() WHERE id = ANY ($1) AND stop_at IS NULL
)
SELECT asked.id, coalesce(w.host, ''), coalesce(w.pid, 0), held.running
FROM unnest($1::uuid[]) AS asked (id)
LEFT JOIN :"schema".messenger_workers w ON w.id = asked.id
CROSS JOIN LATERAL (
  SELECT count(*) AS running FROM :"schema".messenger_messages_processing p WHERE p.worker_id = asked.id
) held
WHERE w.lease_until >= now() OR held.running > 0
