-- What operators ask for: figures by queue and of waiting, over months; how full the queues were; groups of errors;
-- which workers are there; releases; keys that refused something.
--
-- By hand:  psql "$DATABASE_URL" -v schema=symphony -1 -f migrations/0012_operators.up.sql
\set ON_ERROR_STOP on
\if :{?schema}
\else
\set schema symphony
\endif

-- The key stays as it is, because builds from before name it in ON CONFLICT: a consumer has a source for each queue.
ALTER TABLE :"schema".messenger_metrics
  ADD COLUMN queue_name text NOT NULL DEFAULT '',
  ADD COLUMN wait_buckets smallint[] NOT NULL DEFAULT '{}',
  ADD COLUMN wait_counts integer[] NOT NULL DEFAULT '{}',
  ADD COLUMN hourly boolean NOT NULL DEFAULT false;
CREATE INDEX messenger_metrics_not_hourly ON :"schema".messenger_metrics (minute) WHERE NOT hourly;
COMMENT ON COLUMN :"schema".messenger_metrics.source IS 'Who counted, one for each queue of a consumer; any id for merged rows.';
COMMENT ON COLUMN :"schema".messenger_metrics.queue_name IS 'The queue; empty: builds from before 0012, and queues beyond the first 64 of a consumer and minute.';
COMMENT ON COLUMN :"schema".messenger_metrics.wait_buckets IS 'Buckets of waiting times, from due to claimed, as those of durations.';
COMMENT ON COLUMN :"schema".messenger_metrics.wait_counts IS 'How many waiting times fell into each of the buckets.';
COMMENT ON COLUMN :"schema".messenger_metrics.hourly IS 'Whether it is in messenger_metrics_hourly; builds from before 0012 merge without that.';

-- Written when rows of minutes are merged: about as often as a minute passes, so each row some sixty times.
CREATE TABLE :"schema".messenger_metrics_hourly (
  hour timestamptz NOT NULL,
  transport_name text NOT NULL,
  message_type text NOT NULL,
  queue_name text NOT NULL,
  succeeded bigint NOT NULL,
  retried bigint NOT NULL,
  dead_lettered bigint NOT NULL,
  discarded bigint NOT NULL,
  snoozed bigint NOT NULL,
  released bigint NOT NULL,
  duration_ms double precision NOT NULL,
  waited_ms double precision NOT NULL,
  buckets smallint[] NOT NULL,
  counts bigint[] NOT NULL,
  wait_buckets smallint[] NOT NULL,
  wait_counts bigint[] NOT NULL,
  errors jsonb NOT NULL DEFAULT '{}',
  PRIMARY KEY (hour, transport_name, message_type, queue_name)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.1, autovacuum_vacuum_threshold = 1000);
COMMENT ON TABLE :"schema".messenger_metrics_hourly IS 'The rows of messenger_metrics that were merged, by the hour; kept for 90 days or retention.metrics.';
COMMENT ON COLUMN :"schema".messenger_metrics_hourly.duration_ms IS 'Milliseconds in handlers, summed over all counts.';
COMMENT ON COLUMN :"schema".messenger_metrics_hourly.waited_ms IS 'Milliseconds from due to claimed, summed over all wait_counts.';
COMMENT ON COLUMN :"schema".messenger_metrics_hourly.errors IS 'Failed runs: { class: { count, last } }, last in ms since the epoch.';

-- Once a minute, by one of those who consume; a minute without a row is one in which nobody did.
CREATE TABLE :"schema".messenger_depths (
  minute timestamptz NOT NULL,
  transport_name text NOT NULL,
  queue_name text NOT NULL,
  pending bigint NOT NULL,
  delayed bigint NOT NULL,
  processing bigint NOT NULL,
  oldest_ms double precision,
  capped boolean NOT NULL,
  PRIMARY KEY (minute, transport_name, queue_name)
);
COMMENT ON TABLE :"schema".messenger_depths IS 'How full each queue was, by the minute; kept for retention.metrics.';
COMMENT ON COLUMN :"schema".messenger_depths.transport_name IS 'The transport; empty, with an empty queue: the sum of all, of which every minute has one.';
COMMENT ON COLUMN :"schema".messenger_depths.oldest_ms IS 'For how long the first message that was due had been; NULL: none was.';
COMMENT ON COLUMN :"schema".messenger_depths.capped IS 'Whether counting stopped at its bound: there was at least as much.';

