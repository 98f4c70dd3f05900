-- What schedules need to run: their message in full, their policies, and the state that lets any number of processes
-- run them at once.
--
-- By hand:  psql "$DATABASE_URL" -v schema=symphony -1 -f migrations/0005_schedules.up.sql
\set ON_ERROR_STOP on
\if :{?schema}
\else
\set schema symphony
\endif

ALTER TABLE :"schema".messenger_schedules
  ALTER COLUMN transport_name DROP NOT NULL,
  ADD COLUMN queue_name text,
  ADD COLUMN priority smallint CHECK (priority BETWEEN 1 AND 10),
  ADD COLUMN max_retries integer,
  ADD COLUMN metadata jsonb NOT NULL DEFAULT '{}',
  ADD COLUMN from_at timestamptz,
  ADD COLUMN until_at timestamptz,
  ADD COLUMN anchor_at timestamptz,
  ADD COLUMN jitter_ms bigint NOT NULL DEFAULT 0,
  ADD COLUMN missed text NOT NULL DEFAULT 'once' CHECK (missed IN ('once', 'all', 'skip')),
  ADD COLUMN max_missed integer NOT NULL DEFAULT 100,
  ADD COLUMN missed_after_ms bigint NOT NULL DEFAULT 300000,
  ADD COLUMN overlap text NOT NULL DEFAULT 'allow' CHECK (overlap IN ('allow', 'skip')),
  ADD COLUMN code_group text,
  ADD COLUMN fingerprint text NOT NULL DEFAULT '',
  ADD COLUMN version bigint NOT NULL DEFAULT 0,
  ADD COLUMN nominal_run_at timestamptz,
  ADD COLUMN skipped_count bigint NOT NULL DEFAULT 0,
  ADD COLUMN last_message_ids uuid[] NOT NULL DEFAULT '{}',
  ADD COLUMN last_error text,
  ADD COLUMN last_error_at timestamptz,
  ADD COLUMN finished_at timestamptz;

-- Every run rewrites the row: room on the page keeps the indexes that did not change out of it.
ALTER TABLE :"schema".messenger_schedules SET (fillfactor = 80);
-- For the clean-up of those that will never run again.
CREATE INDEX messenger_schedules_finished ON :"schema".messenger_schedules (finished_at) WHERE finished_at IS NOT NULL;

COMMENT ON COLUMN :"schema".messenger_schedules.transport_name IS 'Where its messages go; NULL: by routing.';
COMMENT ON COLUMN :"schema".messenger_schedules.schedule_config IS '{ cron, seed } or { every } in ms or { at }.';
COMMENT ON COLUMN :"schema".messenger_schedules.enabled IS 'false: paused.';
COMMENT ON COLUMN :"schema".messenger_schedules.anchor_at IS 'What an interval counts from.';
COMMENT ON COLUMN :"schema".messenger_schedules.from_at IS 'No run before this instant.';
COMMENT ON COLUMN :"schema".messenger_schedules.until_at IS 'No run at this instant or after it.';
COMMENT ON COLUMN :"schema".messenger_schedules.jitter_ms IS 'Each run is delayed by a random time up to this.';
COMMENT ON COLUMN :"schema".messenger_schedules.missed IS 'What happens to missed runs: once, all or skip.';
COMMENT ON COLUMN :"schema".messenger_schedules.max_missed IS 'How many missed runs all makes up for.';
COMMENT ON COLUMN :"schema".messenger_schedules.missed_after_ms IS 'How late a run may be before skip leaves it out.';
COMMENT ON COLUMN :"schema".messenger_schedules.overlap IS 'skip: no run while a message of the previous one is unfinished.';
COMMENT ON COLUMN :"schema".messenger_schedules.code_group IS 'Which defineSchedules() it belongs to; NULL: schedule().';
COMMENT ON COLUMN :"schema".messenger_schedules.fingerprint IS 'Of its definition: the same again changes nothing.';
COMMENT ON COLUMN :"schema".messenger_schedules.version IS 'Counts every change; a change based on an older version is ignored.';
COMMENT ON COLUMN :"schema".messenger_schedules.nominal_run_at IS 'The next run as planned: next_run_at without jitter or delay after an error.';
COMMENT ON COLUMN :"schema".messenger_schedules.skipped_count IS 'Runs left out because of missed or overlap.';
COMMENT ON COLUMN :"schema".messenger_schedules.last_message_ids IS 'The messages of its last run.';
COMMENT ON COLUMN :"schema".messenger_schedules.last_error IS 'Why its last run could not be dispatched; it is retried.';
COMMENT ON COLUMN :"schema".messenger_schedules.finished_at IS 'When it finished.';

INSERT INTO :"schema".messenger_migrations (version, name) VALUES (5, 'schedules');
