-- Transports added or switched off at run time, and recurring messages.
--
-- By hand:  psql "$DATABASE_URL" -v schema=symphony -1 -f migrations/0002_transports_and_schedules.up.sql
\set ON_ERROR_STOP on
\if :{?schema}
\else
\set schema symphony
\endif

CREATE TABLE :"schema".messenger_transports (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  name text NOT NULL UNIQUE CHECK (name <> ''),
  type text NOT NULL CHECK (type IN ('postgres', 'supabase', 'sync', 'memory', 'redis', 'rabbitmq', 'sqs')),
  config jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(config) = 'object'),
  enabled boolean NOT NULL DEFAULT true,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE :"schema".messenger_transports IS 'Transports in addition to the configuration; a row overrides a transport of the same name.';
COMMENT ON COLUMN :"schema".messenger_transports.config IS 'queue, priority and options, as in the configuration.';
COMMENT ON COLUMN :"schema".messenger_transports.enabled IS 'false: dispatches are refused and consumers skip it.';

CREATE TABLE :"schema".messenger_schedules (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  name text NOT NULL UNIQUE CHECK (name <> ''),
  message_type text NOT NULL,
  transport_name text NOT NULL,
  body jsonb NOT NULL,
  headers jsonb NOT NULL DEFAULT '{}',
  schedule_type text NOT NULL CHECK (schedule_type IN ('once', 'cron', 'interval')),
  schedule_config jsonb NOT NULL,
  timezone text NOT NULL DEFAULT 'UTC',
  next_run_at timestamptz,
  last_run_at timestamptz,
  run_count integer NOT NULL DEFAULT 0,
  max_runs integer,
  enabled boolean NOT NULL DEFAULT true,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX messenger_schedules_due ON :"schema".messenger_schedules (next_run_at) WHERE enabled;
COMMENT ON TABLE :"schema".messenger_schedules IS 'Recurring and planned messages, one row per schedule.';
COMMENT ON COLUMN :"schema".messenger_schedules.name IS 'Unique; scheduling again under it replaces.';
COMMENT ON COLUMN :"schema".messenger_schedules.next_run_at IS 'When it is due; NULL: it will not run again.';
COMMENT ON COLUMN :"schema".messenger_schedules.run_count IS 'Runs so far.';

-- Closed from the first moment, because by hand each file is a transaction of its own: see 0004_security.
SELECT set_config('symphony.schema', :'schema', true);
DO $$
DECLARE
  home text := current_setting('symphony.schema');
  relation record;
  role text;
BEGIN
  FOR relation IN
    SELECT c.relname, c.relkind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = home AND c.relname LIKE 'messenger\_%' AND c.relkind IN ('r', 'p', 'v')
  LOOP
    IF relation.relkind IN ('r', 'p') THEN
      EXECUTE format('ALTER TABLE %I.%I ENABLE ROW LEVEL SECURITY', home, relation.relname);
    END IF;
    EXECUTE format('REVOKE ALL ON %I.%I FROM PUBLIC', home, relation.relname);
    FOR role IN SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated') LOOP
      EXECUTE format('REVOKE ALL ON %I.%I FROM %I', home, relation.relname, role);
    END LOOP;
  END LOOP;
END
$$;

INSERT INTO :"schema".messenger_migrations (version, name) VALUES (2, 'transports_and_schedules');
