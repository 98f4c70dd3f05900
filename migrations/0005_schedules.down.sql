-- Reverts 0005_schedules. Schedules that use routing have no transport to return to, and are deleted.
--
-- By hand:  psql "$DATABASE_URL" -v schema=symphony -1 -f migrations/0005_schedules.down.sql
\set ON_ERROR_STOP on
\if :{?schema}
\else
\set schema symphony
\endif

DELETE FROM :"schema".messenger_schedules WHERE transport_name IS NULL;
DROP INDEX :"schema".messenger_schedules_finished;
ALTER TABLE :"schema".messenger_schedules RESET (fillfactor);
ALTER TABLE :"schema".messenger_schedules
  ALTER COLUMN transport_name SET NOT NULL,
  DROP COLUMN queue_name,
  DROP COLUMN priority,
  DROP COLUMN max_retries,
  DROP COLUMN metadata,
  DROP COLUMN from_at,
  DROP COLUMN until_at,
  DROP COLUMN anchor_at,
  DROP COLUMN jitter_ms,
  DROP COLUMN missed,
  DROP COLUMN max_missed,
  DROP COLUMN missed_after_ms,
  DROP COLUMN overlap,
  DROP COLUMN code_group,
  DROP COLUMN fingerprint,
  DROP COLUMN version,
  DROP COLUMN nominal_run_at,
  DROP COLUMN skipped_count,
  DROP COLUMN last_message_ids,
  DROP COLUMN last_error,
  DROP COLUMN last_error_at,
  DROP COLUMN finished_at;

DELETE FROM :"schema".messenger_migrations WHERE version = 5;
