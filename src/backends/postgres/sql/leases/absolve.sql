-- The worker $1 was declared dead, but lives: takes back the crashes that were counted for it, on what still waits, and
-- wakes who waits (`:wake`, messages/_wake.sql). What another worker has claimed since is left to the end of that run,
-- which clears it.
--
-- Index: messenger_messages_suspect, whole; suspects are few. Of a concurrent claim and this statement, one gets the
-- row.
WITH arrived AS (
  UPDATE :"schema".messenger_messages_pending
  SET crash_count = crash_count - 1, worker_id = NULL, available_at = least(available_at, now())
  WHERE crash_count > 0 AND worker_id = $1
  RETURNING transport_name
),
woken AS (
  :wake
)
SELECT (SELECT count(*) FROM woken) AS woken FROM arrived
