-- Takes the messages of workers whose lease has run out. Any claim may do it; no leader is needed.
-- A message held by a dead process is suspect: it comes back with its crash count raised, and at the third crash it
-- goes to the dead letters as WorkerCrash.
--
-- Race with the worker itself: the row of messenger_workers is locked first. A claim or heartbeat in the same moment
-- holds that row, and SKIP LOCKED leaves the worker alone; a settle in the same moment deletes the same message row,
-- and one of the two finds it gone. The row is taken by ctid, not by id: a row that a claim has rewritten since this
-- statement began is then out of sight, as the messages of that claim are, and the worker waits for the next rescue.
-- By id the worker would go and those messages stay, held by nobody.
WITH dead AS (
  DELETE FROM :"schema".messenger_workers
  WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM :"schema".messenger_workers WHERE lease_until < now() FOR UPDATE SKIP LOCKED))
  RETURNING id
),
orphan AS (
  DELETE FROM :"schema".messenger_messages_processing
  -- Almost always nobody is dead, and then the table is not read at all.
  WHERE EXISTS (SELECT FROM dead) AND worker_id = ANY (ARRAY(SELECT id FROM dead))
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