-- Written when rows of metrics are merged, never by a settlement.
CREATE TABLE :"schema".messenger_error_groups (
  message_type text NOT NULL,
  error_class text NOT NULL,
  first_at timestamptz NOT NULL,
  last_at timestamptz NOT NULL,
  occurrences bigint NOT NULL,
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'resolved', 'ignored')),
  state_at timestamptz,
  note text,
  PRIMARY KEY (message_type, error_class)
) WITH (fillfactor = 70);
CREATE INDEX messenger_error_groups_latest ON :"schema".messenger_error_groups (last_at);
COMMENT ON TABLE :"schema".messenger_error_groups IS 'Failed runs by type and class of their error, of all rows of messenger_metrics that were merged.';
COMMENT ON COLUMN :"schema".messenger_error_groups.first_at IS 'The minute in which it was first seen.';
COMMENT ON COLUMN :"schema".messenger_error_groups.last_at IS 'When it was last seen.';
COMMENT ON COLUMN :"schema".messenger_error_groups.state IS 'open; resolved, until it is seen again; ignored.';
COMMENT ON COLUMN :"schema".messenger_error_groups.state_at IS 'When somebody set the state.';
COMMENT ON COLUMN :"schema".messenger_error_groups.note IS 'What somebody wrote about it.';

-- The marks of deployments on a chart.
CREATE TABLE :"schema".messenger_releases (
  release text PRIMARY KEY,
  version text,
  first_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE :"schema".messenger_releases IS 'Releases of the application that were seen at work, once each.';
COMMENT ON COLUMN :"schema".messenger_releases.release IS 'SYMPHONY_RELEASE, or the commit that the platform names.';
COMMENT ON COLUMN :"schema".messenger_releases.version IS 'The version of this package in it.';
COMMENT ON COLUMN :"schema".messenger_releases.first_at IS 'When a consumer of it was first seen.';

ALTER TABLE :"schema".messenger_workers
  ADD COLUMN kind text,
  ADD COLUMN concurrency integer,
  ADD COLUMN version text,
  ADD COLUMN release text,
  ADD COLUMN stop_at timestamptz;
COMMENT ON COLUMN :"schema".messenger_workers.kind IS 'worker or drain; NULL: a build from before 0012.';
COMMENT ON COLUMN :"schema".messenger_workers.concurrency IS 'How many handlers it runs at the same time, at most.';
COMMENT ON COLUMN :"schema".messenger_workers.version IS 'The version of this package.';
COMMENT ON COLUMN :"schema".messenger_workers.release IS 'The release of the application.';
COMMENT ON COLUMN :"schema".messenger_workers.stop_at IS 'Since when it is asked to stop.';

-- Holds what few dispatches come to: most keys never refuse anything.
CREATE INDEX messenger_deduplication_refused ON :"schema".messenger_deduplication
  (first_seen_at, idempotency_key, transport_name) WHERE duplicate_attempts > 0;

-- As in 0004_security, for the new tables.
SELECT set_config('symphony.schema', :'schema', true);

DO $$
DECLARE
  home text := current_setting('symphony.schema');
  relation text;
  role text;
BEGIN
  FOREACH relation IN ARRAY ARRAY[
    'messenger_metrics_hourly', 'messenger_depths', 'messenger_error_groups', 'messenger_releases'
  ] LOOP
    EXECUTE format('ALTER TABLE %I.%I ENABLE ROW LEVEL SECURITY', home, relation);
    EXECUTE format('REVOKE ALL ON %I.%I FROM PUBLIC', home, relation);
    FOR role IN SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated') LOOP
      EXECUTE format('REVOKE ALL ON %I.%I FROM %I', home, relation, role);
    END LOOP;
  END LOOP;
END
$$;

INSERT INTO :"schema".messenger_migrations (version, name) VALUES (12, 'operators');
