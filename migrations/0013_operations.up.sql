-- What operators do: pauses of transports, queues and types; operations on many messages; who has done what.
--
-- By hand:  psql "$DATABASE_URL" -v schema=symphony -1 -f migrations/0013_operations.up.sql
\set ON_ERROR_STOP on
\if :{?schema}
\else
\set schema symphony
\endif

-- Read by every claim, and empty as a rule. Empty names rather than NULL, so that a pause has one row.
CREATE TABLE :"schema".messenger_controls (
  transport_name text NOT NULL DEFAULT '',
  queue_name text NOT NULL DEFAULT '',
  message_type text NOT NULL DEFAULT '',
  actor text,
  reason text,
  since timestamptz NOT NULL DEFAULT now(),
  until timestamptz,
  PRIMARY KEY (transport_name, queue_name, message_type),
  CHECK (transport_name <> '' OR queue_name <> '' OR message_type <> '')
);
COMMENT ON TABLE :"schema".messenger_controls IS 'What is paused: nothing of it is claimed. Dispatches go on.';
COMMENT ON COLUMN :"schema".messenger_controls.transport_name IS 'Only of this transport; empty: of any.';
COMMENT ON COLUMN :"schema".messenger_controls.queue_name IS 'Only of this queue; empty: of any.';
COMMENT ON COLUMN :"schema".messenger_controls.message_type IS 'Only of this type; empty: of any.';
COMMENT ON COLUMN :"schema".messenger_controls.actor IS 'Who paused it.';
COMMENT ON COLUMN :"schema".messenger_controls.until IS 'When the pause is over by itself; NULL: never.';

-- One row for each action. An operation on many messages goes on in steps, each of which moves its row on in the same
-- statement that acts: room on the page keeps those updates off the index.
CREATE TABLE :"schema".messenger_audit (
  id uuid PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT now(),
  actor text,
  action text NOT NULL,
  target jsonb NOT NULL DEFAULT '{}',
  reason text,
  matched bigint,
  done bigint NOT NULL DEFAULT 0,
  skipped bigint NOT NULL DEFAULT 0,
  failed bigint NOT NULL DEFAULT 0,
  steps integer NOT NULL DEFAULT 0,
  cursor text,
  error text,
  updated_at timestamptz NOT NULL DEFAULT now(),
  ended_at timestamptz,
  ended text CHECK (ended IN ('completed', 'aborted'))
) WITH (fillfactor = 70);
CREATE INDEX messenger_audit_at ON :"schema".messenger_audit (at, id);
COMMENT ON TABLE :"schema".messenger_audit IS 'What operators did, written by the statements that did it; kept for retention.audit.';
COMMENT ON COLUMN :"schema".messenger_audit.actor IS 'Who, as the caller names them; NULL: nobody said.';
COMMENT ON COLUMN :"schema".messenger_audit.action IS 'Such as pause, retry or cancel.';
COMMENT ON COLUMN :"schema".messenger_audit.target IS 'To what: a scope, ids, or the frozen filter of an operation. Never a payload.';
COMMENT ON COLUMN :"schema".messenger_audit.matched IS 'How many matched at the beginning, as far as they were counted.';
COMMENT ON COLUMN :"schema".messenger_audit.done IS 'To how many it was done.';
COMMENT ON COLUMN :"schema".messenger_audit.skipped IS 'Those that had changed by the time their turn came.';
COMMENT ON COLUMN :"schema".messenger_audit.failed IS 'Those that the database refused; the others went on.';
COMMENT ON COLUMN :"schema".messenger_audit.steps IS 'The fence of a step: it names the number of those before it.';
COMMENT ON COLUMN :"schema".messenger_audit.cursor IS 'Where the next step goes on; NULL: at the beginning.';
COMMENT ON COLUMN :"schema".messenger_audit.error IS 'What the database said about the last one that failed.';
COMMENT ON COLUMN :"schema".messenger_audit.ended_at IS 'When it was over; NULL: an operation that can go on.';

-- As in 0004_security, for the new tables.
SELECT set_config('symphony.schema', :'schema', true);

DO $$
DECLARE
  home text := current_setting('symphony.schema');
  relation text;
  role text;
BEGIN
  FOREACH relation IN ARRAY ARRAY['messenger_controls', 'messenger_audit'] LOOP
    EXECUTE format('ALTER TABLE %I.%I ENABLE ROW LEVEL SECURITY', home, relation);
    EXECUTE format('REVOKE ALL ON %I.%I FROM PUBLIC', home, relation);
    FOR role IN SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated') LOOP
      EXECUTE format('REVOKE ALL ON %I.%I FROM %I', home, relation, role);
    END LOOP;
  END LOOP;
END
$$;

INSERT INTO :"schema".messenger_migrations (version, name) VALUES (13, 'operations');
