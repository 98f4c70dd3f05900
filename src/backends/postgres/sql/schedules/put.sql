-- Stores a schedule under its name; $3 is the whole row as JSON. The fence is the version that was read before ($2; 0
-- if there was none): no row comes back if another process was faster, and the caller reads again.
-- If an operator did it, the audit $4 says what, $5, who, $6, why, $7, and in which role, $8; otherwise $5 is NULL.
-- Notifies waiting schedulers, because it may be due before what they wait for.
WITH put AS (
  INSERT INTO :"schema".messenger_schedules AS s
    (name, message_type, transport_name, queue_name, priority, max_retries, body, headers, metadata,
     schedule_type, schedule_config, timezone, from_at, until_at, anchor_at, jitter_ms, missed, max_missed,
     missed_after_ms, overlap, max_runs, code_group, fingerprint, version,
     next_run_at, nominal_run_at, run_count, finished_at, enabled)
  SELECT $1, r.message_type, r.transport_name, r.queue_name, r.priority, r.max_retries, r.body, r.headers, r.metadata,
         r.schedule_type, r.schedule_config, r.timezone, r.from_at, r.until_at, r.anchor_at, r.jitter_ms, r.missed,
         r.max_missed, r.missed_after_ms, r.overlap, r.max_runs, r.code_group, r.fingerprint, 1,
         r.next_run_at, r.nominal_run_at, r.run_count, r.finished_at, r.enabled
  FROM jsonb_populate_record(NULL:::"schema".messenger_schedules, $3::text::jsonb) AS r
  ON CONFLICT (name) DO UPDATE SET
    (message_type, transport_name, queue_name, priority, max_retries, body, headers, metadata,
     schedule_type, schedule_config, timezone, from_at, until_at, anchor_at, jitter_ms, missed, max_missed,
     missed_after_ms, overlap, max_runs, code_group, fingerprint, version,
     next_run_at, nominal_run_at, run_count, finished_at, enabled, last_error, last_error_at, updated_at)
    = (excluded.message_type, excluded.transport_name, excluded.queue_name, excluded.priority, excluded.max_retries,
       excluded.body, excluded.headers, excluded.metadata, excluded.schedule_type, excluded.schedule_config,
       excluded.timezone, excluded.from_at, excluded.until_at, excluded.anchor_at, excluded.jitter_ms, excluded.missed,
       excluded.max_missed, excluded.missed_after_ms, excluded.overlap, excluded.max_runs, excluded.code_group,
       excluded.fingerprint, s.version + 1, excluded.next_run_at, excluded.nominal_run_at, excluded.run_count,
       excluded.finished_at, excluded.enabled, NULL, NULL, now())
  WHERE s.version = $2
  RETURNING to_jsonb(s)::text AS record
),
noted AS (
  INSERT INTO :"schema".messenger_audit (id, actor, role, action, target, reason, matched, done, ended_at, ended)
  SELECT $4, $6, $8, $5, jsonb_build_object('schedule', $1), $7, 1, 1, now(), 'completed' FROM put WHERE $5 IS NOT NULL
)
SELECT record, pg_notify(left('symphony_' || :'schema', 63), '@schedules')::text FROM put
