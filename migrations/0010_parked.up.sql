-- What waits beside a broker: messages parked until they are due, and the dead letters of what a broker carried.
--
-- By hand:  psql "$DATABASE_URL" -v schema=symphony -1 -f migrations/0010_parked.up.sql
\set ON_ERROR_STOP on
\if :{?schema}
\else
\set schema symphony
\endif

-- Texts, not jsonb: a message goes on as it came. A relay holds what it takes in place: due_at stays, so that no index
-- changes, and room on the page keeps the update off the others. Every row is deleted eventually, as in
-- messenger_messages_pending.
CREATE TABLE :"schema".messenger_parked (
  transport_name text NOT NULL,
  id uuid NOT NULL,
  due_at timestamptz NOT NULL,
  held_by uuid,
  held_until timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  scheduled_at timestamptz,
  retry_count integer NOT NULL DEFAULT 0,
  max_retries integer,
  priority smallint NOT NULL DEFAULT 5 CHECK (priority BETWEEN 1 AND 10),
  queue_name text NOT NULL DEFAULT 'default',
  message_type text NOT NULL,
  idempotency_key text,
  body text NOT NULL,
  headers text NOT NULL DEFAULT '{}',
  metadata text NOT NULL DEFAULT '{}',
  error_history jsonb NOT NULL DEFAULT '[]',
  handled text[] NOT NULL DEFAULT '{}',
  PRIMARY KEY (id, transport_name)
) WITH (
  fillfactor = 70,
  autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0,
  autovacuum_analyze_scale_factor = 0.1, autovacuum_analyze_threshold = 2000, vacuum_truncate = false);
-- What is due is a range of it, longest due first, whatever else is parked.
CREATE INDEX messenger_parked_due ON :"schema".messenger_parked (transport_name, due_at, id);
COMMENT ON TABLE :"schema".messenger_parked IS 'Messages for brokers that wait for their time; relayed when they are due.';
COMMENT ON COLUMN :"schema".messenger_parked.transport_name IS 'The transport whose broker gets it.';
COMMENT ON COLUMN :"schema".messenger_parked.id IS 'The message; of one id, one is parked.';
COMMENT ON COLUMN :"schema".messenger_parked.due_at IS 'When it goes to the broker, by the database clock.';
COMMENT ON COLUMN :"schema".messenger_parked.held_by IS 'The fence: the token of who is publishing it, named when it is taken out.';
COMMENT ON COLUMN :"schema".messenger_parked.held_until IS 'From then on anyone may publish it: who held it has died.';
COMMENT ON COLUMN :"schema".messenger_parked.body IS 'The payload, the text as it was dispatched.';
COMMENT ON COLUMN :"schema".messenger_parked.error_history IS 'The last 20 failed runs: [{ at, class, message }].';
COMMENT ON COLUMN :"schema".messenger_parked.handled IS 'Handlers that have succeeded; a retry skips them.';

-- A broker may deliver twice what has been buried, so its message has one dead letter.
ALTER TABLE :"schema".messenger_failed_messages ADD COLUMN carried boolean NOT NULL DEFAULT false;
CREATE UNIQUE INDEX messenger_failed_messages_carried ON :"schema".messenger_failed_messages
  (message_id, transport_name) WHERE carried;
COMMENT ON COLUMN :"schema".messenger_failed_messages.carried IS 'A broker carried it: put back, it is parked for that broker.';

ALTER TABLE :"schema".messenger_parked ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON :"schema".messenger_parked FROM PUBLIC;

-- A DO block cannot see psql's variables; a setting that ends with this transaction carries the name.
SELECT set_config('symphony.schema', :'schema', true);

DO $$
DECLARE
  role text;
BEGIN
  FOR role IN SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated') LOOP
    EXECUTE format('REVOKE ALL ON %I.messenger_parked FROM %I', current_setting('symphony.schema'), role);
  END LOOP;
END
$$;

INSERT INTO :"schema".messenger_migrations (version, name) VALUES (10, 'parked');
