-- The queue itself: messages, dead letters, workers, deduplication keys.
--
-- By hand:  psql "$DATABASE_URL" -v schema=symphony -1 -f migrations/0001_messages.up.sql
-- The lines that begin with a backslash are psql's; `migrate()` leaves them out and fills in the schema itself.
\set ON_ERROR_STOP on
\if :{?schema}
\else
\set schema symphony
\endif

-- A DO block cannot see psql's variables; a setting that ends with this transaction carries the name.
SELECT set_config('symphony.schema', :'schema', true);

-- CREATE SCHEMA IF NOT EXISTS needs the right to create schemas even if there is nothing to create.
DO $$
BEGIN
  IF to_regnamespace(quote_ident(current_setting('symphony.schema'))) IS NULL THEN
    EXECUTE format('CREATE SCHEMA %I', current_setting('symphony.schema'));
  END IF;
END
$$;

CREATE TABLE IF NOT EXISTS :"schema".messenger_migrations (
  version integer PRIMARY KEY,
  name text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE :"schema".messenger_migrations IS 'Which migrations of @leadmap/symphony have been applied.';

-- One logical table, one partition per state: what waits stays small and dense however much has finished, and a claim
-- never sees a finished row. Rows move by DELETE and INSERT, never by UPDATE of status: an UPDATE across
-- partitions makes a concurrent SKIP LOCKED fail with 40001 where it should skip.
CREATE TABLE :"schema".messenger_messages (
  id uuid NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  available_at timestamptz NOT NULL DEFAULT now(),
  scheduled_at timestamptz,
  processed_at timestamptz,
  locked_at timestamptz,
  locked_by uuid,
  worker_id uuid,
  retry_count integer NOT NULL DEFAULT 0,
  max_retries integer,
  priority smallint NOT NULL DEFAULT 5 CHECK (priority BETWEEN 1 AND 10),
  crash_count smallint NOT NULL DEFAULT 0,
  status text NOT NULL DEFAULT 'pending',
  transport_name text NOT NULL,
  queue_name text NOT NULL DEFAULT 'default',
  message_type text NOT NULL,
  idempotency_key text,
  body jsonb NOT NULL,
  headers jsonb NOT NULL DEFAULT '{}',
  metadata jsonb NOT NULL DEFAULT '{}',
  last_error text,
  error_history jsonb,
  handled text[]
) PARTITION BY LIST (status);

CREATE TABLE :"schema".messenger_messages_pending
  PARTITION OF :"schema".messenger_messages FOR VALUES IN ('pending');
CREATE TABLE :"schema".messenger_messages_processing
  PARTITION OF :"schema".messenger_messages FOR VALUES IN ('processing');
CREATE TABLE :"schema".messenger_messages_finished
  PARTITION OF :"schema".messenger_messages FOR VALUES IN ('completed', 'discarded', 'cancelled');

ALTER TABLE :"schema".messenger_messages_pending ADD PRIMARY KEY (id);
ALTER TABLE :"schema".messenger_messages_processing ADD PRIMARY KEY (id);
ALTER TABLE :"schema".messenger_messages_finished ADD PRIMARY KEY (id);

-- The only index that a claim reads: one range per queue and priority, oldest first.
CREATE INDEX messenger_messages_claim ON :"schema".messenger_messages_pending
  (transport_name, queue_name, priority, available_at, id);
-- Empty except for messages whose process died while they ran.
CREATE INDEX messenger_messages_suspect ON :"schema".messenger_messages_pending
  (transport_name, available_at) WHERE crash_count > 0;
CREATE INDEX messenger_messages_finished_at ON :"schema".messenger_messages_finished (processed_at);

-- Every row of these two is deleted eventually, so vacuum has to run often and without pauses. Truncating
-- would take an exclusive lock on a table that fills again at once.
ALTER TABLE :"schema".messenger_messages_pending SET (
  autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0,
  autovacuum_analyze_scale_factor = 0.1, autovacuum_analyze_threshold = 2000, vacuum_truncate = false);
ALTER TABLE :"schema".messenger_messages_processing SET (
  autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0,
  autovacuum_analyze_scale_factor = 0.1, autovacuum_analyze_threshold = 2000, vacuum_truncate = false);

COMMENT ON TABLE :"schema".messenger_messages IS 'All messages that are not dead letters, partitioned by status.';
COMMENT ON TABLE :"schema".messenger_messages_pending IS 'Messages that wait: now, for a retry, or for their time.';
COMMENT ON TABLE :"schema".messenger_messages_processing IS 'Messages claimed by a worker and not yet settled.';
COMMENT ON TABLE :"schema".messenger_messages_finished IS 'Finished messages, kept for retention.completed, then deleted.';
COMMENT ON COLUMN :"schema".messenger_messages.id IS 'UUIDv7, made by the dispatcher.';
COMMENT ON COLUMN :"schema".messenger_messages.created_at IS 'When it was dispatched, by the database clock.';
COMMENT ON COLUMN :"schema".messenger_messages.available_at IS 'Not claimed before this instant; the order within a priority.';
COMMENT ON COLUMN :"schema".messenger_messages.scheduled_at IS 'The time the caller asked for, if any.';
COMMENT ON COLUMN :"schema".messenger_messages.processed_at IS 'When it was finished.';
COMMENT ON COLUMN :"schema".messenger_messages.locked_at IS 'When it was claimed.';
COMMENT ON COLUMN :"schema".messenger_messages.locked_by IS 'The fence: a token unique to the claim, named by every settle.';
COMMENT ON COLUMN :"schema".messenger_messages.worker_id IS 'The row of messenger_workers whose lease covers it.';
COMMENT ON COLUMN :"schema".messenger_messages.retry_count IS 'Failed runs so far.';
COMMENT ON COLUMN :"schema".messenger_messages.max_retries IS 'Retries allowed; NULL: as its type is configured.';
COMMENT ON COLUMN :"schema".messenger_messages.priority IS '1 to 10, 10 first.';
COMMENT ON COLUMN :"schema".messenger_messages.crash_count IS 'How often a process died while it held the message.';
COMMENT ON COLUMN :"schema".messenger_messages.status IS 'pending, processing, completed, discarded or cancelled.';
COMMENT ON COLUMN :"schema".messenger_messages.transport_name IS 'The transport it was sent to.';
COMMENT ON COLUMN :"schema".messenger_messages.queue_name IS 'The queue within the transport.';
COMMENT ON COLUMN :"schema".messenger_messages.message_type IS 'Selects the handlers.';
COMMENT ON COLUMN :"schema".messenger_messages.idempotency_key IS 'The key given by the caller, if any.';
COMMENT ON COLUMN :"schema".messenger_messages.body IS 'The payload.';
COMMENT ON COLUMN :"schema".messenger_messages.headers IS 'The caller''s headers; message-type, message-id and dispatched-at are derived from the columns.';
COMMENT ON COLUMN :"schema".messenger_messages.metadata IS 'Metadata of message and options, merged.';
COMMENT ON COLUMN :"schema".messenger_messages.last_error IS 'What the last failed run said, or why it was discarded.';
COMMENT ON COLUMN :"schema".messenger_messages.error_history IS 'The last 20 failed runs: [{ at, class, message }].';
COMMENT ON COLUMN :"schema".messenger_messages.handled IS 'Handlers that have succeeded; a retry skips them.';

-- No foreign key to the message: a dead letter outlives it.
CREATE TABLE :"schema".messenger_failed_messages (
  id uuid PRIMARY KEY,
  message_id uuid NOT NULL,
  created_at timestamptz NOT NULL,
  scheduled_at timestamptz,
  failed_at timestamptz NOT NULL DEFAULT now(),
  retry_count integer NOT NULL,
  max_retries integer,
  priority smallint NOT NULL CHECK (priority BETWEEN 1 AND 10),
  crash_count smallint NOT NULL DEFAULT 0,
  transport_name text NOT NULL,
  queue_name text NOT NULL,
  message_type text NOT NULL,
  idempotency_key text,
  body jsonb NOT NULL,
  headers jsonb NOT NULL DEFAULT '{}',
  metadata jsonb NOT NULL DEFAULT '{}',
  error text NOT NULL,
  error_class text,
  error_history jsonb NOT NULL DEFAULT '[]',
  handled text[]
);
CREATE INDEX messenger_failed_messages_newest ON :"schema".messenger_failed_messages (failed_at DESC, id DESC);
CREATE INDEX messenger_failed_messages_type ON :"schema".messenger_failed_messages (message_type, failed_at DESC, id DESC);
COMMENT ON TABLE :"schema".messenger_failed_messages IS 'The dead letters: full copies of messages that could not be handled.';
COMMENT ON COLUMN :"schema".messenger_failed_messages.message_id IS 'The id it had as a message.';
COMMENT ON COLUMN :"schema".messenger_failed_messages.error_class IS 'The class of the last error; WorkerCrash when its process died three times.';
COMMENT ON COLUMN :"schema".messenger_failed_messages.error_history IS 'The last 20 failed runs: [{ at, class, message }].';

-- One row per worker or invocation; its lease covers every message it has claimed. Updated in place and often: room on
-- the page keeps those updates off the index.
CREATE TABLE :"schema".messenger_workers (
  id uuid PRIMARY KEY,
  host text NOT NULL,
  pid integer NOT NULL,
  transports text[] NOT NULL,
  started_at timestamptz NOT NULL DEFAULT now(),
  last_beat_at timestamptz NOT NULL DEFAULT now(),
  lease_until timestamptz NOT NULL,
  in_flight integer NOT NULL DEFAULT 0,
  waiting boolean NOT NULL DEFAULT false
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
COMMENT ON TABLE :"schema".messenger_workers IS 'Workers and invocations at work; past lease_until any claim rescues their messages.';
COMMENT ON COLUMN :"schema".messenger_workers.lease_until IS 'Until when its claims are valid without another heartbeat.';
COMMENT ON COLUMN :"schema".messenger_workers.waiting IS 'It listens and has found nothing: a sender wakes it. A busy worker is never notified.';
COMMENT ON COLUMN :"schema".messenger_workers.in_flight IS 'Messages claimed and not settled, at the last beat.';

CREATE TABLE :"schema".messenger_deduplication (
  idempotency_key text NOT NULL,
  transport_name text NOT NULL,
  message_id uuid NOT NULL,
  first_seen_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  duplicate_attempts integer NOT NULL DEFAULT 0,
  PRIMARY KEY (idempotency_key, transport_name)
);
CREATE INDEX messenger_deduplication_expiry ON :"schema".messenger_deduplication (expires_at);
COMMENT ON TABLE :"schema".messenger_deduplication IS 'Idempotency keys within their window.';
COMMENT ON COLUMN :"schema".messenger_deduplication.message_id IS 'The message that the key admitted.';
COMMENT ON COLUMN :"schema".messenger_deduplication.duplicate_attempts IS 'Dispatches refused since.';

-- Closed from the first moment, because by hand each file is a transaction of its own: see 0004_security.
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

INSERT INTO :"schema".messenger_migrations (version, name) VALUES (1, 'messages');
