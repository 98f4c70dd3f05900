-- Takes messages that no worker holds: those of workers whose lease has run out, and those whose worker has no row, for
-- whatever reason. Any claim may do it; no leader is needed. At most $3 messages at a time, so that what a large worker
-- held comes back in steps; what is left of it has no row then, and belongs to the next step. The worker that asks ($2)
-- is never the one declared dead: it is about to renew its lease.
-- A message held by a dead process is suspect: it comes back with its crash count raised, and at the third crash it
-- goes to the dead letters as WorkerCrash.
--
-- Index: messenger_messages_holder, one range for each gap between the workers that there are. What a worker with a row
-- holds, or has held, is not read, so the cost is the number of workers.
-- Held by nobody is exact in one snapshot: a claim writes its messages and its worker's row in one statement.
-- Nothing here waits for a lock: a settle in the same moment deletes the same message row, and whichever comes second
-- passes over it or finds it gone; a claim or heartbeat in the same moment holds the worker's row, and the worker is left
-- alone. That row is taken by ctid, not by id: a row that a claim has rewritten since this statement began is then out of
-- sight, as the messages of that claim are, and the worker waits for the next rescue.
WITH dead AS (
  DELETE FROM :"schema".messenger_workers
  WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM :"schema".messenger_workers WHERE lease_until < now() AND id <> $2 FOR UPDATE SKIP LOCKED))
  RETURNING id
),
living (id) AS (
  SELECT id FROM :"schema".messenger_workers WHERE id <> ALL (ARRAY(SELECT id FROM dead))
  UNION ALL VALUES ($2), ('00000000-0000-0000-0000-000000000000'), ('ffffffff-ffff-ffff-ffff-ffffffffffff')
),
orphan AS (
  DELETE FROM :"schema".messenger_messages_processing
  WHERE ctid = ANY (ARRAY(
    SELECT held.ctid
    FROM (SELECT id, lead(id) OVER (ORDER BY id) AS next FROM living) gap
    CROSS JOIN LATERAL (
      SELECT m.ctid
      FROM :"schema".messenger_messages_processing m
      WHERE m.worker_id > gap.id AND m.worker_id < gap.next
      ORDER BY m.worker_id, m.locked_by
      LIMIT $3
      FOR UPDATE SKIP LOCKED
    ) held
    LIMIT $3))
  RETURNING *
),
returned AS (
  INSERT INTO :"schema".messenger_messages_pending
    (id, created_at, available_at, scheduled_at, retry_count, max_retries, priority, crash_count, status,
     transport_name, queue_name, message_type, idempotency_key, body, headers, metadata, last_error, error_history,
     handled)
  SELECT id, created_at, available_at, scheduled_at, retry_count, max_retries, priority, crash_count + 1, 'pending',
         transport_name, queue_name, message_type, idempotency_key, body, headers, metadata, last_error, error_history,
         handled
  FROM orphan
  WHERE crash_count + 1 < $1
  RETURNING 1
),
buried AS (
  INSERT INTO :"schema".messenger_failed_messages
    (id, message_id, created_at, scheduled_at, retry_count, max_retries, priority, crash_count, transport_name,
     queue_name, message_type, idempotency_key, body, headers, metadata, error, error_class, error_history, handled)
  SELECT gen_random_uuid(), id, created_at, scheduled_at, retry_count, max_retries, priority, crash_count + 1,
         transport_name, queue_name, message_type, idempotency_key, body, headers, metadata,
         'the process died ' || $1 || ' times while it handled this message', 'WorkerCrash',
         coalesce(error_history, '[]') || jsonb_build_object('at', floor(extract(epoch FROM now()) * 1000),
           'class', 'WorkerCrash', 'message', 'the process died while it handled this message'),
         handled
  FROM orphan
  WHERE crash_count + 1 >= $1
  RETURNING 1
)
SELECT (SELECT count(*) FROM dead) AS workers,
       (SELECT count(*) FROM returned) AS returned,
       (SELECT count(*) FROM buried) AS buried
