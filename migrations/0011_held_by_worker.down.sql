-- Reverts 0011_held_by_worker.
--
-- By hand:  psql "$DATABASE_URL" -v schema=symphony -1 -f migrations/0011_held_by_worker.down.sql
\set ON_ERROR_STOP on
\if :{?schema}
\else
\set schema symphony
\endif

ALTER TABLE :"schema".messenger_messages_processing
  DROP CONSTRAINT messenger_messages_processing_pkey,
  ADD CONSTRAINT messenger_messages_processing_pkey PRIMARY KEY (id),
  ALTER COLUMN worker_id DROP NOT NULL;
CREATE INDEX messenger_messages_holder ON :"schema".messenger_messages_processing (worker_id, locked_by);

DELETE FROM :"schema".messenger_migrations WHERE version = 11;
