-- What happened, minute by minute; which message types are paused; which notifications were sent.
--
-- By hand:  psql "$DATABASE_URL" -v schema=symphony -1 -f migrations/0006_metrics.up.sql
\set ON_ERROR_STOP on
\if :{?schema}
\else
\set schema symphony
\endif

-- Written with every settlement. A consumer replaces its own row until the minute is over: free space on the page keeps
-- those updates off the index, and the next one prunes what they leave behind.
CREATE TABLE :"schema".messenger_metrics (
  minute timestamptz NOT NULL,
  source uuid NOT NULL,
  transport_name text NOT NULL,
  message_type text NOT NULL,
  succeeded integer NOT NULL DEFAULT 0,
  retried integer NOT NULL DEFAULT 0,
  dead_lettered integer NOT NULL DEFAULT 0,
  discarded integer NOT NULL DEFAULT 0,
  snoozed integer NOT NULL DEFAULT 0,
  released integer NOT NULL DEFAULT 0,
  duration_ms double precision NOT NULL DEFAULT 0,
  waited_ms double precision NOT NULL DEFAULT 0,
  buckets smallint[] NOT NULL DEFAULT '{}',
  counts integer[] NOT NULL DEFAULT '{}',
  errors jsonb NOT NULL DEFAULT '{}',
  merged boolean NOT NULL DEFAULT false,
  PRIMARY KEY (minute, source, transport_name, message_type)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.1, autovacuum_vacuum_threshold = 1000);
CREATE INDEX messenger_metrics_unmerged ON :"schema".messenger_metrics (minute) WHERE NOT merged;
COMMENT ON TABLE :"schema".messenger_metrics IS 'How messages ended, by minute, transport and type; kept for retention.metrics.';
COMMENT ON COLUMN :"schema".messenger_metrics.source IS 'The worker or invocation that counted; any id for merged rows.';
COMMENT ON COLUMN :"schema".messenger_metrics.duration_ms IS 'Milliseconds in handlers, summed over all counts.';
COMMENT ON COLUMN :"schema".messenger_metrics.waited_ms IS 'Milliseconds from due to claimed, summed over all counts.';
COMMENT ON COLUMN :"schema".messenger_metrics.buckets IS 'Buckets of durations: bucket i holds those up to (1.02/0.98)^i ms.';
COMMENT ON COLUMN :"schema".messenger_metrics.counts IS 'How many durations fell into each of the buckets.';
COMMENT ON COLUMN :"schema".messenger_metrics.errors IS 'Failed runs: { class: { count, last } }, last in ms since the epoch.';
COMMENT ON COLUMN :"schema".messenger_metrics.merged IS 'Whether the rows of all consumers of the minute were merged.';

-- One row per message type that has a circuit breaker and has failed; a few rows in total.
CREATE TABLE :"schema".messenger_circuits (
  message_type text PRIMARY KEY,
  state text NOT NULL DEFAULT 'closed' CHECK (state IN ('closed', 'open', 'half_open')),
  window_started_at timestamptz NOT NULL DEFAULT now(),
  runs integer NOT NULL DEFAULT 0,
  failures integer NOT NULL DEFAULT 0,
  opened_at timestamptz,
  probe_at timestamptz,
  probe_by uuid,
  reason text,
  updated_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
COMMENT ON TABLE :"schema".messenger_circuits IS 'Circuit breakers: types that fail too often are not claimed for a while.';
COMMENT ON COLUMN :"schema".messenger_circuits.state IS 'closed: claimed; open: paused until probe_at; half_open: one message is being tried.';
COMMENT ON COLUMN :"schema".messenger_circuits.window_started_at IS 'Since when runs and failures are counted.';
COMMENT ON COLUMN :"schema".messenger_circuits.probe_at IS 'open: when one message may be tried; half_open: until when the trying consumer has time.';
COMMENT ON COLUMN :"schema".messenger_circuits.probe_by IS 'The worker or invocation that tries.';
COMMENT ON COLUMN :"schema".messenger_circuits.reason IS 'The class of the last error before it opened.';

-- One row per error class and message type, so that fifty invocations notify once about what all of them saw.
CREATE TABLE :"schema".messenger_notifications (
  key text PRIMARY KEY,
  window_started_at timestamptz NOT NULL DEFAULT now(),
  occurrences integer NOT NULL DEFAULT 0,
  sent_at timestamptz,
  sent_by uuid,
  suppressed integer NOT NULL DEFAULT 0,
  updated_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
COMMENT ON TABLE :"schema".messenger_notifications IS 'When the last notification about an error was sent, so that it is not repeated at once.';
COMMENT ON COLUMN :"schema".messenger_notifications.occurrences IS 'Since window_started_at.';
COMMENT ON COLUMN :"schema".messenger_notifications.sent_by IS 'The consumer that was allowed to send last.';
COMMENT ON COLUMN :"schema".messenger_notifications.suppressed IS 'Occurrences since sent_at that were not reported.';

-- As in 0004_security, for the new tables.
SELECT set_config('symphony.schema', :'schema', true);

DO $$
DECLARE
  home text := current_setting('symphony.schema');
  relation text;
  role text;
BEGIN
  FOREACH relation IN ARRAY ARRAY['messenger_metrics', 'messenger_circuits', 'messenger_notifications'] LOOP
    EXECUTE format('ALTER TABLE %I.%I ENABLE ROW LEVEL SECURITY', home, relation);
    EXECUTE format('REVOKE ALL ON %I.%I FROM PUBLIC', home, relation);
    FOR role IN SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated') LOOP
      EXECUTE format('REVOKE ALL ON %I.%I FROM %I', home, relation, role);
    END LOOP;
  END LOOP;
END
$$;

INSERT INTO :"schema".messenger_migrations (version, name) VALUES (6, 'metrics');
