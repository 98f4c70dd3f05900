-- Reports how runs of types with a circuit breaker ended, $2, a JSON array of reports, asks for a try if a pause is
-- over, and returns every circuit that is not closed or was just changed. $1 is the worker.
--
-- Index: the primary key of messenger_circuits, in its order, so that two workers never wait for each other in a circle.
-- Fence of a try: probe_by. A try that is never reported may be taken over once probe_at has passed.
WITH report AS (
  SELECT r.*,
         r.window_ms * interval '1 millisecond' AS window,
         r.cool_down_ms * interval '1 millisecond' AS cool_down
  FROM json_to_recordset($2::json)
    AS r (message_type text, runs integer, failures integer, reason text, probed text, wants_probe boolean,
          failure_rate double precision, minimum_volume integer, window_ms double precision,
          cool_down_ms double precision)
),
changed AS (
  INSERT INTO :"schema".messenger_circuits AS c
    (message_type, state, runs, failures, reason, opened_at, probe_at)
  SELECT message_type,
         CASE WHEN opens THEN 'open' ELSE 'closed' END, runs, failures, reason,
         CASE WHEN opens THEN now() END, CASE WHEN opens THEN now() + cool_down END
  FROM (
    SELECT *, failures > 0 AND runs >= minimum_volume AND failures >= failure_rate * runs AS opens FROM report
  ) report
  WHERE runs > 0
     OR EXISTS (SELECT FROM :"schema".messenger_circuits known WHERE known.message_type = report.message_type)
        AND (probed IS NOT NULL OR wants_probe)
  ORDER BY message_type
  ON CONFLICT (message_type) DO UPDATE
  SET (state, window_started_at, runs, failures, reason, opened_at, probe_at, probe_by, updated_at) = (
    SELECT
      CASE WHEN opens OR fails OR returns THEN 'open' WHEN closes THEN 'closed' WHEN granted THEN 'half_open'
           ELSE c.state END,
      CASE WHEN closes OR expired THEN now() ELSE c.window_started_at END,
      CASE WHEN closes THEN 0 WHEN c.state = 'closed' THEN all_runs ELSE c.runs END,
      CASE WHEN closes THEN 0 WHEN c.state = 'closed' THEN all_failures ELSE c.failures END,
      CASE WHEN closes THEN NULL ELSE coalesce(r.reason, c.reason) END,
      CASE WHEN opens THEN now() WHEN closes THEN NULL ELSE c.opened_at END,
      CASE WHEN opens OR fails THEN now() + r.cool_down WHEN returns THEN now() WHEN closes THEN NULL
           WHEN granted THEN now() + greatest(r.cool_down, interval '30 seconds') ELSE c.probe_at END,
      CASE WHEN granted THEN $1 WHEN opens OR fails OR returns OR closes THEN NULL ELSE c.probe_by END,
      now()
    FROM (
      SELECT *,
             c.state = 'closed' AND failures > 0 AND all_runs >= minimum_volume
               AND all_failures >= failure_rate * all_runs AS opens,
             coalesce(tries AND probed = 'failed', false) AS fails,
             coalesce(tries AND probed = 'succeeded', false) AS closes,
             coalesce(tries AND probed = 'released', false) AS returns,
             coalesce(wants_probe AND c.state <> 'closed' AND c.probe_at <= now(), false) AS granted
      FROM (
        SELECT *,
               c.state = 'closed' AND c.window_started_at < now() - report.window AS expired,
               report.runs + CASE WHEN c.window_started_at < now() - report.window THEN 0 ELSE c.runs END AS all_runs,
               report.failures
                 + CASE WHEN c.window_started_at < now() - report.window THEN 0 ELSE c.failures END AS all_failures,
               coalesce(c.state = 'half_open' AND c.probe_by = $1, false) AS tries
        FROM report WHERE report.message_type = c.message_type
      ) report
    ) r
  )
  RETURNING *
)
SELECT jsonb_agg(jsonb_build_object(
         'messageType', message_type, 'state', CASE state WHEN 'half_open' THEN 'halfOpen' ELSE state END,
         'runs', runs, 'failures', failures, 'reason', reason,
         'mine', coalesce(probe_by = $1, false), 'opened', coalesce(opened_at = now(), false),
         'wait', greatest(0, extract(epoch FROM probe_at - now()) * 1000)))::text AS circuits
FROM (
  SELECT * FROM changed
  UNION ALL
  SELECT * FROM :"schema".messenger_circuits known
  WHERE state <> 'closed' AND NOT EXISTS (SELECT FROM changed WHERE changed.message_type = known.message_type)
) circuits
