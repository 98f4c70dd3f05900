-- Asks workers to stop: those that live, take the transport $1 and are among $2 (NULL: any). Each hears of it with its next
-- heartbeat. The audit $3 says who, $4, why, $5, and in which role, $6; those that were asked before are not in it. The
-- table has few rows; what each holds is a range of the primary key of messenger_messages_processing.
WITH asked AS (
  UPDATE :"schema".messenger_workers
  SET stop_at = coalesce(stop_at, now())
  WHERE lease_until >= now()
    AND ($1::text IS NULL OR $1 = ANY (transports))
    AND ($2::uuid[] IS NULL OR id = ANY ($2))
  RETURNING id, host, pid, stop_at = now() AS is_new
),
noted AS (
  INSERT INTO :"schema".messenger_audit (id, actor, role, action, target, reason, matched, done, ended_at, ended)
  SELECT $3, $4, $6, 'stopWorkers',
         jsonb_strip_nulls(jsonb_build_object('transport', $1::text, 'workers', jsonb_agg(id))), $5,
         count(*), count(*), now(), 'completed'
  FROM asked WHERE is_new HAVING count(*) > 0
)
SELECT id, host, pid,
       (SELECT count(*) FROM :"schema".messenger_messages_processing p WHERE p.worker_id = asked.id) AS running
FROM asked
