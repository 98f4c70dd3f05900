-- Takes messages that no worker holds: those of workers whose lease has run out, and those whose worker has no row, for
-- whatever reason. Any claim may do it; no leader is needed. At most $3 messages at a time, so that what a large worker
-- held comes back in steps; what is left of it belongs to the next step, and has no row then, unless there is somebody
-- to blame. The first $4 are skipped: one that no table takes must not hold up those behind it. The worker that asks
-- ($2) is never declared dead: it is about to renew its lease.
--
-- Who is to blame for a death: the suspect that ran, if there was one, and then nobody else. Without one, all that was
-- held: each of them is a suspect from now on, and none is convicted. So a message is buried, as WorkerCrash, by crashes
-- in runs of its own only: at the $1th, that of the first death counted. A suspect that crashed comes back late, twice
-- as late each time: deaths of another cause, close to each other, do not meet the same message again. Up to a quarter
-- later than that, at random: two that ran in one process do not meet again either. worker_id says who raised a count,
-- so that a worker that was not dead after all can take it back (absolve.sql). What a worker without a row held may
-- never have run, or is what an earlier step has left: no count of a suspect rises for it.
--
-- A death is judged by all that the worker held, not by what fits into a step: its suspects come first, and while more
-- than that remains its row stays, with in_flight below 0 for the next step. The row gets another started_at, by which
-- a worker that is alive learns with its next heartbeat that it has lost messages.
--
-- What is due of it wakes who waits, as whatever comes in; `:wake` is messages/_wake.sql.
--
-- A burial is counted here and nowhere else: exactly once, whatever happens to the answer.
--
-- Index: the primary key of messenger_messages_processing, one range for each gap between the workers that there are,
-- and the two ids that are the ends of all gaps, which somebody may have written by hand. What a worker with a row
-- holds, or has held, is not read, so the cost is the number of workers, and what the dead ones held. That is counted,
-- not asked for by EXISTS, which may be planned as a hash of the whole table.
-- Held by nobody is exact in one snapshot: a claim writes its messages and its worker's row in one statement.
-- Nothing here waits for a lock: a concurrent settle deletes the same message row, and whichever comes second skips it
-- or finds it gone; a concurrent claim or heartbeat holds the worker's row, and the worker is left alone. That row is
-- taken by ctid, not by id: a row that a claim has rewritten since this statement began is then out of sight, as the
-- messages of that claim are, and the worker waits for the next rescue.
WITH dead AS MATERIALIZED (
  SELECT id, ctid AS place, in_flight < 0 AS accused
  FROM :"schema".messenger_workers
  WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM :"schema".messenger_workers WHERE lease_until < now() AND id <> $2 FOR UPDATE SKIP LOCKED))
),
living (id) AS (
  SELECT id FROM :"schema".messenger_workers WHERE id <> ALL (ARRAY(SELECT id FROM dead))
  UNION VALUES ($2), ('00000000-0000-0000-0000-000000000000'), ('ffffffff-ffff-ffff-ffff-ffffffffffff')
),
orphan AS (
  DELETE FROM :"schema".messenger_messages_processing
  WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM (
      SELECT m.ctid
      FROM :"schema".messenger_messages_processing m
      WHERE m.worker_id = ANY (ARRAY(SELECT id FROM dead)) AND m.crash_count > 0
      LIMIT $3 + $4
      FOR UPDATE SKIP LOCKED) suspects
    UNION ALL
    SELECT held.ctid
    FROM (SELECT id, lead(id) OVER (ORDER BY id) AS next FROM living) gap
    CROSS JOIN LATERAL (
      SELECT ctid FROM (
        SELECT m.ctid
        FROM :"schema".messenger_messages_processing m
        WHERE m.worker_id > gap.id AND m.worker_id < gap.next
          AND NOT (m.crash_count > 0 AND m.worker_id = ANY (ARRAY(SELECT id FROM dead)))
        ORDER BY m.worker_id, m.id
        LIMIT $3 + $4
        FOR UPDATE SKIP LOCKED) of_absent
      UNION ALL
      SELECT ctid FROM (
        SELECT m.ctid
        FROM :"schema".messenger_messages_processing m
        WHERE m.worker_id = gap.id
          AND gap.id IN ('00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff')
        LIMIT $3 + $4
        FOR UPDATE SKIP LOCKED) of_the_ends
    ) held
    LIMIT $3 OFFSET $4))
  RETURNING *
),
company AS (
  SELECT dead.id, dead.place, dead.accused AS was_accused, dead.accused OR held.has_suspect AS accused,
         held.messages > coalesce(taken.messages, 0) AS remains
  FROM dead
  CROSS JOIN LATERAL (
    SELECT count(*) AS messages, coalesce(bool_or(m.crash_count > 0), false) AS has_suspect
    FROM :"schema".messenger_messages_processing m
    WHERE m.worker_id = dead.id
  ) held
  LEFT JOIN (SELECT worker_id, count(*) AS messages FROM orphan GROUP BY worker_id) taken ON taken.worker_id = dead.id
),
gone AS (
  DELETE FROM :"schema".messenger_workers
  WHERE ctid = ANY (ARRAY(SELECT place FROM company WHERE NOT (accused AND remains)))
  RETURNING 1
),
kept AS (
  UPDATE :"schema".messenger_workers SET in_flight = -1, started_at = now()
  WHERE ctid = ANY (ARRAY(SELECT place FROM company WHERE accused AND remains AND NOT was_accused))
),
accused AS (
  SELECT worker_id FROM orphan WHERE crash_count > 0
  UNION
  SELECT id FROM company WHERE accused
),
judged AS (
  SELECT orphan.*,
         CASE WHEN crash_count > 0 THEN crash_count + (worker_id = ANY (ARRAY(SELECT id FROM dead)) IS TRUE)::integer
              WHEN worker_id = ANY (ARRAY(SELECT worker_id FROM accused)) THEN 0
              ELSE 1 END AS crashes
  FROM orphan
),
returned AS (
  INSERT INTO :"schema".messenger_messages_pending
    (id, created_at, available_at, scheduled_at, worker_id, retry_count, max_retries, priority, crash_count, status,
     transport_name, queue_name, message_type, idempotency_key, body, headers, metadata, last_error, error_history,
     handled)
  SELECT id, created_at,
         CASE WHEN crash_count > 0 AND crashes > crash_count
              THEN now()
                + least(interval '30 seconds' * 2 ^ least(crash_count - 1, 10), interval '1 hour') * (1 + random() / 4)
              ELSE available_at END,
         scheduled_at, CASE WHEN crashes > crash_count THEN worker_id END,
         retry_count, max_retries, priority, crashes, 'pending',
         transport_name, queue_name, message_type, idempotency_key, body, headers, metadata, last_error, error_history,
         handled
  FROM judged
  WHERE crashes < $1
  RETURNING transport_name, available_at
),
arrived AS (
  SELECT transport_name FROM returned WHERE available_at <= now()
),
woken AS (
  :wake
),
buried AS (
  INSERT INTO :"schema".messenger_failed_messages
    (id, message_id, created_at, scheduled_at, retry_count, max_retries, priority, crash_count, transport_name,
     queue_name, message_type, idempotency_key, body, headers, metadata, error, error_class, error_history, handled)
  SELECT gen_random_uuid(), id, created_at, scheduled_at, retry_count, max_retries, priority, crashes,
         transport_name, queue_name, message_type, idempotency_key, body, headers, metadata,
         'the process died ' || crashes || ' times while it handled this message', 'WorkerCrash',
         coalesce(error_history, '[]') || jsonb_build_object('at', floor(extract(epoch FROM now()) * 1000),
           'class', 'WorkerCrash', 'message', 'the process died while it handled this message'),
         handled
  FROM judged
  WHERE crashes >= $1
  RETURNING message_id, message_type, transport_name, queue_name, retry_count, crash_count, error, error_class
),
counted AS (
  INSERT INTO :"schema".messenger_metrics
    (minute, source, transport_name, message_type, queue_name, dead_lettered, errors)
  SELECT date_trunc('minute', now()), gen_random_uuid(), transport_name, message_type, queue_name, count(*),
         jsonb_build_object('WorkerCrash', jsonb_build_object(
           'count', count(*), 'last', floor(extract(epoch FROM now()) * 1000)))
  FROM judged
  WHERE crashes >= $1
  GROUP BY transport_name, message_type, queue_name
)
SELECT (SELECT count(*) FROM gone) AS workers,
       (SELECT count(*) FROM returned) AS returned,
       (SELECT coalesce(jsonb_agg(jsonb_build_object(
          'id', message_id, 'type', message_type, 'transport', transport_name, 'queue', queue_name,
          'retryCount', retry_count, 'crashes', crash_count,
          'error', jsonb_build_object('class', error_class, 'message', error))), '[]') FROM buried)::text AS buried,
       (SELECT count(*) FROM woken) AS woken
