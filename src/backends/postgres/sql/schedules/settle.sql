-- Stores the messages of due schedules and updates the schedules: one statement, so both happen or neither.
-- The fence is the version: a schedule that was changed since it was read is left alone, with its messages.
-- One that is being changed right now is skipped (SKIP LOCKED): ten invocations at once neither wait for each other nor
-- deadlock. The idempotency key, name @ planned time, holds even if a schedule is deleted and created again, for
-- whatever type. Keys are taken in sorted order, as in keys/_admit.sql.
-- Keys of runs are held under '@schedules/<transport>', which no caller can name: no caller's key suppresses a run. A
-- run that is refused anyway is an error of its schedule, recorded in the same statement.
-- $1 to $14 are the messages, as in send_keyed.sql; $15 says which schedule each belongs to; $16 to $24 the schedules;
-- $25 is what is said of a refused run, before its key. If an operator wanted the run, the audit $26 says who, $27, why,
-- $28, and in which role, $29, of the schedule $30; otherwise $26 is NULL.
WITH run AS (
  SELECT *
  FROM unnest($16::uuid[], $17::bigint[], $18::timestamptz[], $19::timestamptz[], $20::timestamptz[], $21::integer[],
              $22::bigint[], $23::boolean[], $24::text[])
    AS r (schedule_id, version, next_run_at, nominal_run_at, last_run_at, runs, skipped, finished, error)
),
mine AS (
  SELECT run.*
  FROM run JOIN :"schema".messenger_schedules s ON s.id = run.schedule_id AND s.version = run.version
  FOR UPDATE OF s SKIP LOCKED
),
incoming AS (
  SELECT m.*, '@schedules/' || m.sent_to AS transport_name
  FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::smallint[], $6::integer[], $7::timestamptz[],
              $8::double precision[], $9::text[], $10::text[], $11::text[],
              $12::text[], $13::double precision[], $14::integer[], $15::uuid[])
    AS m (id, message_type, sent_to, queue_name, priority, max_retries, scheduled_at,
          delay_ms, body, headers, metadata, idempotency_key, window_ms, repeats, schedule_id)
  JOIN mine USING (schedule_id)
),
admitted AS (
  INSERT INTO :"schema".messenger_deduplication AS held
    (idempotency_key, transport_name, message_id, expires_at)
  SELECT idempotency_key, transport_name, id, coalesce(now() + window_ms * interval '1 millisecond', 'infinity')
  FROM incoming
  WHERE idempotency_key IS NOT NULL
  ORDER BY idempotency_key, transport_name
  ON CONFLICT (idempotency_key, transport_name) DO UPDATE SET
    message_id = CASE WHEN held.expires_at <= now() THEN excluded.message_id ELSE held.message_id END,
    first_seen_at = CASE WHEN held.expires_at <= now() THEN now() ELSE held.first_seen_at END,
    duplicate_attempts = CASE WHEN held.expires_at <= now() THEN 0 ELSE held.duplicate_attempts + 1 END,
    expires_at = CASE WHEN held.expires_at <= now() THEN excluded.expires_at ELSE held.expires_at END
  RETURNING message_id
),
accepted AS (
  SELECT * FROM incoming WHERE idempotency_key IS NULL OR id IN (SELECT message_id FROM admitted)
),
refused AS (
  SELECT schedule_id, string_agg(DISTINCT idempotency_key, ', ') AS keys
  FROM incoming
  WHERE id NOT IN (SELECT id FROM accepted)
  GROUP BY schedule_id
),
stored AS (
  INSERT INTO :"schema".messenger_messages_pending
    (id, message_type, transport_name, queue_name, priority, max_retries, available_at,
     body, headers, metadata, idempotency_key)
  SELECT id, message_type, sent_to, queue_name, priority, max_retries, now(),
         body::jsonb, coalesce(headers, '{}')::jsonb, coalesce(metadata, '{}')::jsonb, idempotency_key
  FROM accepted
  RETURNING id
),
moved AS (
  UPDATE :"schema".messenger_schedules s SET
    next_run_at = mine.next_run_at,
    nominal_run_at = CASE WHEN mine.error IS NULL THEN mine.nominal_run_at
                          ELSE least(s.nominal_run_at, s.next_run_at) END,
    last_run_at = coalesce(mine.last_run_at, s.last_run_at),
    run_count = s.run_count + mine.runs,
    skipped_count = s.skipped_count + mine.skipped,
    last_message_ids = coalesce((SELECT array_agg(id) FROM accepted WHERE schedule_id = s.id), s.last_message_ids),
    finished_at = CASE WHEN mine.finished THEN coalesce(s.finished_at, now()) END,
    last_error = coalesce(mine.error, $25 || refused.keys),
    last_error_at = CASE WHEN mine.error IS NOT NULL OR refused.keys IS NOT NULL THEN now() END,
    version = s.version + 1
  FROM mine LEFT JOIN refused USING (schedule_id)
  WHERE s.id = mine.schedule_id
  RETURNING s.id
),
noted AS (
  INSERT INTO :"schema".messenger_audit (id, actor, role, action, target, reason, matched, done, ended_at, ended)
  SELECT $26, $27, $29, 'runSchedule', jsonb_build_object('schedule', $30), $28, 1, 1, now(), 'completed'
  FROM moved WHERE $26 IS NOT NULL
),
arrived AS (
  SELECT unnest($3::text[]) AS transport_name
),
woken AS (
  :wake
)
SELECT coalesce((SELECT array_agg(id) FROM moved), '{}') AS moved,
       coalesce((SELECT array_agg(id) FROM stored), '{}') AS stored,
       (SELECT count(*) FROM woken) AS woken
