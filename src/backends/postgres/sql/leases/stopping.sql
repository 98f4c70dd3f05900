-- Which of the workers $1 are still there: those that live, and those that are dead while messages are in their name, which
-- the next rescue takes back. Index: the primary keys of messenger_workers and of messenger_messages_processing.
SELECT asked.id, coalesce(w.host, ''), coalesce(w.pid, 0), held.running
FROM unnest($1::uuid[]) AS asked (id)
LEFT JOIN :"schema".messenger_workers w ON w.id = asked.id
CROSS JOIN LATERAL (
  SELECT count(*) AS running FROM :"schema".messenger_messages_processing p WHERE p.worker_id = asked.id
) held
WHERE w.lease_until >= now() OR held.running > 0
