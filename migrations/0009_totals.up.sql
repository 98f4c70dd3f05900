-- What was ever counted, for counters that never fall: the rows of messenger_metrics are deleted after a while.
--
-- By hand:  psql "$DATABASE_URL" -v schema=symphony -1 -f migrations/0009_totals.up.sql
\set ON_ERROR_STOP on
\if :{?schema}
\else
\set schema symphony
\endif

CREATE TABLE :"schema".messenger_totals (
  transport_name text NOT NULL,
  message_type text NOT NULL,
  succeeded bigint NOT NULL,
  retried bigint NOT NULL,
  dead_lettered bigint NOT NULL,
  discarded bigint NOT NULL,
  snoozed bigint NOT NULL,
  released bigint NOT NULL,
  duration_us bigint NOT NULL,
  waited_us bigint NOT NULL,
  buckets smallint[] NOT NULL,
  counts bigint[] NOT NULL,
  PRIMARY KEY (transport_name, message_type)
);
COMMENT ON TABLE :"schema".messenger_totals IS 'How messages ended, of all rows of messenger_metrics that were ever merged.';
COMMENT ON COLUMN :"schema".messenger_totals.duration_us IS 'Microseconds in handlers, summed over all counts.';
COMMENT ON COLUMN :"schema".messenger_totals.waited_us IS 'Microseconds from due to claimed, summed over all counts.';
COMMENT ON COLUMN :"schema".messenger_totals.buckets IS 'Buckets of durations, as in messenger_metrics.';
COMMENT ON COLUMN :"schema".messenger_totals.counts IS 'How many durations fell into each of the buckets.';

ALTER TABLE :"schema".messenger_totals ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON :"schema".messenger_totals FROM PUBLIC;

-- A DO block cannot see psql's variables; a setting that ends with this transaction carries the name.
SELECT set_config('symphony.schema', :'schema', true);

DO $$
DECLARE
  role text;
BEGIN
  FOR role IN SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated') LOOP
    EXECUTE format('REVOKE ALL ON %I.messenger_totals FROM %I', current_setting('symphony.schema'), role);
  END LOOP;
END
$$;

INSERT INTO :"schema".messenger_migrations (version, name) VALUES (9, 'totals');
