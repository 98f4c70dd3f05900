-- Executions that are triggered from outside, so that two deliveries of one run once; and dead letters by message.
--
-- By hand:  psql "$DATABASE_URL" -v schema=symphony -1 -f migrations/0007_executions.up.sql
\set ON_ERROR_STOP on
\if :{?schema}
\else
\set schema symphony
\endif

CREATE TABLE :"schema".messenger_executions (
  route text NOT NULL,
  execution_id text NOT NULL,
  started_at timestamptz NOT NULL DEFAULT now(),
  lease_until timestamptz NOT NULL,
  finished_at timestamptz,
  PRIMARY KEY (route, execution_id)
);
CREATE INDEX messenger_executions_started_at ON :"schema".messenger_executions (started_at);
COMMENT ON TABLE :"schema".messenger_executions IS 'Named executions of the cron routes; forgotten after a day.';
COMMENT ON COLUMN :"schema".messenger_executions.route IS 'What ran: worker or scheduler.';
COMMENT ON COLUMN :"schema".messenger_executions.lease_until IS 'Until when it counts as running unless it ends.';
COMMENT ON COLUMN :"schema".messenger_executions.finished_at IS 'When it ended; another delivery of it does nothing.';

-- The sender knows the id of the message, not that of the dead letter.
CREATE INDEX messenger_failed_messages_message ON :"schema".messenger_failed_messages (message_id);

ALTER TABLE :"schema".messenger_executions ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON :"schema".messenger_executions FROM PUBLIC;

-- A DO block cannot see psql's variables; a setting that ends with this transaction carries the name.
SELECT set_config('symphony.schema', :'schema', true);

DO $$
DECLARE
  role text;
BEGIN
  FOR role IN SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated') LOOP
    EXECUTE format('REVOKE ALL ON %I.messenger_executions FROM %I', current_setting('symphony.schema'), role);
  END LOOP;
END
$$;

INSERT INTO :"schema".messenger_migrations (version, name) VALUES (7, 'executions');
